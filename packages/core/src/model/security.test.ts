// Two Security states: what Secure and Non-secure software see of the same interrupts (IHI 0069, "GIC support for
// two Security states").
import { describe, expect, it } from 'vitest';
import { GICD, SYSREGS } from '../spec/index.ts';
import { peekSysreg } from './cpu-interface.ts';
import { Driver, featured, TYPER, testConfig } from './driver.test-support.ts';

const SPURIOUS = 1023;

/** Firmware has enabled all groups, at the Distributor and at each interface, and left the PEs Non-secure. */
function secured(pes = 2, profile = 'architecture'): Driver {
  const d = featured(profile, { pes, set: TYPER.SecurityExtn });
  d.asSecure(() => {
    d.gicd('GICD_CTLR', 7);
    for (let pe = 0; pe < pes; pe++) {
      d.gicr(pe, 'GICR_WAKER', 0);
      for (let n = 0; n < 16; n++) d.gicr(pe, 'GICR_IPRIORITYR', 0x40, n);
      d.gicr(pe, 'GICR_ISENABLER', 0xffff);
      d.write(pe, 'ICC_PMR_EL1', 0xf8);
      d.write(pe, 'ICC_IGRPEN0_EL1', 1);
      d.write(pe, 'ICC_IGRPEN1_EL1', 1);
    }
  });
  for (let pe = 0; pe < pes; pe++) d.write(pe, 'ICC_IGRPEN1_EL1', 1);
  return d;
}

/** An SPI of one group, pending. */
function pend(d: Driver, intid: number, group: '0' | '1S' | '1NS', priority: number): void {
  d.asSecure(() => {
    d.spi(intid, { group: group === '1NS' ? 1 : 0, priority });
    if (group === '1S')
      d.gicd('GICD_IGRPMODR', d.gicd('GICD_IGRPMODR', undefined, 1) | (1 << (intid - 32)), 1);
  });
  d.wire(intid, true);
}
const lines = (d: Driver, pe = 0) => [d.machine.state.fiq[pe], d.machine.state.irq[pe]];

