// Writes records and headers as JSON lines (docs/import.md), which `gictrace dump --json` prints and `gictrace import
// jsonl` reads. Derived from core's declarations.
import { valueText } from '@gictrace/core/disasm';
import {
  fieldOffsets,
  RECORD_WORDS,
  type RecordBatch,
  type RecordField,
  recordKind,
  recordName,
} from '@gictrace/core/record';
import { sysregName } from '@gictrace/core/spec';
import { type AnyTraceHeader, sourceShows, sourceTellsReserved } from '../../trace/index.ts';

/** Marks the header line, and is its version. */
export const JSONL_VERSION = 1;

function fieldJson(field: RecordField, words: Uint32Array, at: number): unknown {
  switch (field.type) {
    case 'u8':
    case 'u16':
    case 'u32':
      return words[at]!;
    case 'i32':
      return words[at]! | 0;
    case 'bool':
      return words[at] !== 0;
    case 'sysreg':
      // A register that has no name and that an assembler cannot write either.
      return words[at]! > 0xffff && sysregName(words[at]!) === undefined
        ? words[at]!
        : valueText(field, words, at);
    default:
      return valueText(field, words, at);
  }
}

/** Record `i` of a batch as one line of JSON; `record` is its number. */
export function recordJson(batch: RecordBatch, i: number, record: number): string {
  const kind = recordKind(batch.kind[i]!);
  const offsets = fieldOffsets(kind);
  const fields = Object.fromEntries(
    kind.fields.map((field, k) => [
      field.name,
      fieldJson(field, batch.words, i * RECORD_WORDS + offsets[k]!),
    ]),
  );
  const time = batch.timeNs[i]!;
  return JSON.stringify({
    record,
    kind: recordName(batch.kind[i]!),
    time_ns: Number.isNaN(time) ? null : time,
    pe: batch.pe[i]! < 0 ? null : batch.pe[i],
    line: batch.line[i] === 0 ? null : batch.line[i],
    flags: batch.flags[i],
    rule: batch.rule[i],
    ...(batch.cause[i] === 0 ? {} : { caused_by: batch.cause[i]! - 1 }),
    ...fields,
  });
}

/** The header line before the records. `learnt`: the records include state that was learnt later from the source. */
export function headerJson(header: AnyTraceHeader, learnt = false): string {
  const { config, clock, source } = header;
  const shows = sourceShows(header);
  return JSON.stringify({
    gictrace: JSONL_VERSION,
    config,
    clock,
    source: source.name,
    ...(shows === undefined ? {} : { shows }),
    ...(sourceTellsReserved(header) ? {} : { reserved: false }),
    ...(learnt ? { learnt: true } : {}),
  });
}
