// What an ITS was not told: a command that a message needs and that was left out, was written into the queue and never
// executed, or names something that nothing has mapped. Each cause names the place where the command should be.
import { FRAMES, GITS } from '@gictrace/core/spec';
import { type Cause, causedBy, NO_RECORDS, NOT_IN_SOURCE, recordsOfCommand } from './cause.ts';
import type { ExecutedCommand } from './commands.ts';
import type { Gather } from './gather.ts';
import { type Message, writeKey } from './gathered.ts';

/** How many commands are named where one is missing. */
const PLACES = 3;
const PUTS: ReadonlySet<string> = new Set(['MAPTI', 'MAPI', 'VMAPTI', 'VMAPI']);
const MAPS: ReadonlySet<string> = new Set([...PUTS, 'DISCARD']);

export class MissingCommands {
  private readonly g: Gather;

  constructor(gather: Gather) {
    this.g = gather;
  }

  /**
   * There is no MAPD of the device: the place where it should be is before the first command that needs it. After `unmapped`,
   * which unmapped it, only a command that maps an event needs another one. Undefined if none does.
   */
  noMapd(
    message: Message,
    isDevice: (command: ExecutedCommand) => boolean,
    unmapped?: ExecutedCommand,
  ): Cause | undefined {
    const all = this.g.commands.since(message.record);
    const from = unmapped === undefined ? 0 : all.indexOf(unmapped) + 1;
    const first = all.findIndex(
      (command, k) => k >= from && isDevice(command) && (unmapped === undefined || PUTS.has(command.name)),
    );
    if (first < 0) return undefined;
    const needs = all[first]!;
    const name = `DeviceID 0x${message.device.toString(16)}`;
    const before = all.slice(Math.max(from, first - PLACES), first);
    const since =
      unmapped === undefined
        ? 'before it'
        : `since record ${recordsOfCommand(unmapped).record} (MAPD) unmapped it`;
    return {
      record: recordsOfCommand(needs).record,
      also: before.map((command) => recordsOfCommand(command).record),
      what: `(${needs.name}) is the first command that needs a MAPD of ${name}, and there is none ${since}`,
      missing: { what: 'other' },
    };
  }

  /** There is no MAPTI of the event: the place where it should be is after that of the event before it, or after the MAPD. */
  noMapping(
    message: Message,
    mapd: ExecutedCommand | undefined,
    isEvent: (command: ExecutedCommand) => boolean,
  ): Cause {
    const { device, event, record } = message;
    const all = this.g.commands.since(record);
    const eventName = `DeviceID 0x${device.toString(16)} EventID 0x${event.toString(16)}`;
    const begin = mapd === undefined ? -1 : all.indexOf(mapd);
    let before = begin;
    let nearest = -1;
    for (let k = begin + 1; k < all.length; k++) {
      const { name, operands } = all[k]!;
      if (!PUTS.has(name) || operands.DeviceID !== device || operands.EventID! >= event) continue;
      if (operands.EventID! >= nearest) {
        nearest = operands.EventID!;
        before = k;
      }
    }
    const needs = all.find((command, k) => k > begin && command.failed && isEvent(command));
    const until = needs === undefined ? before + 1 + PLACES : all.indexOf(needs);
    const between = before < 0 ? [] : all.slice(before + 1, until);
    const places =
      between.length <= 2 * PLACES ? between : [...between.slice(0, PLACES), ...between.slice(-PLACES)];
    const after = before < 0 ? undefined : recordsOfCommand(all[before]!).record;
    return {
      record: after ?? message.record,
      also: [
        ...places.map((command) => recordsOfCommand(command).record),
        needs === undefined ? message.record : recordsOfCommand(needs).record,
      ],
      what:
        after === undefined
          ? `needs a MAPTI or MAPI of ${eventName}, and there is none`
          : `(${all[before]!.name}${nearest < 0 ? '' : ` of EventID 0x${nearest.toString(16)}`}) is not followed by a MAPTI or MAPI of ${eventName}`,
      missing: { what: 'other' },
    };
  }