describe('Distributor, two Security states', () => {
  it('shows GICD_CTLR.EnableGrp1A and ARE_NS to Non-secure software, which changes only the former', () => {
    const d = secured();
    expect(d.asSecure(() => d.gicd('GICD_CTLR'))).toBe(0x37);
    expect(d.gicd('GICD_CTLR')).toBe(0x12);
    d.gicd('GICD_CTLR', 0x40);
    expect(d.asSecure(() => d.gicd('GICD_CTLR'))).toBe(0x35);
  });

  it('lets Secure software set DS, once and for all', () => {
    const d = secured();
    expect(d.gicd('GICD_TYPER') & TYPER.SecurityExtn).not.toBe(0);
    d.asSecure(() => d.gicd('GICD_CTLR', 0x47));
    expect(d.gicd('GICD_CTLR')).toBe(0x53);
    expect(d.gicd('GICD_TYPER') & TYPER.SecurityExtn).toBe(0);
    d.asSecure(() => d.gicd('GICD_CTLR', 0));
    expect(d.gicd('GICD_CTLR')).toBe(0x50);
    d.gicd('GICD_IGROUPR', 0xff, 1);
    expect(d.gicd('GICD_IGROUPR', undefined, 1)).toBe(0xff);
    for (const name of ['GICD_IGRPMODR', 'GICD_NSACR'] as const) {
      d.asSecure(() => d.gicd(name, 0xff, 2));
      expect(d.seen).toEqual([]);
    }
  });

  it('keeps the groups of interrupts from Non-secure software', () => {
    const d = secured();
    for (const name of ['GICD_IGROUPR', 'GICD_IGRPMODR', 'GICD_NSACR'] as const) {
      d.gicd(name, 0xffff_ffff, 2);
      expect(d.asSecure(() => d.gicd(name, undefined, 2))).toBe(0);
      d.asSecure(() => d.gicd(name, 0x5a, 2));
      expect(d.asSecure(() => d.gicd(name, undefined, 2))).toBe(0x5a);
      expect(d.gicd(name, undefined, 2)).toBe(0);
    }
    for (const name of ['GICR_IGROUPR', 'GICR_IGRPMODR', 'GICR_NSACR'] as const) {
      d.gicr(0, name, 0xffff_ffff);
      expect(d.asSecure(() => d.gicr(0, name))).toBe(0);
      d.asSecure(() => d.gicr(0, name, 0x5a));
      expect(d.asSecure(() => d.gicr(0, name))).toBe(0x5a);
      expect(d.gicr(0, name)).toBe(0);
    }
  });

  it('has Secure interrupts RAZ/WI for Non-secure software', () => {
    const d = secured();
    d.asSecure(() => d.spi(40, { group: 0, priority: 0x20, pe: 1 }));
    const route = GICD.GICD_IROUTER.offset + 8 * 8;
    d.gicd('GICD_ICENABLER', 0xffff_ffff, 1);
    d.gicd('GICD_IPRIORITYR', 0xff, 40);
    d.gicd('GICD_ICFGR', 0, 2);
    d.gicd('GICD_ISPENDR', 0xffff_ffff, 1);
    d.gicd('GICD_ISACTIVER', 0xffff_ffff, 1);
    d.wide('GICD', 0, route, 0, 0);
    expect(d.gicd('GICD_ISENABLER', undefined, 1)).toBe(0);
    expect(d.gicd('GICD_IPRIORITYR', undefined, 40)).toBe(0);
    expect(d.gicd('GICD_ICFGR', undefined, 2)).toBe(0);
    expect(d.access('GICD', 0, route, 4)).toBe(0);
    d.secure = true;
    expect(d.gicd('GICD_ISENABLER', undefined, 1)).toBe(0x100);
    expect(d.gicd('GICD_IPRIORITYR', undefined, 40)).toBe(0x20);
    expect(d.gicd('GICD_ICFGR', undefined, 2)).toBe(2 << 16);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(0);
    expect(d.gicd('GICD_ISACTIVER', undefined, 1)).toBe(0);
    expect(d.access('GICD', 0, route, 4)).toBe(1);
  });

  it('shows Non-secure software the lower half of the priorities as if it were all', () => {
    const d = secured();
    d.asSecure(() => d.spi(40, { priority: 0xc0 }));
    expect(d.gicd('GICD_IPRIORITYR', undefined, 40)).toBe(0x80);
    d.gicd('GICD_IPRIORITYR', 0x40, 40);
    expect(d.asSecure(() => d.gicd('GICD_IPRIORITYR', undefined, 40))).toBe(0xa0);
  });

  it('NSACR opens a Secure SPI step by step: set pending, clear pending, route', () => {
    const d = secured();
    const route = GICD.GICD_IROUTER.offset + 8 * 8;
    d.asSecure(() => d.spi(40, { group: 0 }));
    const access = (value: number) => d.asSecure(() => d.gicd('GICD_NSACR', value << 16, 2));
    const isPending = () => d.asSecure(() => d.gicd('GICD_ISPENDR', undefined, 1)) !== 0;
    d.gicd('GICD_ISPENDR', 0x100, 1);
    expect(isPending()).toBe(false);
    access(1);
    d.gicd('GICD_ISPENDR', 0x100, 1);
    expect(isPending()).toBe(true);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(0x100);
    expect(d.gicd('GICD_ICPENDR', undefined, 1)).toBe(0);
    d.gicd('GICD_ICPENDR', 0x100, 1);
    expect(isPending()).toBe(true);
    d.asSecure(() => d.gicd('GICD_ISACTIVER', 0x100, 1));
    expect(d.gicd('GICD_ISACTIVER', undefined, 1)).toBe(0);
    access(2);
    expect(d.gicd('GICD_ISACTIVER', undefined, 1)).toBe(0x100);
    d.gicd('GICD_ICPENDR', 0x100, 1);
    expect(isPending()).toBe(false);
    d.wide('GICD', 0, route, 1, 0);
    expect(d.asSecure(() => d.access('GICD', 0, route, 4))).toBe(0);
    access(3);
    d.wide('GICD', 0, route, 1, 0);
    expect(d.asSecure(() => d.access('GICD', 0, route, 4))).toBe(1);
  });

  it('keeps GICR_WAKER and the DPG bits of Secure groups from Non-secure software', () => {
    const d = featured('architecture', { set: TYPER.SecurityExtn, gicr: 0x20 });
    d.gicr(0, 'GICR_WAKER', 0);
    expect(d.asSecure(() => d.gicr(0, 'GICR_WAKER'))).toBe(6);
    expect(d.gicr(0, 'GICR_WAKER')).toBe(0);
    d.gicr(0, 'GICR_CTLR', 0x700_0000);
    expect(d.asSecure(() => d.gicr(0, 'GICR_CTLR'))).toBe(0x200_0000);
    d.asSecure(() => d.gicr(0, 'GICR_CTLR', 0x700_0000));
    expect(d.asSecure(() => d.gicr(0, 'GICR_CTLR'))).toBe(0x700_0000);
    expect(d.gicr(0, 'GICR_CTLR')).toBe(0x200_0000);
  });
});

