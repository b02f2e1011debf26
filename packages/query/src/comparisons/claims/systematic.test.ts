// Claims notice faults that nobody chose: all that rules make of what a design does (systematic.test-support.ts). In an ordinary
// run a part of them, in a thorough one all (minutes).
import { describe, expect, it } from 'vitest';
import {
  type Fault,
  faultsOf,
  HARDWARE_FAULTS,
  LINUX_DESIGNS,
  noticedBy,
} from './systematic.test-support.ts';

const isThorough = process.env.GICTRACE_THOROUGH === '1';
/** In an ordinary run: one design, and every twelfth fault of it. */
const DESIGNS = isThorough ? LINUX_DESIGNS : ['mbi'];
const EACH = isThorough ? 1 : 12;

const IDLE = 'Linux does nothing for it either';
/** Faults by rule that no claim notices, and why. */
const UNNOTICED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['mbi', 'gicv2m', 'hyperv-spi'].map((design) => [`${design}: pe.online does nothing`, IDLE]),
  ),
  'direct-lpi: deactivate does nothing': 'it only forgets to which PE the message went',
  ...Object.fromEntries(
    ['doorbell.clear', 'doorbell.set', 'doorbell.mask', 'doorbell.unmask'].map((op) => [
      `vpe-v41: ${op} does nothing`,
      IDLE,
    ]),
  ),
  'vpe-v41: doorbell.set refused': 'Linux refuses it, too',
  'vpe-v41: GICR_VPROPBASER written twice': 'how vPE tables are set up is no part of a claim',
  ...Object.fromEntries(
    ['vpe-proxy', 'vpe-direct', 'vpe-v41'].flatMap((design) => [
      ...['does nothing', 'refused'].map((what) => [
        `${design}: vm.alloc ${what}`,
        'vm-error-path is about what it leaves behind when it fails, and a vPE that is mapped is allocated then',
      ]),
    ]),
  ),
};

const ENDED_AT_ONCE = 'PEs end an interrupt as soon as they have acknowledged it';
const NO_PPI = 'devices raise SPIs and LPIs';
const NO_SECURITY = 'the machines of claims have one Security state';
const ONE_PRIORITY = 'all interrupts of a scenario have one priority';
/** Faults of hardware that no claim notices, and why. */
const UNNOTICED_HARDWARE: Readonly<Record<string, string>> = {
  'priority-four-bits': 'the priorities that Linux gives have at most three bits',
  'preemption-forgotten': `${ONE_PRIORITY}, so none preempts another`,
  'sgi-lost-while-active': 'no scenario sends an SGI',
  'eoimode-ignored': `PEs leave ICC_CTLR_EL1.EOImode 0, and ${ENDED_AT_ONCE}`,
  'mapti-intid-unchecked': 'no driver maps an event to an INTID that is not an LPI',
  'GICv5: cdhm-ignored': 'edge-triggered SPIs have their handling mode from the reset on',
  'GICv5: cddi-ignores-ppis': NO_PPI,
  'GICv5: ppi-stays-pending': NO_PPI,
  ...Object.fromEntries(
    ['spi-not-active', 'lpi-not-active', 'priority-not-active'].map((name) => [
      `GICv5: ${name}`,
      ENDED_AT_ONCE,
    ]),
  ),
  ...Object.fromEntries(
    ['priority-unshifted', 'pmr-unshifted', 'grpmod-ignored', 'el3-takes-irqs'].map((name) => [
      name,
      NO_SECURITY,
    ]),
  ),
};

/** The faults of a part that are noticed by no claim, which must be those of a list, and these alone. */
function expectUnnoticed(faults: readonly Fault[], list: Readonly<Record<string, string>>): void {
  const part = faults.filter((_, n) => n % EACH === 0);
  expect(part.filter((fault) => noticedBy(fault) === undefined).map(({ name }) => name)).toEqual(
    part.map(({ name }) => name).filter((name) => Object.hasOwn(list, name)),
  );
}

describe('a fault by rule changes the verdict of a claim', () => {
  it.each(DESIGNS)('%s', (design) => {
    const faults = faultsOf(design);
    expect(faults.length).toBeGreaterThan(20);
    expectUnnoticed(faults, UNNOTICED);
    const names = new Set(faults.map(({ name }) => name));
    const own = Object.keys(UNNOTICED).filter((name) => name.startsWith(`${design}: `));
    expect(own.filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('a fault of hardware changes the verdict of a claim', () => {
  it('or is in the list of those that none notices', () => {
    expectUnnoticed(HARDWARE_FAULTS, UNNOTICED_HARDWARE);
    const names = new Set(HARDWARE_FAULTS.map(({ name }) => name));
    expect(Object.keys(UNNOTICED_HARDWARE).filter((name) => !names.has(name))).toEqual([]);
  });
});
