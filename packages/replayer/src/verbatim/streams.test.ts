// Tests which recorded observables agree with those that a backend reported, if order matters.
import { RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIFFERS, MATCH } from './outcome.ts';
import { OrderedStream } from './streams.ts';

describe('streams in order', () => {
  const batch = new RecordBatch(4);
  const record = (kind: number, pe: number, ...words: number[]) => {
    batch.clear();
    const i = batch.push(kind, pe, Number.NaN);
    words.forEach((word, k) => {
      batch.words[i * 12 + k] = word;
    });
    return i;
  };
  const CTE = RECORDS['cte.read'].id;
  const SGI = RECORDS['sgi.sent'].id;

  it('compares kind and every word, each once', () => {
    const stream = new OrderedStream(8);
    stream.show(batch, record(CTE, -1, 0, 3, 1, 2));
    expect(stream.see(batch, record(CTE, -1, 0, 3, 1, 2), undefined)).toBe(MATCH);
    expect(stream.see(batch, record(CTE, -1, 0, 3, 1, 2), undefined)).toBe(DIFFERS);
    stream.show(batch, record(CTE, -1, 0, 3, 1, 2));
    expect(stream.see(batch, record(CTE, -1, 0, 3, 1, 1), undefined)).toBe(DIFFERS);
  });

  it('compares the PE of an SGI', () => {
    const stream = new OrderedStream(8);
    stream.show(batch, record(SGI, 1, 5));
    expect(stream.see(batch, record(SGI, 2, 5), undefined)).toBe(DIFFERS);
  });

  it('leaves masked bits out', () => {
    const stream = new OrderedStream(8);
    stream.show(batch, record(CTE, -1, 0, 3, 1, 2));
    const mask = new Uint32Array(12).fill(0xffff_ffff);
    mask[3] = 0;
    expect(stream.see(batch, record(CTE, -1, 0, 3, 1, 7), mask)).toBe(MATCH);
  });
});

const CAPACITY = 200;

it('is a queue of which the oldest are lost, whatever its size was before', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -150, max: 150 }), { maxLength: 12 }), (steps) => {
      const stream = new OrderedStream(CAPACITY);
      const queue: number[] = [];
      const batch = new RecordBatch(1);
      batch.push(RECORDS['sgi.sent'].id, 0, Number.NaN);
      let next = 0;
      for (const step of steps) {
        for (let n = 0; n < step; n++) {
          batch.words[RECORD_WORDS - 1] = next;
          queue.push(next++);
          stream.show(batch, 0);
          if (queue.length > CAPACITY) queue.shift();
        }
        for (let n = 0; n > step && queue.length > 0; n--) {
          const out = new RecordBatch(2);
          expect(stream.copyNext(out, false)).toBe(true);
          expect(out.words[RECORD_WORDS - 1]).toBe(queue[0]);
          batch.words[RECORD_WORDS - 1] = queue.shift()!;
          stream.see(batch, 0, undefined);
          expect(stream.copyNext(out, true)).toBe(true);
          expect(out.words[2 * RECORD_WORDS - 1]).toBe(batch.words[RECORD_WORDS - 1]);
        }
        expect(stream.waiting).toBe(queue.length);
      }
    }),
  );
});