describe('CPU interface, two Security states', () => {
  it('banks ICC_IGRPEN1, ICC_BPR1 and EOImode', () => {
    const d = secured();
    d.write(0, 'ICC_IGRPEN1_EL1', 0);
    d.write(0, 'ICC_BPR1_EL1', 5);
    d.write(0, 'ICC_CTLR_EL1', 2);
    d.asSecure(() => d.write(0, 'ICC_BPR1_EL1', 4));
    const view = () => [
      d.read(0, 'ICC_IGRPEN1_EL1'),
      d.read(0, 'ICC_BPR1_EL1'),
      d.read(0, 'ICC_CTLR_EL1') & 3,
    ];
    expect(view()).toEqual([0, 5, 2]);
    expect(d.asSecure(view)).toEqual([1, 4, 0]);
  });

  it('lets EL3 alone set CBPR, of either instance', () => {
    const d = secured();
    d.write(0, 'ICC_CTLR_EL1', 1);
    expect(d.read(0, 'ICC_CTLR_EL1') & 3).toBe(0);
    d.asSecure(() => {
      d.write(0, 'ICC_CTLR_EL1', 1);
      expect(d.read(0, 'ICC_CTLR_EL1') & 3).toBe(0);
    });
    d.asEl3(() => d.write(0, 'ICC_CTLR_EL3', 1));
    d.asSecure(() => {
      d.write(0, 'ICC_BPR1_EL1', 6);
      expect(d.read(0, 'ICC_BPR0_EL1')).toBe(6);
      expect(d.read(0, 'ICC_BPR1_EL1')).toBe(6);
    });
    expect(d.read(0, 'ICC_CTLR_EL1') & 3).toBe(0);
    expect(d.asEl3(() => d.read(0, 'ICC_BPR1_EL1'))).toBe(2);
  });

  it('shows PMR and RPR to Non-secure software in its own range', () => {
    const d = secured();
    d.asSecure(() => d.write(0, 'ICC_PMR_EL1', 0xf0));
    expect(d.read(0, 'ICC_PMR_EL1')).toBe(0xe0);
    d.write(0, 'ICC_PMR_EL1', 0x80);
    expect(d.asSecure(() => d.read(0, 'ICC_PMR_EL1'))).toBe(0xc0);
    pend(d, 40, '1NS', 0xa0);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0x40);
    expect(d.asSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0xa0);
    pend(d, 41, '1S', 0x20);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'))).toBe(41);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0);
    d.asSecure(() => d.write(0, 'ICC_EOIR1_EL1', 41));
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xff);
  });

  it('keeps a mask in the Secure range out of reach of Non-secure software', () => {
    const d = secured();
    d.asSecure(() => d.write(0, 'ICC_PMR_EL1', 0x70));
    expect(d.read(0, 'ICC_PMR_EL1')).toBe(0);
    d.write(0, 'ICC_PMR_EL1', 0xf8);
    expect(d.asSecure(() => d.read(0, 'ICC_PMR_EL1'))).toBe(0x70);
  });

  it('gives each Security state its own Group 1, and EL3 both', () => {
    const d = secured();
    pend(d, 40, '1S', 0x40);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR0_EL1'))).toBe(SPURIOUS);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'))).toBe(40);
    d.asSecure(() => d.write(0, 'ICC_EOIR1_EL1', 40));
    pend(d, 41, '1NS', 0xa0);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'))).toBe(SPURIOUS);
    expect(d.asEl3(() => d.read(0, 'ICC_HPPIR1_EL1'))).toBe(41);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(41);
  });

  it('answers 1020 and 1021 to ICC_IAR0 and ICC_HPPIR0 at EL3 only', () => {
    const d = secured();
    pend(d, 40, '1NS', 0xa0);
    expect(d.asEl3(() => d.read(0, 'ICC_HPPIR0_EL1'))).toBe(1021);
    expect(d.asEl3(() => d.read(0, 'ICC_IAR0_EL1'))).toBe(1021);
    expect(d.asSecure(() => d.read(0, 'ICC_HPPIR0_EL1'))).toBe(SPURIOUS);
    pend(d, 41, '1S', 0x40);
    expect(d.asEl3(() => d.read(0, 'ICC_HPPIR0_EL1'))).toBe(1020);
    expect(d.asEl3(() => d.read(0, 'ICC_IAR0_EL1'))).toBe(1020);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR0_EL1'))).toBe(SPURIOUS);
    expect(d.asSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0xff);
  });

  it('keeps Group 0 from Non-secure software', () => {
    const d = secured();
    pend(d, 40, '0', 0x40);
    expect(d.read(0, 'ICC_HPPIR0_EL1')).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_IAR0_EL1')).toBe(SPURIOUS);
    d.write(0, 'ICC_IGRPEN0_EL1', 0);
    d.write(0, 'ICC_BPR0_EL1', 7);
    expect(d.read(0, 'ICC_IGRPEN0_EL1')).toBe(0);
    d.secure = true;
    expect(d.read(0, 'ICC_IGRPEN0_EL1')).toBe(1);
    expect(d.read(0, 'ICC_BPR0_EL1')).toBe(2);
    expect(d.read(0, 'ICC_IAR0_EL1')).toBe(40);
    d.secure = false;
    d.write(0, 'ICC_EOIR0_EL1', 40);
    expect(d.asSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0x40);
    expect(d.read(0, 'ICC_AP0R0_EL1')).toBe(0);
  });

  it('banks the active priorities of Group 1: neither state ends the interrupt of the other', () => {
    const d = secured();
    pend(d, 40, '1S', 0x40);
    d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'));
    expect(d.read(0, 'ICC_AP1R0_EL1')).toBe(0);
    expect(d.asSecure(() => d.read(0, 'ICC_AP1R0_EL1'))).toBe(1 << 8);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.asSecure(() => d.read(0, 'ICC_AP1R0_EL1'))).toBe(1 << 8);
    d.asSecure(() => d.write(0, 'ICC_EOIR1_EL1', 40));
    expect(d.asSecure(() => d.read(0, 'ICC_AP1R0_EL1'))).toBe(0);
    pend(d, 41, '1NS', 0xa0);
    d.read(0, 'ICC_IAR1_EL1');
    d.asSecure(() => d.write(0, 'ICC_EOIR1_EL1', 41));
    expect(d.read(0, 'ICC_AP1R0_EL1')).toBe(1 << 20);
  });

  it('ends what has the highest active priority, of whichever group', () => {
    const d = secured();
    const running = () => d.asSecure(() => d.read(0, 'ICC_RPR_EL1'));
    pend(d, 40, '0', 0x60);
    d.asSecure(() => d.read(0, 'ICC_IAR0_EL1'));
    pend(d, 41, '1S', 0x40);
    d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'));
    // Secure software may give a Non-secure interrupt a priority in its own range.
    pend(d, 42, '1NS', 0x20);
    d.read(0, 'ICC_IAR1_EL1');
    expect(running()).toBe(0x20);
    d.asSecure(() => d.write(0, 'ICC_EOIR0_EL1', 40));
    d.asSecure(() => d.write(0, 'ICC_EOIR1_EL1', 41));
    expect(running()).toBe(0x20);
    d.write(0, 'ICC_EOIR1_EL1', 42);
    expect(running()).toBe(0x40);
    d.asSecure(() => d.write(0, 'ICC_EOIR0_EL1', 40));
    expect(running()).toBe(0x40);
    d.asSecure(() => d.write(0, 'ICC_EOIR1_EL1', 41));
    expect(running()).toBe(0x60);
    d.asSecure(() => d.write(0, 'ICC_EOIR0_EL1', 40));
    expect(running()).toBe(0xff);
  });

  it('does not let Non-secure software deactivate a Secure interrupt', () => {
    const d = secured();
    pend(d, 40, '1S', 0x40);
    d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'));
    d.write(0, 'ICC_CTLR_EL1', 2);
    d.write(0, 'ICC_DIR_EL1', 40);
    expect(d.asSecure(() => d.gicd('GICD_ISACTIVER', undefined, 1))).toBe(0x100);
    d.asSecure(() => d.write(0, 'ICC_EOIR1_EL1', 40));
    expect(d.asSecure(() => d.gicd('GICD_ISACTIVER', undefined, 1))).toBe(0);
  });

  it('uses the binary point of the Security state of the interrupt', () => {
    const d = secured();
    d.asSecure(() => d.write(0, 'ICC_BPR1_EL1', 6));
    pend(d, 40, '1S', 0x60);
    d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'));
    expect(d.asSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0);
    pend(d, 41, '0', 0x40);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR0_EL1'))).toBe(SPURIOUS);
  });

  it('signals by IRQ what the running Security state handles, all else by FIQ', () => {
    const d = secured();
    pend(d, 40, '1NS', 0xa0);
    expect(lines(d)).toEqual([0, 1]);
    d.asSecure(() => d.read(0, 'ICC_RPR_EL1'));
    expect(lines(d)).toEqual([1, 0]);
    d.asEl3(() => d.read(0, 'ICC_RPR_EL1'));
    expect(lines(d)).toEqual([1, 0]);
    d.asSecure(() => d.read(0, 'ICC_RPR_EL1'));
    pend(d, 41, '1S', 0x40);
    expect(lines(d)).toEqual([0, 1]);
    d.asEl3(() => d.read(0, 'ICC_RPR_EL1'));
    expect(lines(d)).toEqual([1, 0]);
    d.read(0, 'ICC_RPR_EL1');
    expect(lines(d)).toEqual([1, 0]);
    pend(d, 42, '0', 0x20);
    expect(lines(d)).toEqual([1, 0]);
  });

  it('signals as with one Security state once DS is set', () => {
    const d = secured();
    pend(d, 40, '1NS', 0xa0);
    d.asEl3(() => d.read(0, 'ICC_RPR_EL1'));
    expect(lines(d)).toEqual([1, 0]);
    d.asSecure(() => d.gicd('GICD_CTLR', 0x47));
    expect(lines(d)).toEqual([0, 1]);
  });

  it('on a GIC whose PEs keep two states, DS changes whose interrupts are, and not how they are signalled', () => {
    const d = secured(2, 'qemu-7.2');
    pend(d, 40, '1NS', 0xa0);
    d.asEl3(() => d.read(0, 'ICC_RPR_EL1'));
    d.asSecure(() => d.gicd('GICD_CTLR', 0x47));
    expect(d.gicd('GICD_TYPER') & TYPER.SecurityExtn).toBe(0);
    expect(lines(d)).toEqual([1, 0]);
    expect(d.asEl3(() => d.read(0, 'ICC_HPPIR0_EL1'))).toBe(1021);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'))).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    expect(lines(d)).toEqual([0, 0]);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    // SCR_EL3.FIQ still decides how Non-secure software sees priorities, and that Group 0 is out of its reach.
    expect(d.read(0, 'ICC_PMR_EL1')).toBe(0xf0);
    pend(d, 41, '0', 0x20);
    expect(d.read(0, 'ICC_IAR0_EL1')).toBe(SPURIOUS);
    expect(d.asSecure(() => d.read(0, 'ICC_IAR0_EL1'))).toBe(41);
  });

  it('on such a GIC, a Secure ICC_SGI1R_EL1 requests Group 0 once DS is set', () => {
    const d = secured(2, 'qemu-7.2');
    d.asSecure(() => {
      d.gicr(1, 'GICR_IGROUPR', 0b10);
      d.gicd('GICD_CTLR', 0x47);
    });
    const sent = () => d.gicr(1, 'GICR_ISPENDR') & 0b11;
    d.asSecure(() => d.write(0, 'ICC_SGI1R_EL1', 0x0100_0002));
    expect(sent()).toBe(0);
    d.asSecure(() => d.write(0, 'ICC_SGI1R_EL1', 0x0000_0002));
    expect(sent()).toBe(0b01);
    d.asSecure(() => d.write(0, 'ICC_ASGI1R_EL1', 0x0100_0002));
    expect(sent()).toBe(0b11);
  });

  it('uses the common binary point of the Security state that asks for it', () => {
    const d = secured();
    d.asEl3(() => {
      d.write(0, 'ICC_BPR0_EL1', 6);
      d.write(0, 'ICC_CTLR_EL3', 1);
    });
    pend(d, 40, '1S', 0x60);
    d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'));
    expect(d.asSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0);
  });

  it('takes no EOI of what is no interrupt', () => {
    const d = secured();
    pend(d, 40, '1NS', 0xa0);
    d.read(0, 'ICC_IAR1_EL1');
    for (const intid of [1021, SPURIOUS, 1056, 4096]) d.write(0, 'ICC_EOIR1_EL1', intid);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0x40);
  });

  it('shows both instances in ICC_CTLR_EL3 and ICC_IGRPEN1_EL3, to EL3', () => {
    const d = secured();
    d.asSecure(() => d.write(0, 'ICC_CTLR_EL3', 0b01101));
    expect(d.asSecure(() => d.read(0, 'ICC_CTLR_EL3')) & 0x3f).toBe(0b01101);
    expect(d.asSecure(() => d.read(0, 'ICC_CTLR_EL1')) & 3).toBe(3);
    expect(d.read(0, 'ICC_CTLR_EL1') & 3).toBe(0);
    d.asSecure(() => d.write(0, 'ICC_CTLR_EL3', 0b10010));
    expect(d.asSecure(() => d.read(0, 'ICC_CTLR_EL1')) & 3).toBe(0);
    expect(d.read(0, 'ICC_CTLR_EL1') & 3).toBe(3);
    expect(d.asSecure(() => d.read(0, 'ICC_IGRPEN1_EL3'))).toBe(3);
    d.asSecure(() => d.write(0, 'ICC_IGRPEN1_EL3', 2));
    expect(d.read(0, 'ICC_IGRPEN1_EL1')).toBe(0);
    expect(d.asSecure(() => d.read(0, 'ICC_IGRPEN1_EL1'))).toBe(1);
    d.read(0, 'ICC_IGRPEN1_EL3');
    expect(d.machine.unsupported).toBe(true);
  });

  it('EL3 has an EOImode of its own', () => {
    const d = secured();
    d.asSecure(() => d.write(0, 'ICC_CTLR_EL3', 4));
    pend(d, 40, '0', 0x40);
    d.asEl3(() => d.write(0, 'ICC_EOIR0_EL1', d.read(0, 'ICC_IAR0_EL1')));
    expect(d.asSecure(() => d.gicd('GICD_ISACTIVER', undefined, 1))).toBe(0x100);
    d.asSecure(() => d.write(0, 'ICC_DIR_EL1', 40));
    expect(d.asSecure(() => d.gicd('GICD_ISACTIVER', undefined, 1))).toBe(0x100);
    d.asEl3(() => d.write(0, 'ICC_DIR_EL1', 40));
    expect(d.asSecure(() => d.gicd('GICD_ISACTIVER', undefined, 1))).toBe(0);
  });

  it('has the system registers always in use, at every Exception level', () => {
    const d = secured();
    expect(d.read(0, 'ICC_SRE_EL1')).toBe(7);
    expect(d.read(0, 'ICC_SRE_EL2')).toBe(0xf);
    expect(d.asSecure(() => d.read(0, 'ICC_SRE_EL3'))).toBe(0xf);
  });

  it('a reset of a PE resets the Secure instances too', () => {
    const d = secured();
    d.asSecure(() => d.write(0, 'ICC_BPR1_EL1', 6));
    pend(d, 40, '1S', 0x40);
    d.asSecure(() => d.read(0, 'ICC_IAR1_EL1'));
    d.reset(0);
    d.secure = true;
    expect(d.read(0, 'ICC_IGRPEN1_EL1')).toBe(0);
    expect(d.read(0, 'ICC_BPR1_EL1')).toBe(2);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xff);
  });
});

