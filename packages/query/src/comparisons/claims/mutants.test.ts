// Claims notice faults: each fault, in a driver or in hardware, changes the verdict of a claim.
import { describe, expect, it } from 'vitest';
import { CLAIMS, CODE_CLAIMS, decide } from './index.ts';
import { MUTANTS } from './mutants.test-support.ts';

/** By fault: a claim whose verdict it changes. Others may change, too. */
const NOTICED: readonly (readonly [fault: string, claim: string])[] = [
  ['driver: MAPTI of the next event', 'set-irqchip-state'],
  ['driver: MOVI to PE 0', 'message-after-a-move'],
  ['driver: direct-lpi does not wait for SYNCR', 'waits-for-the-hardware'],
  ['driver: direct-lpi gives the device the next LPI', 'isolation'],
  ['driver: direct-lpi invalidates on another PE', 'mbi-instead'],
  ['driver: direct-lpi writes no GICR_CLRLPIR', 'set-irqchip-state'],
  ['driver: direct-lpi writes no GICR_INVLPIR', 'mbi-instead'],
  ['driver: direct-lpi writes no GICR_SETLPIR', 'set-irqchip-state'],
  ['driver: direct-lpi-lossy writes no GICR_CLRLPIR', 'set-irqchip-state'],
  ['driver: direct-lpi-rfc gives the device the LPI', 'target-a-redistributor'],
  ['driver: gicv2m writes no GICD_IROUTER', 'multi-msi'],
  ['driver: hyperv-spi does not wait for RWP', 'waits-for-the-hardware'],
  ['driver: hyperv-spi gives the device the next SPI', 'target-a-redistributor'],
  ['driver: its sends CLEAR for INT', 'set-irqchip-state'],
  ['driver: its sends INT for CLEAR', 'set-irqchip-state'],
  ['driver: its sends no CLEAR', 'set-irqchip-state'],
  ['driver: its sends no DISCARD', 'same-software-as-an-its'],
  ['driver: its sends no INT', 'set-irqchip-state'],
  ['driver: its sends no INV', 'same-software-as-an-its'],
  ['driver: its sends no INVALL', 'same-software-as-an-its'],
  ['driver: its sends no MAPC', 'set-irqchip-state'],
  ['driver: its sends no MAPD', 'set-irqchip-state'],
  ['driver: its sends no MAPTI', 'set-irqchip-state'],
  ['driver: its sends no MOVI', 'message-after-a-move'],
  ['driver: its sends no SYNC', 'same-software-as-an-its'],
  ['driver: mbi does not wait for RWP', 'waits-for-the-hardware'],
  ['driver: mbi writes no GICD_ICENABLER', 'event-to-cpu'],
  ['driver: mbi writes no GICD_ICFGR', 'spurious-on-a-move'],
  ['driver: mbi writes no GICD_ICPENDR', 'set-irqchip-state'],
  ['driver: mbi writes no GICD_IROUTER', 'multi-msi'],
  ['driver: mbi writes no GICD_ISENABLER', 'mbi-instead'],
  ['driver: mbi writes no GICD_ISPENDR', 'set-irqchip-state'],
  ['driver: vpe-direct writes no GICR_CLRLPIR', 'proxy-sends-as-linux'],
  ['driver: vpe-direct writes no GICR_INVLPIR', 'proxy-sends-as-linux'],
  ['driver: vpe-proxy sends no CLEAR', 'proxy-sends-as-linux'],
  ['driver: vpe-proxy sends no DISCARD', 'roll-over-loses-doorbells'],
  ['driver: vpe-proxy sends no INV', 'two-commands'],
  ['driver: vpe-proxy sends no MAPTI', 'roll-over-loses-doorbells'],
  ['driver: vpe-proxy sends no MOVI', 'proxy-sends-as-linux'],
  ['driver: vpe-proxy sends no SYNC', 'two-commands'],
  ['driver: vpe-proxy sends no VMAPP', 'roll-over-loses-doorbells'],
  ['driver: vpe-proxy sends no VMAPTI', 'roll-over-loses-doorbells'],
  ['driver: vpe-proxy sends no VMOVP', 'proxy-sends-as-linux'],
  ['driver: vpe-proxy sends no VSYNC', 'proxy-sends-as-linux'],
  ['driver: vpe-v41 sends no VMAPP', 'guests-take-their-vlpis'],
  ['driver: vpe-v41 sends no VMAPTI', 'guests-take-their-vlpis'],
  ['driver: direct-lpi-rfc-intid writes no GICR_PROPBASER', 'remap-without-isolation'],
  ['driver: direct-lpi does nothing for alloc', 'message-of-each-redistributor'],
  ['driver: direct-lpi-rfc does nothing for alloc', 'per-device-allocation'],
  ['driver: its does nothing for alloc', 'column-map'],
  ['driver: its does nothing for set_affinity', 'another-redistributor'],
  ['driver: virtual-its frees nothing', 'collections-leak'],
  ['driver: its refuses pe.online', 'one-virtual-its'],
  ['driver: vpe-naive sends no SYNC', 'six-commands'],
  ['driver: vpe-proxy does nothing for alloc', 'devid-clash'],
  ['driver: vpe-proxy does nothing for vpe.map', 'clear-on-entry'],
  ['driver: vpe-proxy-rfc does nothing for vm.alloc', 'vm-error-path'],
  ['driver: its does nothing for unmask', 'mask-in-the-device'],
  ['driver: platform-msi does nothing for alloc', 'vectors-of-a-device'],
  ['driver: mbi does nothing for alloc', 'spi-space'],
  ['driver: direct-lpi does nothing for free', 'freed-lpis-are-free'],
  ['driver: mbi does nothing for free', 'freed-spis-are-free'],
  ['driver: hyperv-spi does nothing for activate', 'round-robin'],
  ['driver: hyperv-spi-unsigned does nothing for alloc', 'unsigned-index'],
  ['driver: hyperv-spi writes no GICD_ICFGR', 'edge-configuration'],
  ['hardware: clear-ignored', 'set-irqchip-state'],
  ['hardware: discard-keeps-pending', 'roll-over-loses-doorbells'],
  ['hardware: discard-keeps-mapping', 'stale-message'],
  ['hardware: lpi-priority-ignored', 'life-of-a-device'],
  ['hardware: pmr-unarbitrated', 'life-of-a-device'],
  ['hardware: doorbell-silent', 'guests-take-their-vlpis'],
  ['hardware: edge-not-latched', 'one-message-one-run'],
  ['hardware: eoi-keeps-priority', 'edge-configuration'],
  ['hardware: icenabler-ignored', 'event-to-cpu'],
  ['hardware: int-ignored', 'set-irqchip-state'],
  ['hardware: irouter-aff0', 'multi-msi'],
  ['hardware: lpi-stays-pending', 'set-irqchip-state'],
  ['hardware: inv-ignored', 'live-migration'],
  ['hardware: invlpir-ignored', 'mbi-instead'],
  ['hardware: move-loses-pending', 'pending-on-a-move'],
  ['hardware: movi-keeps-collection', 'message-after-a-move'],
  ['hardware: residency-forgets-pending', 'guests-take-their-vlpis'],
  ['hardware: setlpir-ignored', 'target-a-redistributor'],
  ['hardware: setspi-ignored', 'one-message-one-run'],
  ['hardware: vmapti-doorbell-lost', 'guests-take-their-vlpis'],
  ['hardware: vmovp-keeps-pe', 'guests-take-their-vlpis'],
];

