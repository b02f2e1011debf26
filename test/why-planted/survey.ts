// What a recording contains that a fault can be planted into: which interrupts its PEs acknowledged and where, the messages of
// its devices, and the commands of its ITSs.
import { actOf, isStimulus, KIND, RECORD_WORDS, takenOrEnded } from '@gictrace/core/record';
import { decodeCommand, FRAMES, fieldReader, GICR, LPI_FIRST } from '@gictrace/core/spec';
import type { Recording } from '../planting.ts';

export interface Taken {
  readonly intid: number;
  readonly pe: number;
  /** The places of its acknowledges. */
  readonly acknowledges: number[];
}
export interface Queued {
  readonly place: number;
  readonly name: string;
  readonly operands: Readonly<Record<string, number>>;
}
export interface Sent {
  readonly its: number;
  readonly device: number;
  readonly event: number;
  readonly places: number[];
}

export interface Survey {
  readonly taken: readonly Taken[];
  /** The same of virtual interrupts that guests acknowledged. */
  readonly virtual: readonly Taken[];
  readonly commands: readonly Queued[];
  readonly messages: readonly Sent[];
  /** The address of the LPI configuration table; -1 if there is none. */
  readonly configTable: number;
  /** Places of writes: key `frame offset instance`. */
  readonly writes: ReadonlyMap<string, readonly number[]>;
  readonly sysregs: ReadonlyMap<string, readonly number[]>;
}

const FRAME_GICR = FRAMES.indexOf('GICR');
const tableAddress = fieldReader(GICR.GICR_PROPBASER, 'Physical_Address');

export function surveyOf(t: Recording): Survey {
  const taken = new Map<string, Taken>();
  const virtual = new Map<string, Taken>();
  const messages = new Map<string, Sent>();
  const commands: Queued[] = [];
  const writes = new Map<string, number[]>();
  const sysregs = new Map<string, number[]>();
  let configTable = -1;
  const note = (map: Map<string, number[]>, key: string, place: number) => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [place]);
    else list.push(place);
  };
  t.rows.forEach((row, place) => {
    if (!isStimulus(row.kind)) return;
    if (row.kind === KIND['queue.write']) {
      const command = decodeCommand(row.batch.words, row.i * RECORD_WORDS + 3);
      if (command !== undefined) commands.push({ place, name: command.name, operands: command.operands });
    } else if (row.kind === KIND['msi.write']) {
      const [its, device, event] = [row.word(0), row.word(1), row.word(2)];
      const key = `${its} ${device} ${event}`;
      const sent = messages.get(key) ?? { its, device, event, places: [] };
      messages.set(key, sent);
      sent.places.push(place);
    } else if (row.kind === KIND['mmio.write']) {
      note(writes, `${FRAMES[row.word(0)]} ${row.word(2)} ${row.word(1)}`, place);
      if (row.word(0) === FRAME_GICR && row.word(2) === GICR.GICR_PROPBASER.offset)
        configTable = tableAddress(row.word(4), row.word(5));
    } else if (row.kind === KIND['sysreg.write']) note(sysregs, `${row.word(0)} ${row.pe}`, place);
    const act = actOf(row.batch, row.i);
    if (act?.does !== 'acknowledge') return;
    const intid = act.isVirtual ? row.word(1) & 0xff_ffff : takenOrEnded(row.batch, row.i);
    if (intid < 0 || (intid >= 1020 && intid < LPI_FIRST)) return;
    const key = `${intid} ${row.pe}`;
    const map = act.isVirtual ? virtual : taken;
    const one = map.get(key) ?? { intid, pe: row.pe, acknowledges: [] };
    map.set(key, one);
    one.acknowledges.push(place);
  });
  return {
    taken: [...taken.values()],
    virtual: [...virtual.values()],
    commands,
    messages: [...messages.values()],
    configTable,
    writes,
    sysregs,
  };
}
