// What each event of a device was mapped to, over time: from the commands that the ITSs executed. An operand
// that the source does not show stays null. Knows commands' operands, not their encoding.
import {
  type CommandName,
  decodeCommand,
  type GicConfig,
  ITS_COMMANDS,
  type OperandSpec,
} from '@gictrace/core';
import type { Sql } from '../sql/schema.ts';
import { sqlTime } from '../sql/schema.ts';

interface Target {
  readonly virtual: boolean;
  readonly intid: number | null;
  readonly icid: number | null;
  readonly vpeid: number | null;
  readonly pe: number | null;
}
interface Mapping extends Target {
  readonly its: number;
  readonly deviceId: number;
  readonly eventId: number;
  readonly record: number;
  readonly stimulus: number;
  readonly timeNs: number;
  readonly madeBy: string;
}

/** Columns of t_commands that are operands, in their order. */
const COMMAND_COLUMNS = [
  'DeviceID',
  'EventID',
  'pINTID',
  'vINTID',
  'ICID',
  'RDbase',
  'vPEID',
  'Size',
  'ITT_addr',
  'V',
] as const;
type Operands = Readonly<Partial<Record<string, number>>>;

/** Follows the mappings of one trace and tells a row for each that ended. */
export class Mappings {
  private readonly open = new Map<string, Mapping>();
  /** The PE of each collection by `its.ICID`, and of each vPE: those that a command placed. */
  private readonly collections = new Map<string, number | null>();
  private readonly vpes = new Map<number, number | null>();
  /** The stimulus that had the command executed that is looked at. */
  private stimulus = 0;
  private readonly trace: number;
  private readonly config: GicConfig;
  private readonly out: (row: Sql[]) => void;

  constructor(trace: number, config: GicConfig, out: (row: Sql[]) => void) {
    this.trace = trace;
    this.config = config;
    this.out = out;
  }

  /**
   * Takes an executed command: eight words at `words[at]`; `shown` has a bit an operand, in declared order. `stimulus`: the
   * record of what had it executed.
   */
  take(
    its: number,
    words: Uint32Array,
    at: number,
    shown: number,
    record: number,
    timeNs: number,
    stimulus = record,
  ): void {
    this.stimulus = stimulus;
    const command = decodeCommand(words, at);
    if (command === undefined) return;
    const { name } = command;
    const o = shownOperands(name, command.operands, shown);
    switch (name) {
      case 'MAPC':
        if (o.ICID === undefined) return;
        this.collections.set(`${its}.${o.ICID}`, o.V ? this.peOf(its, o.RDbase) : null);
        this.moveAll((m) => !m.virtual && m.its === its && m.icid === o.ICID, name, record, timeNs);
        return;
      case 'VMAPP':
      case 'VMOVP':
        if (o.vPEID === undefined) return;
        this.vpes.set(o.vPEID, name === 'VMAPP' && o.V === 0 ? null : this.peOf(its, o.RDbase));
        this.moveAll((m) => m.virtual && m.vpeid === o.vPEID, name, record, timeNs);
        return;
      case 'MAPD':
        // With V=1 too: a new translation table starts with nothing mapped.
        if (o.DeviceID === undefined) return;
        for (const [key, m] of [...this.open])
          if (m.its === its && m.deviceId === o.DeviceID)
            this.end(key, o.V ? name : 'MAPD V=0', record, timeNs);
        return;
      default:
    }
    const { DeviceID: deviceId, EventID: eventId } = o;
    if (deviceId === undefined || eventId === undefined) return;
    const key = `${its}.${deviceId}.${eventId}`;
    const old = this.open.get(key);
    const put = (target: Target) => {
      this.end(key, name, record, timeNs);
      const { stimulus } = this;
      this.open.set(key, { ...target, its, deviceId, eventId, record, stimulus, timeNs, madeBy: name });
    };
    switch (name) {
      case 'MAPTI':
      case 'MAPI':
        put(this.physical(its, name === 'MAPI' ? eventId : (o.pINTID ?? null), o.ICID ?? null));
        return;
      case 'VMAPTI':
      case 'VMAPI':
        put(this.virtual(name === 'VMAPI' ? eventId : (o.vINTID ?? null), o.vPEID ?? null));
        return;
      case 'MOVI':
        if (old !== undefined) put(this.physical(its, old.intid, o.ICID ?? null));
        return;
      case 'VMOVI':
        if (old !== undefined) put(this.virtual(old.intid, o.vPEID ?? null));
        return;
      case 'DISCARD':
        this.end(key, name, record, timeNs);
        return;
      default:
    }
  }