describe('SGIs, two Security states', () => {
  const sent = (d: Driver) => d.seen.filter((s) => s.kind === 'sgi.sent').map((s) => s.pe);
  /** SGI 1 in Group 0, 2 in Secure Group 1, 3 in Non-secure Group 1, on both PEs. */
  const grouped = () => {
    const d = secured();
    d.asSecure(() => {
      for (const pe of [0, 1]) {
        d.gicr(pe, 'GICR_IGROUPR', 1 << 3);
        d.gicr(pe, 'GICR_IGRPMODR', 1 << 2);
      }
    });
    return d;
  };
  const reached = (d: Driver, name: 'ICC_SGI0R_EL1' | 'ICC_SGI1R_EL1' | 'ICC_ASGI1R_EL1') =>
    [1, 2, 3].filter((intid) => {
      d.write(0, name, (intid << 24) | 0b10);
      return sent(d).length > 0;
    });

  it('go from Secure software to the group that the register names', () => {
    const d = grouped();
    d.secure = true;
    expect(reached(d, 'ICC_SGI0R_EL1')).toEqual([1]);
    expect(reached(d, 'ICC_SGI1R_EL1')).toEqual([1, 2]);
    expect(reached(d, 'ICC_ASGI1R_EL1')).toEqual([3]);
  });

  it('go from Non-secure software to Secure groups as GICR_NSACR of the target allows', () => {
    const d = grouped();
    expect(reached(d, 'ICC_SGI1R_EL1')).toEqual([3]);
    expect(reached(d, 'ICC_SGI0R_EL1')).toEqual([]);
    expect(reached(d, 'ICC_ASGI1R_EL1')).toEqual([]);
    d.asSecure(() => d.gicr(1, 'GICR_NSACR', (1 << 2) | (1 << 4)));
    // It is about sending: the pending registers stay shut.
    d.gicr(1, 'GICR_ISPENDR', 0b110);
    expect(d.seen).toEqual([]);
    expect(reached(d, 'ICC_SGI0R_EL1')).toEqual([1]);
    expect(reached(d, 'ICC_ASGI1R_EL1')).toEqual([1]);
    d.asSecure(() => d.gicr(1, 'GICR_NSACR', (1 << 2) | (2 << 4)));
    expect(reached(d, 'ICC_ASGI1R_EL1')).toEqual([1, 2]);
  });
});

