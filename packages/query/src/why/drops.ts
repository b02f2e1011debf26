// Why a message of a device was dropped: the command or register write that unmapped what it needed, or what was left out.
import { FRAMES, GICR, GITS } from '@gictrace/core/spec';
import {
  type Cause,
  causedBy,
  causeOf,
  NO_RECORDS,
  NOT_IN_SOURCE,
  noRecord,
  recordsOfCommand,
} from './cause.ts';
import type { ExecutedCommand } from './commands.ts';
import type { Gather } from './gather.ts';
import { type Message, ofPe, registerTrack, tableTrack, writeKey } from './gathered.ts';
import { MissingCommands } from './missing-commands.ts';

/** GITS_BASER<n>.Type. */
const TABLES = { devices: 1, collections: 4 } as const;
/** How many commands are named where one is missing. */
const PLACES = 3;
/** How far an INTID may be from another one that is called its neighbour. */
const NEIGHBOURS = 8;
const MAPS: ReadonlySet<string> = new Set(['MAPTI', 'MAPI', 'VMAPTI', 'VMAPI', 'DISCARD']);

export class Drops {
  private readonly g: Gather;
  private readonly missing: MissingCommands;

  constructor(gather: Gather) {
    this.g = gather;
    this.missing = new MissingCommands(gather);
  }