  /** The trace ends: mappings still in force have no end. */
  finish(): void {
    for (const key of [...this.open.keys()]) this.end(key, null, null, Number.NaN);
  }

  /** The PE that an RDbase names, by GITS_TYPER.PTA an address in units of 64 KB or a number; null: none. */
  private peOf(its: number, rdbase: number | undefined): number | null {
    if (rdbase === undefined) return null;
    const typer = BigInt(this.config.its[its]?.typer ?? '0x0');
    if ((typer >> 19n) & 1n) {
      const pe = this.config.addresses.gicr.indexOf(rdbase * 0x1_0000);
      return pe < 0 ? null : pe;
    }
    return rdbase < this.config.pes.length ? rdbase : null;
  }

  private physical(its: number, intid: number | null, icid: number | null): Target {
    const pe = this.collections.get(`${its}.${icid}`) ?? null;
    return { virtual: false, intid, icid, vpeid: null, pe };
  }

  private virtual(intid: number | null, vpeid: number | null): Target {
    const pe = vpeid === null ? null : (this.vpes.get(vpeid) ?? null);
    return { virtual: true, intid, icid: null, vpeid, pe };
  }

  private moveAll(which: (m: Mapping) => boolean, by: string, record: number, timeNs: number): void {
    for (const [key, m] of [...this.open]) {
      if (!which(m)) continue;
      const target = m.virtual ? this.virtual(m.intid, m.vpeid) : this.physical(m.its, m.intid, m.icid);
      // A collection or vPE that is mapped again where it was moves nothing.
      if (target.pe === m.pe) continue;
      this.end(key, by, record, timeNs);
      this.open.set(key, { ...m, ...target, record, stimulus: this.stimulus, timeNs, madeBy: by });
    }
  }

  private end(key: string, by: string | null, record: number | null, timeNs: number): void {
    const m = this.open.get(key);
    if (m === undefined) return;
    this.open.delete(key);
    this.out([
      ...[this.trace, m.its, m.deviceId, m.eventId, m.intid, m.virtual ? 1 : 0, m.icid, m.vpeid, m.pe],
      ...[m.record, record, sqlTime(m.timeNs), sqlTime(timeNs), m.madeBy, by],
      ...[m.stimulus, record === null ? null : this.stimulus],
    ]);
  }
}

function specsOf(name: CommandName): readonly OperandSpec[] {
  return ITS_COMMANDS[name].operands;
}

function shownOperands(
  name: CommandName,
  operands: Readonly<Partial<Record<string, number>>>,
  shown: number,
): Operands {
  const out: Partial<Record<string, number>> = {};
  specsOf(name).forEach((spec, k) => {
    if ((shown >>> k) & 1) out[spec.name] = operands[spec.name]!;
  });
  return out;
}

/** The operands of a command as columns of t_commands; null where the command has none, or the source does not show it. */
export function commandColumns(
  words: Uint32Array,
  at: number,
  shown: number,
): { op: string; columns: Sql[] } {
  const command = decodeCommand(words, at);
  if (command === undefined)
    return { op: `0x${(words[at]! & 0xff).toString(16)}`, columns: COMMAND_COLUMNS.map(() => null) };
  const o = shownOperands(command.name, command.operands, shown);
  return { op: command.name, columns: COMMAND_COLUMNS.map((name) => o[name] ?? null) };
}