describe('a PE that switches', () => {
  it('has what is pending as an FIQ or as an IRQ, by where it went', () => {
    const d = secured();
    pend(d, 40, '1NS', 0xa0);
    d.switch(0, 'EL3');
    expect(lines(d)).toEqual([1, 0]);
    d.switch(0, 'Secure');
    expect(lines(d)).toEqual([1, 0]);
    d.switch(0, 'Non-secure');
    expect(lines(d)).toEqual([0, 1]);
    d.wire(40, false);
    pend(d, 41, '1S', 0x40);
    expect(lines(d)).toEqual([1, 0]);
    d.switch(0, 'Secure');
    expect(lines(d)).toEqual([0, 1]);
    d.switch(1, 'EL3');
    expect(lines(d)).toEqual([0, 1]);
  });

  it('with SCR_EL3.FIQ = 0 shows Non-secure software priorities as they are, and lets it have Group 0', () => {
    const d = secured();
    pend(d, 40, '1NS', 0xa0);
    d.switch(0, 'Non-secure', 0);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xa0);
    expect(d.read(0, 'ICC_PMR_EL1')).toBe(0xf8);
    d.write(0, 'ICC_PMR_EL1', 8);
    expect(d.read(0, 'ICC_PMR_EL1')).toBe(8);
    d.write(0, 'ICC_PMR_EL1', 0x80);
    expect(d.asSecure(() => d.read(0, 'ICC_PMR_EL1'))).toBe(0x80);
    d.write(0, 'ICC_IGRPEN0_EL1', 0);
    expect(d.asSecure(() => d.read(0, 'ICC_IGRPEN0_EL1'))).toBe(0);
    // Group 0 interrupts stay Secure.
    d.asSecure(() => d.write(0, 'ICC_IGRPEN0_EL1', 1));
    pend(d, 41, '0', 0x40);
    expect(d.read(0, 'ICC_IAR0_EL1')).toBe(SPURIOUS);
    d.switch(0, 'Non-secure', 1);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0x40);
  });

  it('does nothing with one Security state', () => {
    const d = featured('architecture', { pes: 1 });
    d.switch(0, 'EL3', 0);
    expect(d.seen).toEqual([]);
  });
});