  /** Why a message was dropped, or why what became of it is not known. */
  causeOfDrop(message: Message): Cause {
    const { commands } = this.g;
    const { record, device, event, its } = message;
    const isDevice = (command: ExecutedCommand) =>
      command.its === its && command.operands.DeviceID === device;
    const isEvent = (command: ExecutedCommand) => isDevice(command) && command.operands.EventID === event;
    const name = `DeviceID 0x${device.toString(16)}`;
    const eventName = `${name} EventID 0x${event.toString(16)}`;
    const mapd = commands.last(record, (command) => command.name === 'MAPD' && isDevice(command));
    const mapping = commands.last(record, (command) => MAPS.has(command.name) && isEvent(command));
    let reason = message.outcome;
    const waiting = this.missing.waitingCause(message);
    if (waiting !== undefined && mapping?.refused !== true) return waiting;
    if (reason === 'undecided') {
      const unknown = commands.last(record, (command) => command.its === its && command.name === 'unknown');
      if (unknown !== undefined)
        return causedBy(
          unknown,
          'makes the ITS execute a command that the source does not contain; what it changed is unknown',
        );
      if (mapping?.name.startsWith('V') === true && this.missing.lacksVpe(mapping, message))
        return this.missing.unmappedVpe(mapping, message);
      const doubtful = this.missing.firstDoubt(message);
      if (doubtful !== undefined) return doubtful;
      // The entry is memory that the source does not contain: no command of the source has written it.
      if (mapd === undefined || mapd.failed) reason = 'device-unmapped';
      else if (mapping === undefined || mapping.failed) reason = 'event-unmapped';
      else reason = 'collection-unmapped';
    }
    switch (reason) {
      case 'its-disabled':
        return causeOf(
          this.g,
          this.g.tracks
            .get(registerTrack('GITS', its, GITS.GITS_CTLR.offset))
            .since(record, (value) => (value & 1) === 0),
          'leaves GITS_CTLR.Enabled at 0',
          'GITS_CTLR.Enabled has not been set',
          this.g.lastWrite(writeKey(FRAMES.indexOf('GITS'), its, GITS.GITS_CTLR.offset), record),
        );
      case 'deviceid-out-of-range':
        return (
          this.tableCause(TABLES.devices, its, record) ??
          noRecord(`no GITS_BASER gives a device table that has an entry for ${name}`, { what: 'other' })
        );
      case 'device-unmapped': {
        if (mapd?.refused) return this.refusedCause(mapd, TABLES.devices, record);
        if (mapd !== undefined && mapd.operands.V === 0)
          return this.missing.noMapd(message, isDevice, mapd) ?? causedBy(mapd, `unmaps ${name}`);
        const table = this.tableCause(TABLES.devices, its, record);
        if (mapd === undefined)
          return (
            this.missing.noMapd(message, isDevice) ?? {
              record,
              also: NO_RECORDS,
              what: `needs a MAPD and a MAPTI of ${name}, and no command names it`,
              missing: { what: 'other' },
            }
          );
        if (table !== undefined && table.record > mapd.record) return table;
        return causedBy(
          mapd,
          `maps ${name}, but its entry is not valid any more: something has overwritten the device table`,
        );
      }
      case 'eventid-out-of-range':
        return mapd === undefined
          ? noRecord(NOT_IN_SOURCE)
          : causedBy(
              mapd,
              `gives ${name} EventIDs of ${(mapd.operands.Size ?? 0) + 1} bits, too few for EventID 0x${event.toString(16)}`,
            );
      case 'event-unmapped': {
        if (mapping?.refused) return this.refusedCause(mapping, TABLES.collections, record);
        if (mapping?.name === 'DISCARD') return this.missing.discarded(mapping, message);
        if (mapping === undefined || mapping.failed) return this.missing.noMapping(message, mapd, isEvent);
        if (mapd !== undefined && commands.all.indexOf(mapd) > commands.all.indexOf(mapping))
          return causedBy(
            mapd,
            `gives ${name} an ITT in which EventID 0x${event.toString(16)} is not mapped`,
          );
        return causedBy(
          mapping,
          `maps ${eventName}, but its entry is not valid any more: something has overwritten the ITT`,
        );
      }
      case 'collection-unmapped':
        return this.collectionCause(message);
      case 'lpis-disabled': {
        const target = this.targetOf(message);
        const pe = target?.operands.RDbase ?? -1;
        const change =
          pe < 0 ? undefined : this.g.tracks.get(`EnableLPIs ${pe}`).since(record, (value) => value === 0);
        const cause = causeOf(
          this.g,
          change,
          `leaves GICR_CTLR.EnableLPIs of ${ofPe(pe)} at 0`,
          `GICR_CTLR.EnableLPIs of ${ofPe(pe)} has not been set`,
          this.g.lastWrite(writeKey(FRAMES.indexOf('GICR'), pe, GICR.GICR_CTLR.offset), record),
        );
        return { ...cause, also: [...cause.also, ...this.wayTo(message)] };
      }
      case 'intid-out-of-range': {
        const pe = this.targetOf(message)?.operands.RDbase ?? -1;
        const written = this.g.lastWrite(
          writeKey(FRAMES.indexOf('GICR'), pe, GICR.GICR_PROPBASER.offset),
          record,
        );
        if (written >= 0)
          return {
            record: written,
            also: this.wayTo(message),
            what: `gives ${ofPe(pe)} a GICR_PROPBASER.IDbits that does not allow the INTID to which ${eventName} is mapped`,
            missing: undefined,
          };
        return mapping === undefined
          ? noRecord(NOT_IN_SOURCE)
          : causedBy(mapping, `maps ${eventName} to an INTID that GICR_PROPBASER.IDbits does not allow`);
      }
      default: {
        const vmapp = commands.last(
          record,
          ({ name: one, operands }) => one === 'VMAPP' && operands.vPEID === mapping?.operands.vPEID,
        );
        if (vmapp !== undefined) return causedBy(vmapp, `unmaps the vPE of ${eventName}`);
        return mapping === undefined
          ? noRecord(NOT_IN_SOURCE)
          : causedBy(mapping, `maps ${eventName} to a vPE that no VMAPP has mapped`);
      }
    }
  }

  /** A refused command as a cause, with the write to GITS_BASER that made it fail if that can be. */
  private refusedCause(command: ExecutedCommand, type: number, record: number): Cause {
    const table = command.outcome.endsWith('_OOR') ? this.tableCause(type, command.its, record) : undefined;
    const { record: own, also } = recordsOfCommand(command);
    if (table !== undefined && table.record < own)
      return {
        record: own,
        also: [table.record, ...also],
        what: `was refused (${command.outcome}): the table that GITS_BASER gives (record ${table.record}) has no such entry`,
        missing: undefined,
      };
    return { record: own, also, what: `was refused (${command.outcome})`, missing: undefined };
  }

