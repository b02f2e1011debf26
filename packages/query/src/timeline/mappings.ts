// What each event of a device was mapped to over time, from the commands that the ITSs executed. An operand that the source
// does not contain stays null. It knows no SQL.
import type { GicConfig } from '@gictrace/core';
import { integer, internal, orNull, type RowOf, text } from '../database/columns.ts';
import type { CommandRow } from './commands.ts';
import { timeOf } from './moment.ts';

/** One row for each stretch of time in which an event was mapped to the same interrupt, on the same PE. */
export const MAPPING_COLUMNS = {
  its: integer('index of the ITS, from 0'),
  DeviceID: integer('DeviceID'),
  EventID: integer('EventID'),
  INTID: orNull(integer('LPI, or vINTID; null if the source does not contain it')),
  virtual: integer('1 for a virtual interrupt (VMAPTI, VMAPI)'),
  ICID: orNull(integer('collection; null if virtual')),
  vPEID: orNull(integer('vPE; null if physical')),
  pe: orNull(integer('PE of the collection or of the vPE; null while it is unmapped')),
  from_record: integer('record of the command that made the mapping'),
  to_record: orNull(
    integer('record of the command that ended it; null if it exists at the end of the trace'),
  ),
  from_ns: timeOf('from_record'),
  to_ns: timeOf('to_record'),
  made_by: text('command'),
  ended_by: orNull(
    text(
      'command that ended it; `unknown` if a command that the source does not contain may have ended it; null if it exists at the end of the trace',
    ),
  ),
  from_stimulus: internal(
    orNull(integer('record of the stimulus that caused the first command to be executed')),
  ),
  to_stimulus: internal(
    orNull(integer('record of the stimulus that caused the second command to be executed')),
  ),
} as const;
export type MappingRow = RowOf<typeof MAPPING_COLUMNS>;

type Target = Pick<MappingRow, 'virtual' | 'INTID' | 'ICID' | 'vPEID' | 'pe'>;
type Mapping = Omit<MappingRow, 'to_record' | 'to_ns' | 'ended_by' | 'to_stimulus'>;

/** Follows the mappings of a trace. */
export class Mappings {
  private readonly open = new Map<string, Mapping>();
  /** The PE of each collection, by `its.ICID`, and of each vPE, if a command has mapped them. */
  private readonly collections = new Map<string, number | null>();
  private readonly vpes = new Map<number, number | null>();
  private readonly config: GicConfig;
  private readonly row: (row: MappingRow) => void;

  /** Calls `row` with each mapping when it ends. */
  constructor(config: GicConfig, row: (row: MappingRow) => void) {
    this.config = config;
    this.row = row;
  }

  /** Takes a command that was executed. `stimulus` is the record that caused it to be executed. */
  take(command: CommandRow, stimulus: number): void {
    const { op, its, ICID, vPEID, V } = command;
    switch (op) {
      case 'MAPC':
        if (ICID === null) return;
        this.collections.set(`${its}.${ICID}`, V ? this.peOf(command) : null);
        this.moveAll((m) => m.virtual === 0 && m.its === its && m.ICID === ICID, command, stimulus);
        return;
      case 'VMAPP':
      case 'VMOVP':
        if (vPEID === null) return;
        this.vpes.set(vPEID, op === 'VMAPP' && V === 0 ? null : this.peOf(command));
        this.moveAll((m) => m.virtual === 1 && m.vPEID === vPEID, command, stimulus);
        return;
      case 'MAPD':
        this.unmapDevice(command, stimulus);
        return;
      case 'unknown':
        this.forget(command, stimulus);
        return;
      default:
        this.takeEvent(command, stimulus);
    }
  }

  /** Takes a command that the source does not contain: the mappings of this ITS are unknown from here on. */
  private forget(command: CommandRow, stimulus: number): void {
    const { its } = command;
    for (const [key, m] of [...this.open]) if (m.its === its) this.end(key, command, stimulus);
    for (const key of [...this.collections.keys()])
      if (key.startsWith(`${its}.`)) this.collections.delete(key);
    this.vpes.clear();
  }