  /** A command that the message needs is in the queue, and the ITS has not executed it. */
  waitingCause(message: Message): Cause | undefined {
    const { its, record, device, event } = message;
    const needed = this.g.commands
      .neverExecuted()
      .find(
        (one) =>
          one.its === its &&
          one.record < record &&
          one.until > record &&
          one.operands.DeviceID === device &&
          (one.name === 'MAPD' || (MAPS.has(one.name) && one.operands.EventID === event)),
      );
    if (needed === undefined) return undefined;
    const pointer = this.g.lastWrite(writeKey(FRAMES.indexOf('GITS'), its, GITS.GITS_CWRITER.offset), record);
    return {
      record: needed.record,
      also: pointer < 0 ? NO_RECORDS : [pointer],
      what: `writes a ${needed.name} into the queue, and the ITS never executes it${pointer < 0 ? ': GITS_CWRITER has not been written' : `: record ${pointer} is the last write of GITS_CWRITER`}`,
      missing: { what: 'other' },
    };
  }

  /** The first command since its mapping that left the entry of an event unknown. */
  firstDoubt({ its, record, device, event }: Message): Cause | undefined {
    const all = this.g.commands.since(record);
    let first: ExecutedCommand | undefined;
    for (const command of all) {
      const { name, operands, outcome } = command;
      if (command.its !== its || operands.DeviceID !== device) continue;
      const isOurs = name === 'MAPD' || operands.EventID === event;
      if (!isOurs) continue;
      if (outcome !== 'UNDECIDED') {
        if (name === 'MAPD' || name === 'MAPTI' || name === 'MAPI' || name === 'DISCARD') first = undefined;
      } else if (name === 'MAPTI' || name === 'MAPI' || name === 'MOVI') first ??= command;
    }
    if (first === undefined) return undefined;
    const { ICID } = first.operands;
    const isMapped = all.some((one) => one.name === 'MAPC' && one.its === its && one.operands.ICID === ICID);
    // A collection that has been mapped is not what is unknown about it.
    if (isMapped) return undefined;
    return this.unmappedCollection(first, { its, record });
  }

  /**
   * A command puts an event into a collection that nothing has mapped. If other commands needed that collection before, a
   * MAPC is missing before the first of them; otherwise the command names the wrong collection.
   */
  unmappedCollection(command: ExecutedCommand, { its, record }: Pick<Message, 'its' | 'record'>): Cause {
    const all = this.g.commands.since(record);
    const own = recordsOfCommand(command);
    const { ICID } = command.operands;
    const what = `puts the event into collection ${ICID}, which no MAPC has mapped`;
    const waiting = this.g.commands
      .neverExecuted()
      .find(
        (one) => one.name === 'MAPC' && one.its === its && one.operands.ICID === ICID && one.until > record,
      );
    if (waiting !== undefined)
      return {
        record: waiting.record,
        also: [own.record],
        what: `writes the MAPC of collection ${ICID} into the queue, and the ITS never executes it`,
        missing: { what: 'other' },
      };
    const first = all.findIndex((one) => one.its === its && one.operands.ICID === ICID);
    if (all[first] === command)
      return {
        ...own,
        also: [...own.also, ...this.placesOfMapc(all, its, ICID!, command)],
        what,
        missing: { what: 'other' },
      };
    return {
      record: recordsOfCommand(all[first]!).record,
      also: [
        ...all.slice(Math.max(0, first - PLACES), first).map((one) => recordsOfCommand(one).record),
        own.record,
      ],
      what: `(${all[first]!.name}) is the first command that needs a MAPC of collection ${ICID}, and there is none before it`,
      missing: { what: 'other' },
    };
  }

