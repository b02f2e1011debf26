// What a source does not show of a record, and whether two records agree in what both show.
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { commandName, ITS_COMMANDS, type OperandSpec } from '@gictrace/core/spec';

/** What each PE is told before anything happens, and how many words a source shows without the interrupt lines. */
export const TOLD = [
  { kind: RECORDS.hppi.id, idle: [1023, 0, 255, 0, 0], shown: 3 },
  { kind: RECORDS.vhppi.id, idle: [0xffff_ffff, 1023, 0, 255, 0, 0], shown: 4 },
  { kind: RECORDS.maintenance.id, idle: [0], shown: 1 },
] as const;

/** Clears the operands that a source did not show of the command at `words[at]`; `shown` as in `its.command`. */
export function maskCommand(words: Uint32Array, at: number, shown: number): void {
  const name = commandName(words[at]!);
  if (name === undefined) return;
  (ITS_COMMANDS[name].operands as readonly OperandSpec[]).forEach((operand, k) => {
    if ((shown >>> k) & 1) return;
    for (let bit = operand.lsb; bit < operand.lsb + operand.width; bit++)
      words[at + 2 * operand.dw + (bit >> 5)]! &= ~(1 << (bit & 31));
  });
}

const NOT_COMPARED = RECORD_FLAGS.confirmed | RECORD_FLAGS.valueUnknown;
const one = new Uint32Array(RECORD_WORDS);
const other = new Uint32Array(RECORD_WORDS);

/** Whether two records of which a source shows less than the other say the same in what both show. */
export function agree(x: RecordBatch, i: number, y: RecordBatch, j: number): boolean {
  const kind = x.kind[i]!;
  if (kind !== y.kind[j] || x.pe[i] !== y.pe[j]) return false;
  if ((x.flags[i]! | NOT_COMPARED) !== (y.flags[j]! | NOT_COMPARED)) return false;
  for (let k = 0; k < RECORD_WORDS; k++) {
    one[k] = x.words[i * RECORD_WORDS + k]!;
    other[k] = y.words[j * RECORD_WORDS + k]!;
  }
  const unknown = ((x.flags[i]! | y.flags[j]!) & RECORD_FLAGS.valueUnknown) !== 0;
  const hide = (from: number, to: number) => {
    for (let k = from; k < to; k++) one[k] = other[k] = 0;
  };
  if (kind === RECORDS['its.command'].id) {
    const shown = one[3]! & other[3]!;
    maskCommand(one, 4, shown);
    maskCommand(other, 4, shown);
    hide(1, 2);
    if (unknown) hide(2, 3);
    hide(3, 4);
  } else if (unknown) {
    const told = TOLD.find((tell) => tell.kind === kind);
    if (told !== undefined) hide(told.shown, told.idle.length);
    else if (kind <= RECORDS['mmio.write'].id) hide(4, 6);
    else if (kind <= RECORDS['sysreg.write'].id) hide(1, 3);
    else return false;
  }
  return one.every((word, k) => word === other[k]);
}
