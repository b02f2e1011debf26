// Handles values that no record field can hold. A source that prints one contradicts the architecture. The record gets
// the largest value that the field can hold, and a conflict record after it has the value that the source printed.
import {
  CONFLICTS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordKind,
  wordLimits,
} from '@gictrace/core/record';
import { CONFLICT } from './record-kinds.ts';

const limits: (readonly number[] | undefined)[] = new Array(256).fill(undefined);
for (const kind of Object.values(RECORDS) as RecordKind[]) limits[kind.id] = wordLimits(kind);

/** Index of the first word of a record that is out of its range, or -1. */
function outOfRange(batch: RecordBatch, i: number): number {
  const allowed = limits[batch.kind[i]!]!;
  const at = i * RECORD_WORDS;
  for (let k = 0; k < allowed.length; k++) if (batch.words[at + k]! > allowed[k]!) return k;
  return -1;
}

/**
 * Returns the batch itself if all its values are in range; otherwise a copy whose values are, with conflict records
 * added.
 */
export function withinRange(batch: RecordBatch): RecordBatch {
  let bad = 0;
  for (let i = 0; i < batch.count; i++) if (outOfRange(batch, i) >= 0) bad++;
  if (bad === 0) return batch;
  const out = new RecordBatch(batch.count + bad);
  for (let i = 0; i < batch.count; i++) {
    const to = out.copy(batch, i);
    let told = -1;
    for (let k = outOfRange(out, to); k >= 0; k = outOfRange(out, to)) {
      const at = to * RECORD_WORDS + k;
      told = out.words[at]!;
      out.words[at] = limits[out.kind[to]!]![k]!;
    }
    if (told < 0) continue;
    const c = out.push(CONFLICT, -1, batch.timeNs[i]!);
    out.line[c] = batch.line[i]!;
    out.words.set([CONFLICTS.indexOf('value'), told, 0, 0, 0, batch.line[i]!], c * RECORD_WORDS);
  }
  return out;
}

const one = new RecordBatch(1);

/** Passes on record `i` of a batch: as it is if its values are in range, otherwise as `withinRange` makes it. */
export function putWithinRange(
  batch: RecordBatch,
  i: number,
  put: (batch: RecordBatch, i: number) => void,
): void {
  if (outOfRange(batch, i) < 0) {
    put(batch, i);
    return;
  }
  one.clear();
  one.copy(batch, i);
  const ranged = withinRange(one);
  for (let k = 0; k < ranged.count; k++) put(ranged, k);
}
