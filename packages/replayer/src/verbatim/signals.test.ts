// Tests which recorded lines agree with the changes that a backend reported.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIFFERS, MATCH, PARTLY } from './outcome.ts';
import { SignalStream } from './signals.ts';

const line = (...fields: number[]) => Uint32Array.from(fields);
const IDLE = line(1023, 0, 255, 0, 0);
const TIMER = line(27, 2, 0xa0, 0, 1);
const LPI = line(8192, 2, 0xa0, 0, 1);

describe('what a PE is signalled', () => {
  it('begins idle', () => {
    const stream = new SignalStream(1, [...IDLE], 3);
    expect(stream.see(0, IDLE, 0, false)).toBe(MATCH);
    expect(stream.see(0, TIMER, 0, false)).toBe(DIFFERS);
  });

  it('lets a line repeat the last one, before or after a change is seen', () => {
    const stream = new SignalStream(1, [...IDLE], 3);
    stream.show(0, TIMER, 0);
    expect([IDLE, TIMER, TIMER].map((l) => stream.see(0, l, 0, false))).toEqual([MATCH, MATCH, MATCH]);
    expect(stream.see(0, IDLE, 0, false)).toBe(DIFFERS);
  });

  it('does not let a change be skipped or come in another order', () => {
    const stream = new SignalStream(1, [...IDLE], 3);
    stream.show(0, TIMER, 0);
    stream.show(0, LPI, 0);
    expect(stream.see(0, LPI, 0, false)).toBe(DIFFERS);
    expect(stream.see(0, TIMER, 0, false)).toBe(MATCH);
    expect(stream.isWaiting(0)).toBe(true);
    expect(stream.see(0, LPI, 0, false)).toBe(MATCH);
    expect(stream.outstanding).toBe(0);
  });

  it('begins again with a reset, whatever had not been seen', () => {
    const stream = new SignalStream(2, [...IDLE], 3);
    stream.show(0, TIMER, 0);
    stream.show(1, LPI, 0);
    expect(stream.see(0, TIMER, 0, false)).toBe(MATCH);
    stream.reset();
    expect(stream.outstanding).toBe(0);
    expect(stream.see(0, TIMER, 0, false)).toBe(DIFFERS);
    expect([0, 1].map((pe) => stream.see(pe, IDLE, 0, false))).toEqual([MATCH, MATCH]);
    stream.show(1, LPI, 0);
    expect(stream.see(1, LPI, 0, false)).toBe(MATCH);
  });

  it('keeps PEs apart, and a PE that does not exist differs', () => {
    const stream = new SignalStream(2, [...IDLE], 3);
    stream.show(1, TIMER, 0);
    expect(stream.see(0, TIMER, 0, false)).toBe(DIFFERS);
    expect(stream.see(1, TIMER, 0, false)).toBe(MATCH);
    expect(stream.see(2, IDLE, 0, false)).toBe(DIFFERS);
  });

  it('says when only a part could be compared', () => {
    const stream = new SignalStream(1, [...IDLE], 3);
    stream.show(0, TIMER, 0);
    expect(stream.see(0, line(27, 2, 0xa0, 9, 9), 0, true)).toBe(PARTLY);
  });

  it('accepts any stuttering of the shown changes and nothing with one value changed', () => {
    const change = fc.tuple(
      fc.constantFrom(27, 30, 8192, 8200),
      fc.constant(2),
      fc.constantFrom(0x80, 0xa0),
      fc.constant(0),
      fc.boolean(),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(change, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        (changes, pick) => {
          const shown = changes.map(([[intid, group, priority, fiq, irq]]) =>
            line(intid, group, priority, fiq, irq ? 1 : 0),
          );
          const recorded = shown.flatMap((l, k) => Array.from({ length: changes[k]![1] }, () => l));
          const run = (lines: Uint32Array[]) => {
            const stream = new SignalStream(1, [...IDLE], 3);
            for (const l of shown) stream.show(0, l, 0);
            return (
              lines.every((l) => stream.see(0, l, 0, false) === MATCH) &&
              (stream.outstanding === 0 || repeats(shown))
            );
          };
          expect(run(recorded)).toBe(true);
          const at = pick % recorded.length;
          const wrong = recorded.map((l, k) =>
            k === at ? line(l[0]! ^ 0x100, l[1]!, l[2]!, l[3]!, l[4]!) : l,
          );
          expect(run(wrong)).toBe(false);
        },
      ),
    );
  });
});

/** Whether the last changes are equal, so that the recorded lines do not reveal how many there were. */
function repeats(shown: readonly Uint32Array[]): boolean {
  return shown.some((l, k) => k > 0 && l.every((word, i) => word === shown[k - 1]![i]));
}