  /** Ends all mappings of a device. MAPD with V = 1 does this too, because nothing is mapped in a new table. */
  private unmapDevice(command: CommandRow, stimulus: number): void {
    const { its, DeviceID, V } = command;
    if (DeviceID === null) return;
    for (const [key, m] of [...this.open])
      if (m.its === its && m.DeviceID === DeviceID) this.end(key, command, stimulus, V ? 'MAPD' : 'MAPD V=0');
  }

  /** Takes a command that concerns one event. */
  private takeEvent(command: CommandRow, stimulus: number): void {
    const { op, its, DeviceID, EventID, ICID, vPEID } = command;
    if (DeviceID === null || EventID === null) return;
    const key = `${its}.${DeviceID}.${EventID}`;
    const old = this.open.get(key);
    const put = (target: Target) => {
      this.end(key, command, stimulus);
      this.begin(key, { its, DeviceID, EventID }, target, command, stimulus);
    };
    switch (op) {
      case 'MAPTI':
        put(this.physical(its, command.pINTID, ICID));
        return;
      case 'MAPI':
        put(this.physical(its, EventID, ICID));
        return;
      case 'VMAPTI':
        put(this.virtual(command.vINTID, vPEID));
        return;
      case 'VMAPI':
        put(this.virtual(EventID, vPEID));
        return;
      case 'MOVI':
        if (old !== undefined) put(this.physical(its, old.INTID, ICID));
        return;
      case 'VMOVI':
        if (old !== undefined) put(this.virtual(old.INTID, vPEID));
        return;
      case 'DISCARD':
        this.end(key, command, stimulus);
        return;
      default:
    }
  }

  /** Ends the trace and reports the mappings that still exist. */
  finish(): void {
    for (const m of this.open.values())
      this.row({ ...m, to_record: null, to_ns: null, ended_by: null, to_stimulus: null });
    this.open.clear();
  }

  /** The PE that an RDbase names: an address in units of 64 KB, or a number, by GITS_TYPER.PTA. Null if there is none. */
  private peOf({ its, RDbase }: CommandRow): number | null {
    if (RDbase === null) return null;
    const typer = BigInt(this.config.its[its]?.typer ?? '0x0');
    if ((typer >> 19n) & 1n) {
      const pe = this.config.addresses.gicr.indexOf(RDbase * 0x1_0000);
      return pe < 0 ? null : pe;
    }
    return RDbase < this.config.pes.length ? RDbase : null;
  }

  private physical(its: number, INTID: number | null, ICID: number | null): Target {
    return { virtual: 0, INTID, ICID, vPEID: null, pe: this.collections.get(`${its}.${ICID}`) ?? null };
  }

  private virtual(INTID: number | null, vPEID: number | null): Target {
    const pe = vPEID === null ? null : (this.vpes.get(vPEID) ?? null);
    return { virtual: 1, INTID, ICID: null, vPEID, pe };
  }

  private moveAll(which: (m: Mapping) => boolean, command: CommandRow, stimulus: number): void {
    for (const [key, m] of [...this.open]) {
      if (!which(m)) continue;
      const target = m.virtual ? this.virtual(m.INTID, m.vPEID) : this.physical(m.its, m.INTID, m.ICID);
      // If a collection or vPE is mapped to the same PE again, nothing moves.
      if (target.pe === m.pe) continue;
      this.end(key, command, stimulus);
      this.begin(key, m, target, command, stimulus);
    }
  }

  private begin(
    key: string,
    { its, DeviceID, EventID }: Pick<Mapping, 'its' | 'DeviceID' | 'EventID'>,
    { virtual, INTID, ICID, vPEID, pe }: Target,
    { op, record, time_ns }: CommandRow,
    stimulus: number,
  ): void {
    this.open.set(key, {
      its,
      DeviceID,
      EventID,
      INTID,
      virtual,
      ICID,
      vPEID,
      pe,
      from_record: record,
      from_ns: time_ns,
      made_by: op,
      from_stimulus: stimulus,
    });
  }

  private end(key: string, { op, record, time_ns }: CommandRow, stimulus: number, by: string = op): void {
    const m = this.open.get(key);
    if (m === undefined) return;
    this.open.delete(key);
    this.row({ ...m, to_record: record, to_ns: time_ns, ended_by: by, to_stimulus: stimulus });
  }
}
