// What holds of every declaration of a record kind, and of every observable in `comparable`.
import { expect, test } from 'vitest';
import {
  fieldOffsets,
  fieldWords,
  GICV5_OBSERVABLES,
  orderedStreamOf,
  RECORD_WORDS,
  RECORDS,
  type RecordKind,
  recordName,
  signalOf,
} from './index.ts';

const kinds = Object.entries(RECORDS) as [string, RecordKind][];

test('every kind has an id of its own', () => {
  for (const [name, { id }] of kinds) expect(recordName(id), `${name}: ${id}`).toBe(name);
  expect(new Set(kinds.map(([, { id }]) => id)).size).toBe(kinds.length);
});

test('every kind fits into the words of a record, and its fields have names of their own', () => {
  for (const [name, kind] of kinds) {
    const last = kind.fields.length - 1;
    const words = last < 0 ? 0 : fieldOffsets(kind)[last]! + fieldWords(kind.fields[last]!.type);
    expect(words, name).toBeLessThanOrEqual(RECORD_WORDS);
    expect(new Set(kind.fields.map((field) => field.name)).size, name).toBe(kind.fields.length);
  }
});

test('every observable is a signal or is in one ordered stream, and nothing else is', () => {
  for (const [name, { id, class: of }] of kinds) {
    const streams = [signalOf(id), orderedStreamOf(id)].filter((stream) => stream >= 0).length;
    // A conflict within the source never compares equal to anything. All that a GICv5 shows is one sequence.
    const isApart = name === 'source.conflict' || Object.hasOwn(GICV5_OBSERVABLES, name);
    expect(streams, name).toBe(of === 'observable' && !isApart ? 1 : 0);
  }
});
