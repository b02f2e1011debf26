// What each event of a device was mapped to, over time: from the commands that the ITSs executed.
import { type CommandName, decodeCommand, ITS_COMMANDS, type OperandSpec } from '@gictrace/core';
import type { Sql } from './schema.ts';

interface Mapping {
  its: number;
  deviceId: number;
  eventId: number;
  intid: number;
  icid: number;
  pe: number | null;
  record: number;
  timeNs: number;
  madeBy: string;
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

export class Mappings {
  private readonly open = new Map<string, Mapping>();
  private readonly collections = new Map<string, number>();
  private readonly trace: number;
  private readonly out: (row: Sql[]) => void;

  constructor(trace: number, out: (row: Sql[]) => void) {
    this.trace = trace;
    this.out = out;
  }

  /** Takes an executed command: eight words at `words[at]`. */
  take(its: number, words: Uint32Array, at: number, record: number, timeNs: number): void {
    const command = decodeCommand(words, at);
    if (command === undefined) return;
    const { name, operands: o } = command;
    switch (name) {
      case 'MAPC':
        if (o.V) this.collections.set(`${its}.${o.ICID}`, o.RDbase!);
        else this.collections.delete(`${its}.${o.ICID}`);
        for (const mapping of [...this.open.values()])
          if (mapping.its === its && mapping.icid === o.ICID)
            this.replace(mapping, { pe: o.V ? o.RDbase! : null }, name, record, timeNs);
        return;
      case 'MAPTI':
      case 'MAPI': {
        const intid = name === 'MAPI' ? o.EventID! : o.pINTID!;
        const next = {
          its,
          deviceId: o.DeviceID!,
          eventId: o.EventID!,
          intid,
          icid: o.ICID!,
          pe: this.collections.get(`${its}.${o.ICID}`) ?? null,
          record,
          timeNs,
          madeBy: name,
        };
        this.end(this.key(its, o.DeviceID!, o.EventID!), name, record, timeNs);
        this.open.set(this.key(its, o.DeviceID!, o.EventID!), next);
        return;
      }
      case 'MOVI': {
        const mapping = this.open.get(this.key(its, o.DeviceID!, o.EventID!));
        if (mapping !== undefined)
          this.replace(
            mapping,
            { icid: o.ICID!, pe: this.collections.get(`${its}.${o.ICID}`) ?? null },
            name,
            record,
            timeNs,
          );
        return;
      }
      case 'DISCARD':
        this.end(this.key(its, o.DeviceID!, o.EventID!), name, record, timeNs);
        return;
      case 'MAPD':
        if (!o.V)
          for (const [key, mapping] of [...this.open])
            if (mapping.its === its && mapping.deviceId === o.DeviceID)
              this.end(key, 'MAPD V=0', record, timeNs);
        return;
      default:
        return;
    }
  }

  private key(its: number, deviceId: number, eventId: number): string {
    return `${its}.${deviceId}.${eventId}`;
  }

  private replace(
    mapping: Mapping,
    change: Partial<Mapping>,
    by: string,
    record: number,
    timeNs: number,
  ): void {
    const key = this.key(mapping.its, mapping.deviceId, mapping.eventId);
    this.end(key, by, record, timeNs);
    this.open.set(key, { ...mapping, ...change, record, timeNs, madeBy: by });
  }

  private end(key: string, by: string | null, record: number | null, timeNs: number): void {
    const m = this.open.get(key);
    if (m === undefined) return;
    this.open.delete(key);
    const time = (t: number) => (Number.isNaN(t) ? null : t);
    this.out([
      this.trace,
      m.its,
      m.deviceId,
      m.eventId,
      m.intid,
      m.icid,
      m.pe,
      m.record,
      record,
      time(m.timeNs),
      record === null ? null : time(timeNs),
      m.madeBy,
      by,
    ]);
  }

  finish(): void {
    for (const key of [...this.open.keys()]) this.end(key, null, null, Number.NaN);
  }
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
  const specs: readonly OperandSpec[] = ITS_COMMANDS[command.name as CommandName].operands;
  const columns = COMMAND_COLUMNS.map((name) => {
    const index = specs.findIndex((spec) => spec.name === name);
    return index >= 0 && (shown >>> index) & 1 ? command.operands[name]! : null;
  });
  return { op: command.name, columns };
}
