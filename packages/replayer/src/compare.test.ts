import { describe, expect, it } from 'vitest';
import { align } from './compare.ts';

describe('align', () => {
  it('says that all are the same', () => {
    expect(align('x', ['INV', 'SYNC'], ['INV', 'SYNC'])).toMatchObject({ same: 2, first: null });
  });
  it('names the first that differs', () => {
    expect(align('x', ['INV 1', 'SYNC', 'INV 2'], ['INV 1', 'INV 2'])).toEqual({
      of: 'x',
      recorded: 3,
      sent: 2,
      same: 1,
      first: { at: 1, recorded: 'SYNC', sent: 'INV 2' },
    });
  });
  it('names what is there when the other has ended', () => {
    expect(align('x', ['INV'], []).first).toEqual({ at: 0, recorded: 'INV', sent: 'nothing' });
    expect(align('x', [], ['INV']).first).toEqual({ at: 0, recorded: 'nothing', sent: 'INV' });
  });
});