describe('EL3 with SCR_EL3.NS = 1', () => {
  it('reaches the Non-secure instances, whatever CBPR says, and sees all priorities and interrupts', () => {
    const d = secured();
    d.asEl3NonSecure(() => {
      d.write(0, 'ICC_BPR1_EL1', 5);
      d.write(0, 'ICC_IGRPEN1_EL1', 0);
      d.write(0, 'ICC_CTLR_EL3', 2);
      expect(d.read(0, 'ICC_PMR_EL1')).toBe(0xf8);
      expect(d.read(0, 'ICC_BPR1_EL1')).toBe(5);
      d.write(0, 'ICC_BPR1_EL1', 4);
      expect(d.read(0, 'ICC_BPR1_EL1')).toBe(4);
      expect(d.read(0, 'ICC_IGRPEN1_EL3')).toBe(2);
    });
    expect(d.read(0, 'ICC_IGRPEN1_EL1')).toBe(0);
    expect(d.asSecure(() => d.read(0, 'ICC_BPR1_EL1'))).toBe(2);
    expect(d.asSecure(() => d.read(0, 'ICC_IGRPEN1_EL1'))).toBe(1);
    d.switch(0, 'EL3');
    pend(d, 41, '1S', 0x40);
    expect(lines(d)).toEqual([1, 0]);
    expect(d.asEl3NonSecure(() => d.read(0, 'ICC_IAR0_EL1'))).toBe(1020);
    expect(d.asEl3NonSecure(() => d.read(0, 'ICC_IAR1_EL1'))).toBe(41);
    expect(d.asEl3NonSecure(() => d.read(0, 'ICC_RPR_EL1'))).toBe(0x40);
    d.asEl3NonSecure(() => d.write(0, 'ICC_EOIR1_EL1', 41));
    expect(d.asSecure(() => d.gicd('GICD_ISACTIVER', undefined, 1))).toBe(0);
  });
});

