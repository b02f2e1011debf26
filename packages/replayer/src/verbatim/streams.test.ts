// Tests which recorded observables agree with those that a backend reported, if order matters.
import { RECORDS, RecordBatch } from '@gictrace/core/record';
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
