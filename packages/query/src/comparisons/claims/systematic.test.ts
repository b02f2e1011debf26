// Claims notice faults that nobody chose: all that rules make of what a design does (systematic.test-support.ts). In an ordinary
// run a part of them, in a thorough one all (minutes).
import { describe, expect, it } from 'vitest';
import { faultsOf, LINUX_DESIGNS, noticedBy } from './systematic.test-support.ts';

const isThorough = process.env.GICTRACE_THOROUGH === '1';
/** In an ordinary run: one design, and every twelfth fault of it. */
const DESIGNS = isThorough ? LINUX_DESIGNS : ['mbi'];
const EACH = isThorough ? 1 : 12;

/** Faults that change nothing that anyone could notice, and why. */
const HARMLESS: Readonly<Record<string, string>> = {
  'mbi: pe.online does nothing': 'it does nothing',
};

describe('a fault by rule changes the verdict of a claim', () => {
  it.each(DESIGNS)('%s', (design) => {
    const faults = faultsOf(design);
    expect(faults.length).toBeGreaterThan(20);
    const unnoticed = faults.filter((fault, n) => n % EACH === 0 && noticedBy(fault) === undefined);
    expect(unnoticed.map(({ name }) => name).filter((name) => !Object.hasOwn(HARMLESS, name))).toEqual([]);
  });
});