describe('how a PE executes', () => {
  it('shows by an access to a register that does not exist, too', () => {
    const d = secured();
    pend(d, 40, '1NS', 0xa0);
    expect(lines(d)).toEqual([0, 1]);
    // EL3 writes a read-only register.
    d.asEl3(() => d.write(0, 'ICH_MISR_EL2', 0));
    expect(d.machine.unsupported).toBe(true);
    expect(lines(d)).toEqual([1, 0]);
  });

  it('decides whether a vLPI is a candidate: in Non-secure state it is', () => {
    const hardware = { architecture: 4, virtualLpis: '4.0', twoSecurityStates: true } as const;
    const d = new Driver('architecture', 2, testConfig('architecture', 2, hardware));
    d.asSecure(() => d.enable());
    d.its().virtual();
    d.mapVirtual(1, 0, 0, 8192);
    d.enableVirtual(0);
    d.store(d.vconf(0), 0x41);
    d.schedule(0, 0);
    d.msi(1, 0);
    const candidate = () => d.machine.state.virtual.hppi[0];
    expect(candidate()).toBe(16);
    for (const state of ['Secure', 'EL3'] as const) {
      d.switch(0, state);
      expect(candidate()).toBe(0xffff_ffff);
      d.switch(0, 'Non-secure');
      expect(candidate()).toBe(16);
    }
  });
});

