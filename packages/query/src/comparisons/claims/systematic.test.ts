// Claims notice faults that nobody chose: all that rules make of what a design does (systematic.test-support.ts). In an ordinary
// run a part of them, in a thorough one all (minutes).
import { describe, expect, it } from 'vitest';
import { faultsOf, LINUX_DESIGNS, noticedBy } from './systematic.test-support.ts';

const isThorough = process.env.GICTRACE_THOROUGH === '1';
/** In an ordinary run: one design, and every twelfth fault of it. */
const DESIGNS = isThorough ? LINUX_DESIGNS : ['mbi'];
const EACH = isThorough ? 1 : 12;

const IDLE = 'Linux does nothing for it either';
const NOT_AGAIN =
  'it only forgets what it has: no scenario of a claim frees vectors and allocates them again';
/** Faults by rule that no claim notices, and why. */
const UNNOTICED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['mbi', 'gicv2m', 'hyperv-spi'].map((design) => [`${design}: pe.online does nothing`, IDLE]),
  ),
  ...Object.fromEntries(
    ['mbi', 'gicv2m', 'hyperv-spi', 'direct-lpi'].flatMap((design) =>
      ['deactivate', 'free'].map((op) => [`${design}: ${op} does nothing`, NOT_AGAIN]),
    ),
  ),
  ...Object.fromEntries(
    ['doorbell.clear', 'doorbell.set', 'doorbell.mask', 'doorbell.unmask'].map((op) => [
      `vpe-v41: ${op} does nothing`,
      IDLE,
    ]),
  ),
  'vpe-proxy: DISCARD after the next command':
    'no scenario whose commands are compared evicts an event; costs and doorbells are the same',
  'vpe-v41: doorbell.set refused': 'Linux refuses it, too',
  'vpe-v41: VMOVP: another Default_Doorbell_pINTID': 'no vPE blocks after it has moved',
  'vpe-v41: GICR_VPROPBASER written twice': 'how vPE tables are set up is no part of a claim',
  ...Object.fromEntries(
    ['vpe-proxy', 'vpe-direct', 'vpe-v41'].flatMap((design) =>
      ['does nothing', 'refused'].map((what) => [
        `${design}: vm.alloc ${what}`,
        'vm-error-path is about what it leaves behind when it fails',
      ]),
    ),
  ),
};

describe('a fault by rule changes the verdict of a claim', () => {
  it.each(DESIGNS)('%s', (design) => {
    const faults = faultsOf(design);
    expect(faults.length).toBeGreaterThan(20);
    const unnoticed = faults.filter((fault, n) => n % EACH === 0 && noticedBy(fault) === undefined);
    expect(unnoticed.map(({ name }) => name).filter((name) => !Object.hasOwn(UNNOTICED, name))).toEqual([]);
  });
});