  /** The last change of an ITS's table of a type before a record. */
  private tableCause(type: number, its: number, record: number): Cause | undefined {
    const change = this.g.tracks.get(tableTrack(type, its)).at(record);
    return change === undefined
      ? undefined
      : {
          record: change.record,
          also: NO_RECORDS,
          what: 'gives the ITS another table, or none',
          missing: undefined,
        };
  }

  /** The records that say to which PE a message goes. */
  private wayTo(message: Message): number[] {
    return [this.mappingOf(message), this.targetOf(message)].flatMap((command) =>
      command === undefined ? [] : [recordsOfCommand(command).record],
    );
  }

  /** The MAPC that says to which PE the collection of a message goes. */
  private targetOf(message: Message): ExecutedCommand | undefined {
    const icid = this.mappingOf(message)?.operands.ICID;
    return this.g.commands.last(
      message.record,
      ({ name, its, operands, refused }) =>
        name === 'MAPC' && !refused && its === message.its && operands.ICID === icid,
    );
  }

  /** The command that put the event of a message into its collection. */
  mappingOf({ record, its, device, event }: Message): ExecutedCommand | undefined {
    return this.g.commands.last(
      record,
      (one) =>
        !one.refused &&
        (one.name === 'MAPTI' || one.name === 'MAPI' || one.name === 'MOVI') &&
        one.its === its &&
        one.operands.DeviceID === device &&
        one.operands.EventID === event,
    );
  }

  private collectionCause(message: Message): Cause {
    const mapping = this.mappingOf(message);
    if (mapping === undefined) return noRecord(`the entry of the event: ${NOT_IN_SOURCE}`);
    const { ICID } = mapping.operands;
    const mapc = this.g.commands.last(
      message.record,
      ({ name, its, operands }) => name === 'MAPC' && its === message.its && operands.ICID === ICID,
    );
    const own = recordsOfCommand(mapping);
    if (mapc === undefined) return this.missing.unmappedCollection(mapping, message);
    const other = recordsOfCommand(mapc);
    if (mapc.operands.V !== 0 && !mapc.refused)
      return {
        ...own,
        also: [...own.also, other.record],
        what: `puts the event into collection ${ICID}; what its entry is now: ${NOT_IN_SOURCE}`,
        missing: undefined,
      };
    if (mapc.refused)
      return {
        ...this.refusedCause(mapc, TABLES.collections, message.record),
        also: [own.record, ...other.also],
      };
    return {
      record: other.record,
      also: [own.record, ...other.also],
      what: `unmaps collection ${ICID}, in which record ${own.record} put the event`,
      missing: undefined,
    };
  }
}

/** The commands around the place where the mapping of an LPI is missing: after that of the nearest lower INTID. */
export function gapAround(all: readonly ExecutedCommand[], intid: number): Pick<Cause, 'record' | 'what'>[] {
  let nearest = -1;
  let place = -1;
  for (const [k, { name, operands, refused }] of all.entries()) {
    if (refused || name !== 'MAPTI') continue;
    const { pINTID } = operands;
    if (pINTID! < intid && pINTID! >= nearest && pINTID! >= intid - NEIGHBOURS) {
      nearest = pINTID!;
      place = k;
    }
  }
  if (place < 0) return [];
  const at = (command: ExecutedCommand, what: string) => ({ record: recordsOfCommand(command).record, what });
  return [
    at(all[place]!, `maps INTID ${nearest}, and no MAPTI follows for INTID ${intid}`),
    ...all
      .slice(place + 1, place + 1 + PLACES)
      .map((command) =>
        at(
          command,
          `(${command.name}${command.operands.pINTID === undefined ? '' : ` to INTID ${command.operands.pINTID}`}) follows`,
        ),
      ),
  ];
}