describe('choices of QEMU with two Security states', () => {
  it('an EOI by Non-secure software deactivates a Secure interrupt', () => {
    for (const [profile, active] of [
      ['architecture', 0x100],
      ['qemu-virt', 0],
    ] as const) {
      const d = secured(1, profile);
      pend(d, 40, '1NS', 0xa0);
      d.asSecure(() => {
        d.spi(41, { group: 1 });
        d.gicd('GICD_ISACTIVER', 0x200, 1);
      });
      expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
      d.asSecure(() => d.gicd('GICD_IGROUPR', 0x100, 1));
      d.write(0, 'ICC_EOIR1_EL1', 41);
      expect(d.asSecure(() => d.gicd('GICD_ISACTIVER', undefined, 1))).toBe(0x100 | (active << 1));
    }
  });
  const qemu = () => featured('qemu-virt', { pes: 1, set: TYPER.SecurityExtn });
  it('GICR_WAKER is accessible to Non-secure software', () => {
    const d = qemu();
    expect(d.gicr(0, 'GICR_WAKER')).toBe(6);
    d.gicr(0, 'GICR_WAKER', 0);
    expect(d.asSecure(() => d.gicr(0, 'GICR_WAKER'))).toBe(0);
    const other = featured('architecture', { pes: 1, set: TYPER.SecurityExtn });
    other.gicr(0, 'GICR_WAKER', 0);
    expect(other.gicr(0, 'GICR_WAKER')).toBe(0);
    expect(other.asSecure(() => other.gicr(0, 'GICR_WAKER'))).toBe(6);
  });
  it("ICC_CTLR_EL3 has Non-secure EL1's bits in place of Secure EL1's", () => {
    for (const [d, value] of [
      [qemu(), 0x18],
      [secured(1), 0x10],
    ] as const) {
      d.asEl3(() => d.write(0, 'ICC_CTLR_EL3', 0x10));
      expect(d.asEl3(() => d.read(0, 'ICC_CTLR_EL3')) & 0x1f).toBe(value);
      d.asEl3(() => d.write(0, 'ICC_CTLR_EL3', 8));
      expect(d.asSecure(() => d.read(0, 'ICC_CTLR_EL1')) & 2).toBe(2);
    }
  });
  it('Non-secure active priorities cannot be written', () => {
    for (const [d, value] of [
      [qemu(), 0],
      [secured(1), 0x1_0000],
    ] as const) {
      d.write(0, 'ICC_AP1R0_EL1', 0x1_0000);
      expect(d.read(0, 'ICC_AP1R0_EL1')).toBe(value);
      d.asSecure(() => d.write(0, 'ICC_AP1R0_EL1', 0x100));
      expect(d.asSecure(() => d.read(0, 'ICC_AP1R0_EL1'))).toBe(0x100);
    }
  });
});

it('with one Security state, what a register would return is the same for all software', () => {
  const d = new Driver('architecture').enable();
  d.spi(40, { group: 0 });
  d.gicd('GICD_ISPENDR', 0x100, 1);
  for (const name of ['ICC_IAR0_EL1', 'ICC_IAR1_EL1', 'ICC_HPPIR0_EL1', 'ICC_CTLR_EL1'] as const) {
    const peeked = [false, true].flatMap((secure) =>
      [false, true].map((el3) => peekSysreg(d.machine, 0, SYSREGS[name].encoding, secure, el3)),
    );
    const returned = d.read(0, name);
    expect([name, ...peeked]).toEqual([name, returned, returned, returned, returned]);
    if (name === 'ICC_IAR0_EL1') {
      expect(returned).toBe(40);
      d.write(0, 'ICC_EOIR0_EL1', 40);
      d.gicd('GICD_ISPENDR', 0x100, 1);
    }
  }
});
