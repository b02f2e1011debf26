import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Aligner, type Sequences } from './alignment.ts';

/** Takes two sequences, in an order of turns. */
function align(
  recorded: readonly string[],
  sent: readonly string[],
  turns: readonly boolean[] = [],
): Sequences {
  const aligner = new Aligner();
  const left = { recorded: [...recorded], sent: [...sent] };
  for (let n = 0; left.recorded.length + left.sent.length > 0; n++) {
    const wanted = turns[n] === true ? 'sent' : 'recorded';
    const side = left[wanted].length > 0 ? wanted : wanted === 'sent' ? 'recorded' : 'sent';
    aligner.take(side, left[side].shift()!);
  }
  return aligner.finish();
}

describe('alignment', () => {
  it('says that all are the same', () => {
    expect(align(['INV', 'SYNC'], ['INV', 'SYNC'])).toEqual({
      recorded: 2,
      sent: 2,
      same: 2,
      first: null,
    });
  });
  it('names the first that differs', () => {
    expect(align(['INV 1', 'SYNC', 'INV 2'], ['INV 1', 'INV 2'])).toEqual({
      recorded: 3,
      sent: 2,
      same: 1,
      first: { at: 1, recorded: 'SYNC', sent: 'INV 2' },
    });
  });
  it('names what is there when the other has ended', () => {
    expect(align(['INV'], []).first).toEqual({ at: 0, recorded: 'INV', sent: 'nothing' });
    expect(align([], ['INV']).first).toEqual({ at: 0, recorded: 'nothing', sent: 'INV' });
  });
  it('does not depend on which side is ahead', () => {
    const commands = fc.array(fc.constantFrom('INV', 'SYNC', 'CLEAR'), { maxLength: 12 });
    fc.assert(
      fc.property(commands, commands, fc.array(fc.boolean(), { maxLength: 24 }), (one, other, turns) => {
        const told = align(one, other, turns);
        expect(told).toEqual(align(one, other));
        let same = 0;
        while (same < Math.max(one.length, other.length) && one[same] === other[same]) same++;
        expect(told.same).toBe(same);
      }),
    );
  });
});