  /** Where a MAPC of a collection should be: behind that of the nearest lower one. */
  private placesOfMapc(
    all: readonly ExecutedCommand[],
    its: number,
    icid: number,
    before: ExecutedCommand,
  ): number[] {
    const end = all.indexOf(before);
    const maps = (k: number) => all[k]!.name === 'MAPC' && all[k]!.its === its && all[k]!.operands.V !== 0;
    let place = -1;
    let isAmid = false;
    for (let k = 0; k < end; k++) {
      if (!maps(k)) continue;
      if (all[k]!.operands.ICID! > icid) isAmid = true;
      else place = k;
    }
    // A collection behind all others is as likely to be a wrong number.
    if (!isAmid && place >= 0 && all[place]!.operands.ICID !== icid - 1) return [];
    const behind = all.slice(place + 1, end);
    const next = behind.findIndex(({ name }) => name === 'MAPC');
    const gap = next < 0 ? behind : behind.slice(0, next);
    const shown =
      gap.length <= 3 * PLACES ? gap : [...gap.slice(0, 2 * PLACES - 1), ...gap.slice(1 - PLACES)];
    return shown.map((one) => recordsOfCommand(one).record);
  }

  /** A DISCARD of an event after which nothing has mapped it: that, or that a mapping is missing behind it. */
  discarded(discard: ExecutedCommand, message: Message): Cause {
    const all = this.g.commands.since(message.record);
    const cause = causedBy(
      discard,
      `unmaps DeviceID 0x${message.device.toString(16)} EventID 0x${message.event.toString(16)} and takes its pending state away`,
    );
    const behind = all.slice(all.indexOf(discard) + 1, all.indexOf(discard) + 1 + 2 * PLACES);
    return { ...cause, also: [...cause.also, ...behind.map((one) => recordsOfCommand(one).record)] };
  }

  /** Whether a VMAPTI failed, or no VMAPP has mapped its vPE. */
  lacksVpe({ failed, its, operands }: ExecutedCommand, { record }: Message): boolean {
    const vmapp = this.g.commands.last(
      record,
      (one) => one.name === 'VMAPP' && one.its === its && one.operands.vPEID === operands.vPEID,
    );
    return failed || vmapp === undefined || vmapp.refused || vmapp.operands.V === 0;
  }

  /** A VMAPTI of a vPE that nothing has mapped: the wrong number, or a VMAPP is missing before what first names the vPE. */
  unmappedVpe(command: ExecutedCommand, { its, record }: Message): Cause {
    const all = this.g.commands.since(record);
    const { vPEID } = command.operands;
    const isOfVpe = (one: ExecutedCommand) => one.its === its && one.operands.vPEID === vPEID;
    const own = recordsOfCommand(command);
    const vmapp = all.findLast((one) => one.name === 'VMAPP' && isOfVpe(one));
    if (vmapp !== undefined) {
      const other = recordsOfCommand(vmapp);
      if (vmapp.operands.V === 0 || vmapp.refused)
        return {
          record: other.record,
          also: [own.record, ...other.also],
          what: vmapp.refused
            ? `was refused (${vmapp.outcome})`
            : `unmaps vPE ${vPEID}, to which record ${own.record} maps the event`,
          missing: undefined,
        };
      return {
        ...own,
        also: [...own.also, other.record],
        what: `maps the event to vPE ${vPEID}; what its entry is now: ${NOT_IN_SOURCE}`,
        missing: undefined,
      };
    }
    const first = all.findIndex(isOfVpe);
    const what = `maps the event to vPE ${vPEID}, which no VMAPP has mapped`;
    if (first < 0 || all[first] === command) return { ...own, what, missing: { what: 'other' } };
    return {
      record: recordsOfCommand(all[first]!).record,
      also: [
        ...all.slice(Math.max(0, first - 2 * PLACES), first).map((one) => recordsOfCommand(one).record),
        own.record,
      ],
      what: `(${all[first]!.name}) is the first command that needs a VMAPP of vPE ${vPEID}, and there is none before it`,
      missing: { what: 'other' },
    };
  }
}