/** More faults for claims that none of the above is about. */
const ALSO: readonly (readonly [fault: string, claim: string])[] = [
  ['driver: its does nothing for alloc', 'hypercall-against-its'],
  ['driver: its does nothing for alloc', 'live-migration'],
  ['driver: its sends no MAPC', 'target-a-redistributor'],
  ['driver: its sends no MAPC', 'two-blocks'],
  ['driver: its sends no MAPC', 'commands-never-sent'],
  ['driver: its sends no MAPC', 'one-message-one-run'],
  ['driver: its sends no MOVI', 'pending-on-a-move'],
  ['driver: hyperv-spi does nothing for activate', 'first-zero-bit'],
  ['driver: mbi writes no GICD_ICENABLER', 'architectural-methods'],
  ['driver: direct-lpi writes no GICR_INVLPIR', 'targets-its-redistributor'],
  ['driver: vpe-proxy sends no INV', 'six-beyond-the-slots'],
  ['driver: its sends no DISCARD', 'stale-message'],
  ['driver: its sends no MOVI', 'life-of-a-device'],
  ['hardware: setlpir-ignored', 'remap-without-isolation'],
  ['hardware: setlpir-ignored', 'isolation'],
  ['hardware: setlpir-ignored', 'multi-msi'],
  ['hardware: setlpir-ignored', 'spurious-on-a-move'],
  ['hardware: setlpir-ignored', 'two-blocks'],
  ['hardware: clear-ignored', 'commands-never-sent'],
  ['hardware: setspi-ignored', 'first-zero-bit'],
];

/** What these claims count is what drivers do, or grant: no fault of hardware can change it. */
const OF_DRIVERS_ALONE: readonly string[] = [
  'waits-for-the-hardware',
  'message-of-each-redistributor',
  'hypercall-against-its',
  'same-software-as-an-its',
  'targets-its-redistributor',
  'architectural-methods',
  'another-redistributor',
  'proxy-sends-as-linux',
  'six-commands',
  'two-commands',
  'six-beyond-the-slots',
  'clear-on-entry',
  'mask-in-the-device',
  'freed-lpis-are-free',
  'freed-spis-are-free',
];
/** Claims that do not hold. */
const REFUTED = ['ripple', 'mapped-until-roll-over'];

describe('both sides', () => {
  it.each(ALSO)('%s: %s', (fault, name) => {
    const claim = CLAIMS.find((one) => one.name === name)!;
    expect(decide(claim, MUTANTS[fault]!).holds).toBe(!decide(claim).holds);
  });

  it('each claim that holds flips with a fault of a driver, and with one of hardware where there is one', () => {
    const flips = (side: string) =>
      new Set([...NOTICED, ...ALSO].filter(([fault]) => fault.startsWith(side)).map(([, claim]) => claim));
    const names = CLAIMS.map(({ name }) => name).filter((name) => !REFUTED.includes(name));
    expect(names.filter((name) => !flips('driver').has(name))).toEqual([]);
    const isOfHardware = (name: string) =>
      !OF_DRIVERS_ALONE.includes(name) && !Object.hasOwn(CODE_CLAIMS, name);
    expect(names.filter((name) => isOfHardware(name) && !flips('hardware').has(name))).toEqual([]);
  });
});

describe('a fault changes the verdict of a claim', () => {
  it.each(NOTICED)('%s: %s', (fault, name) => {
    const claim = CLAIMS.find((one) => one.name === name)!;
    expect(decide(claim, MUTANTS[fault]!).holds).toBe(!decide(claim).holds);
  });

  it('of every fault that is there', () => {
    expect(NOTICED.map(([fault]) => fault).sort()).toEqual(Object.keys(MUTANTS).sort());
  });
});
