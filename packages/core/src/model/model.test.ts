// Behaviours of a GICv3 that models get wrong, as a driver sees them, under each profile to which they apply.
import { describe, expect, it } from 'vitest';
import { GICD, GICR, GITS, ITS_ERRORS, ITS_OUTCOMES } from '../spec/index.ts';
import { Driver } from './driver.test-support.ts';

const PROFILES = ['architecture', 'qemu-virt'] as const;
const SPURIOUS = 1023;
const LPI = 8200;
const ON = 0xa1;

describe.each(PROFILES)('CPU interface, profile %s', (profile) => {
  const gic = () => new Driver(profile).enable();

  it('reads 1023 and idle priority when nothing is pending', () => {
    const d = gic();
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xff);
  });

  it('takes the highest priority first, and of equal ones the lowest INTID', () => {
    const d = gic();
    d.spi(40, { priority: 0xa0 });
    d.spi(41, { priority: 0x90 });
    d.spi(42, { priority: 0x90 });
    for (const intid of [40, 42, 41]) d.wire(intid, true);
    const order = [0, 1, 2].map(() => {
      const intid = d.read(0, 'ICC_IAR1_EL1');
      d.write(0, 'ICC_EOIR1_EL1', intid);
      return intid;
    });
    expect(order).toEqual([41, 42, 40]);
  });

  it('lets PMR gate IAR but not HPPIR', () => {
    const d = gic();
    d.spi(40, { priority: 0xa0 });
    d.wire(40, true);
    d.write(0, 'ICC_PMR_EL1', 0xa0);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(40);
    d.write(0, 'ICC_PMR_EL1', 0xa8);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
  });

  it('preempts only by group priority', () => {
    const d = gic();
    // Group priority bits [7:6] only, for Non-secure Group 1.
    d.write(0, 'ICC_BPR1_EL1', 6);
    d.spi(40, { priority: 0xb0 });
    d.spi(41, { priority: 0x90 });
    d.spi(42, { priority: 0x40 });
    d.wire(40, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0x80);
    d.wire(41, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    d.wire(42, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(42);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0x40);
    d.write(0, 'ICC_EOIR1_EL1', 42);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0x80);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xff);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(41);
  });

  it('signals Group 0 by FIQ and Group 1 by IRQ', () => {
    const d = gic();
    d.spi(40, { group: 0 });
    d.wire(40, true);
    expect(d.seen.find((s) => s.kind === 'hppi')?.words.slice(0, 5)).toEqual([40, 0, 0xa0, 1, 0]);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_IAR0_EL1')).toBe(40);
    d.write(0, 'ICC_EOIR1_EL1', 40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xa0);
    d.write(0, 'ICC_EOIR0_EL1', 40);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xff);
  });

  it('EOImode 0 deactivates, EOImode 1 leaves that to DIR', () => {
    const d = gic();
    d.spi(40);
    d.wire(40, true);
    d.write(0, 'ICC_EOIR1_EL1', d.read(0, 'ICC_IAR1_EL1'));
    expect(d.gicd('GICD_ISACTIVER', undefined, 1)).toBe(0);
    d.write(0, 'ICC_CTLR_EL1', 2);
    d.wire(40, false);
    d.wire(40, true);
    d.write(0, 'ICC_EOIR1_EL1', d.read(0, 'ICC_IAR1_EL1'));
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xff);
    expect(d.gicd('GICD_ISACTIVER', undefined, 1)).toBe(1 << 8);
    d.write(0, 'ICC_DIR_EL1', 40);
    expect(d.gicd('GICD_ISACTIVER', undefined, 1)).toBe(0);
  });

  it('sends SGIs by affinity and to all others', () => {
    const d = new Driver(profile, 4).enable();
    d.write(0, 'ICC_SGI1R_EL1', (5 << 24) | 0b1010);
    expect(d.seen.filter((s) => s.kind === 'sgi.sent').map((s) => s.pe)).toEqual([1, 3]);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(5);
    d.write(2, 'ICC_SGI1R_EL1', 6 << 24, 0x100);
    expect(d.seen.filter((s) => s.kind === 'sgi.sent').map((s) => s.pe)).toEqual([0, 1, 3]);
  });
});

describe.each(PROFILES)('Distributor, profile %s', (profile) => {
  const gic = () => new Driver(profile).enable();

  it('has SGI and PPI registers RAZ/WI with affinity routing', () => {
    const d = gic();
    for (const name of ['GICD_ISENABLER', 'GICD_ISPENDR', 'GICD_IGROUPR', 'GICD_ISACTIVER'] as const) {
      d.gicd(name, 0xffff_ffff);
      expect(d.gicd(name)).toBe(0);
    }
    expect(d.gicr(0, 'GICR_ISENABLER')).toBe(0xffff_ffff);
  });

  it('a level is pending while the wire is up, and again after deactivation; clearing it has no lasting effect', () => {
    const d = gic();
    d.spi(50, { edge: false });
    d.wire(50, true);
    d.gicd('GICD_ICPENDR', 1 << 18, 1);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(1 << 18);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(50);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    d.write(0, 'ICC_EOIR1_EL1', 50);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(50);
    d.wire(50, false);
    d.write(0, 'ICC_EOIR1_EL1', 50);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
  });

  it('an edge stays latched after the wire has gone down', () => {
    const d = gic();
    d.spi(50);
    d.wire(50, true);
    d.wire(50, false);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(50);
  });

  it('IROUTER by 32-bit halves keeps the other half', () => {
    const d = gic();
    const offset = GICD.GICD_IROUTER.offset + 8 * 8;
    d.wide('GICD', 0, offset, 1, 0);
    d.access('GICD', 0, offset + 4, 4, 0);
    expect(d.access('GICD', 0, offset, 4)).toBe(1);
    d.spi(40, { pe: 1 });
    d.wire(40, true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(40);
  });

  it('keeps an SPI that is routed to no PE, until it is routed to one', () => {
    const d = gic();
    d.spi(40, { pe: 7 });
    d.wire(40, true);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(1 << 8);
    d.wide('GICD', 0, GICD.GICD_IROUTER.offset + 64, 1, 0);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(40);
  });

  it('reserved locations are RAZ/WI and an event, never an exception', () => {
    const d = gic();
    expect(d.access('GICD', 0, 0x7c, 4)).toBe(0);
    expect(d.saw('access.reserved')).toBe(true);
    d.access('GICR', 9, 0, 4, 1);
    expect(d.saw('access.reserved')).toBe(true);
    expect(d.access('GICD', 0, 0x100, 1)).toBe(0);
    expect(d.saw('access.reserved')).toBe(true);
  });
});

describe.each(PROFILES)('LPIs and ITS, profile %s', (profile) => {
  const gic = () => new Driver(profile).enable().its();
  const mapped = () => {
    const d = gic();
    d.configure(LPI, ON);
    d.map(1, 3, LPI, 0);
    d.command('INV', { DeviceID: 1, EventID: 3 });
    return d;
  };

  it('an LPI has no active state: it can become pending again while it is handled', () => {
    const d = mapped();
    d.msi(1, 3);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI);
    expect(d.read(0, 'ICC_RPR_EL1')).toBe(0xa0);
    d.msi(1, 3);
    expect(d.pending(0, LPI)).toBe(true);
    d.write(0, 'ICC_EOIR1_EL1', LPI);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI);
  });

  it('INT on a disabled LPI pends it; it is delivered once enabled and invalidated', () => {
    const d = gic();
    d.map(1, 3, LPI, 0);
    d.command('INT', { DeviceID: 1, EventID: 3 });
    expect(d.pending(0, LPI)).toBe(true);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    d.configure(LPI, ON);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
    d.command('INV', { DeviceID: 1, EventID: 3 });
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI);
  });

  it('disabling takes effect at INV', () => {
    const d = mapped();
    d.msi(1, 3);
    d.configure(LPI, ON & ~1);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(LPI);
    d.command('INV', { DeviceID: 1, EventID: 3 });
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(SPURIOUS);
  });

  it('a change without INV shows at the next MSI only where configuration is re-read', () => {
    const d = mapped();
    d.msi(1, 3);
    d.write(0, 'ICC_EOIR1_EL1', d.read(0, 'ICC_IAR1_EL1'));
    d.configure(LPI, ON & ~1);
    d.msi(1, 3);
    expect(d.read(0, 'ICC_HPPIR1_EL1')).toBe(profile === 'architecture' ? LPI : SPURIOUS);
  });

  it('MOVI moves pending', () => {
    const d = mapped();
    d.msi(1, 3);
    d.command('MOVI', { DeviceID: 1, EventID: 3, ICID: 1 });
    expect([d.pending(0, LPI), d.pending(1, LPI)]).toEqual([false, true]);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(LPI);
  });

  it('MOVALL moves all pending', () => {
    const d = mapped();
    d.configure(LPI + 1, ON);
    d.command('MAPTI', { DeviceID: 1, EventID: 4, pINTID: LPI + 1, ICID: 0 });
    d.msi(1, 3);
    d.msi(1, 4);
    d.command('MOVALL', { RDbase1: 0, RDbase2: 1 });
    expect([d.pending(0, LPI), d.pending(0, LPI + 1), d.pending(1, LPI), d.pending(1, LPI + 1)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('DISCARD clears pending, then unmaps; the entry in memory is gone', () => {
    const d = mapped();
    d.msi(1, 3);
    expect(d.command('DISCARD', { DeviceID: 1, EventID: 3 })).toBe(ITS_OUTCOMES.EXECUTED);
    expect(d.pending(0, LPI)).toBe(false);
    d.msi(1, 3);
    expect(d.saw('msi.dropped')).toBe(true);
    expect(d.command('INT', { DeviceID: 1, EventID: 3 })).toBe(ITS_ERRORS.INT_UNMAPPED_INTERRUPT);
  });

  it('CLEAR clears', () => {
    const d = mapped();
    d.msi(1, 3);
    d.command('CLEAR', { DeviceID: 1, EventID: 3 });
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
  });

  it('MAPC to another PE without MOVALL strands what was pending', () => {
    const d = mapped();
    d.msi(1, 3);
    d.command('MAPC', { ICID: 0, RDbase: 1, V: 1 });
    d.command('CLEAR', { DeviceID: 1, EventID: 3 });
    expect(d.pending(0, LPI)).toBe(true);
  });

  it('a device whose ITT is not zeroed revives old events when it is mapped again', () => {
    const d = mapped();
    d.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: 0x4600_1000, V: 0 });
    d.msi(1, 3);
    expect(d.saw('msi.dropped')).toBe(true);
    d.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: 0x4600_1000, V: 1 });
    d.msi(1, 3);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI);
  });

  it('refuses to map a DeviceID behind the end of the device table, or without one, and writes no entry', () => {
    for (const [low, high, last] of [
      [0x4200_0200, 0x8000_0000, 0x1fff], // One page of 64 KB.
      [0x4200_0200, 0, -1], // Not valid.
    ] as const) {
      const d = mapped();
      d.gits('GITS_CTLR', 0);
      d.wide('GITS', 0, GITS.GITS_BASER.offset, low, high);
      d.gits('GITS_CTLR', 1);
      if (last >= 0) expect(d.command('MAPD', { DeviceID: last, V: 0 })).toBe(ITS_OUTCOMES.EXECUTED);
      expect(d.command('MAPD', { DeviceID: last + 1, V: 0 })).toBe(ITS_ERRORS.MAPD_DEVICE_OOR);
      expect(d.saw('dte.write')).toBe(false);
    }
  });

  it('admits EventIDs below 2^(Size+1) and no others', () => {
    const d = gic();
    d.map(1, 31, LPI, 0, 5);
    expect(d.command('MAPTI', { DeviceID: 1, EventID: 31, pINTID: LPI, ICID: 0 })).toBe(0);
    expect(d.command('MAPTI', { DeviceID: 1, EventID: 32, pINTID: LPI, ICID: 0 })).toBe(
      ITS_ERRORS.MAPTI_ID_OOR,
    );
  });

  it.each([
    ['MAPD', { DeviceID: 0x1_0000, V: 1 }, ITS_ERRORS.MAPD_DEVICE_OOR],
    ['MAPD', { DeviceID: 1, Size: 31, V: 1 }, ITS_ERRORS.MAPD_ITTSIZE_OOR],
    ['MAPC', { ICID: 5, RDbase: 2, V: 1 }, ITS_ERRORS.MAPC_PROCNUM_OOR],
    ['MAPTI', { DeviceID: 9, EventID: 0, pINTID: LPI, ICID: 0 }, ITS_ERRORS.MAPTI_UNMAPPED_DEVICE],
    ['MAPTI', { DeviceID: 1, EventID: 0, pINTID: 100, ICID: 0 }, ITS_ERRORS.MAPTI_PHYSICALID_OOR],
    ['INV', { DeviceID: 1, EventID: 9 }, ITS_ERRORS.INV_UNMAPPED_INTERRUPT],
    ['MOVI', { DeviceID: 1, EventID: 3, ICID: 9 }, ITS_ERRORS.MOVI_UNMAPPED_COLLECTION],
    ['MOVALL', { RDbase1: 0, RDbase2: 9 }, ITS_ERRORS.MOVALL_PROCNUM_OOR],
    ['CLEAR', { DeviceID: 1, EventID: 9 }, ITS_ERRORS.CLEAR_UNMAPPED_INTERRUPT],
    ['DISCARD', { DeviceID: 2, EventID: 0 }, ITS_ERRORS.DISCARD_UNMAPPED_DEVICE],
    ['VSYNC', { vPEID: 0 }, ITS_OUTCOMES.UNSUPPORTED_COMMAND],
  ] as const)('%s %o: the code, and ignore or stall by profile', (name, operands, code) => {
    const d = mapped();
    expect(d.command(name, operands)).toBe(code);
    const stalls = profile === 'architecture';
    expect(d.gits('GITS_CREADR') & 1).toBe(stalls ? 1 : 0);
    expect(d.gits('GITS_CREADR') === d.gits('GITS_CWRITER')).toBe(!stalls);
    if (!stalls) return;
    // Software mends the command (here: a SYNC in its place) and retries.
    const slot = d.gits('GITS_CREADR') & ~1;
    d.store(0x4500_0000 + slot, 0x05);
    d.gits('GITS_CWRITER', d.gits('GITS_CWRITER') | 1);
    expect(d.gits('GITS_CREADR')).toBe(d.gits('GITS_CWRITER'));
  });

  it('an unknown opcode is an outcome, not an exception', () => {
    expect(gic().raw(Uint32Array.of(0x77, 0, 0, 0, 0, 0, 0, 0))).toBe(ITS_OUTCOMES.UNKNOWN_COMMAND);
  });

  it('the queue wraps', () => {
    const d = mapped();
    for (let i = 0; i < 300; i++) expect(d.command('INT', { DeviceID: 1, EventID: 3 })).toBe(0);
    expect(d.gits('GITS_CREADR')).toBe(d.gits('GITS_CWRITER'));
  });

  it('a write pointer beyond the queue runs nothing', () => {
    const d = mapped();
    d.gits('GITS_CWRITER', 0x8000);
    expect(d.saw('its.command')).toBe(false);
  });

  it('CBASER and BASER are locked while the ITS is enabled; a BASER write replaces', () => {
    const d = mapped();
    const base = d.gits('GITS_CBASER');
    d.wide('GITS', 0, GITS.GITS_CBASER.offset, 0x7000_0000, 0x8000_0000);
    expect(d.gits('GITS_CBASER')).toBe(base);
    d.gits('GITS_CTLR', 0);
    d.wide('GITS', 0, GITS.GITS_BASER.offset, 0x5000_0200, 0x8000_0000);
    expect(d.gits('GITS_BASER')).toBe(0x5000_0200);
    d.wide('GITS', 0, GITS.GITS_CBASER.offset, 0x7000_0000, 0x8000_0000);
    expect([d.gits('GITS_CBASER'), d.gits('GITS_CREADR')]).toEqual([0x7000_0000, 0]);
  });

  it('an MSI while the ITS is disabled is dropped', () => {
    const d = mapped();
    d.gits('GITS_CTLR', 0);
    d.msi(1, 3);
    expect(d.seen.find((s) => s.kind === 'msi.dropped')?.words[3]).toBe(0);
  });

  it('PTZ, EnableLPIs and the pending table, by profile', () => {
    const d = new Driver(profile).enable();
    d.wide('GICR', 0, GICR.GICR_PENDBASER.offset, 0x4200_0000, 0x4000_0000);
    const ptz = d.access('GICR', 0, GICR.GICR_PENDBASER.offset + 4, 4);
    expect(ptz).toBe(profile === 'architecture' ? 0 : 0x4000_0000);
    d.its();
    d.gicr(0, 'GICR_CTLR', 0);
    expect(d.gicr(0, 'GICR_CTLR') & 1).toBe(profile === 'architecture' ? 1 : 0);
  });

  it('loads what the pending table in memory says when LPIs are enabled', () => {
    const d = new Driver(profile).enable();
    d.store(0x4100_0000 + LPI - 8192, ON);
    d.store(0x4200_0000 + (LPI >> 3), 1 << (LPI & 7));
    d.wide('GICR', 0, GICR.GICR_PROPBASER.offset, 0x4100_000f, 0);
    d.wide('GICR', 0, GICR.GICR_PENDBASER.offset, 0x4200_0000, 0);
    d.gicr(0, 'GICR_CTLR', 1);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(LPI);
    expect(d.machine.state.memory.readByte(0x4200_0000 + (LPI >> 3))).toBe(0);
  });

  it('two-level device tables work, and an absent level-2 table is an unmapped device', () => {
    const d = new Driver(profile).enable().its();
    d.gits('GITS_CTLR', 0);
    d.wide('GITS', 0, GITS.GITS_BASER.offset, 0x4300_0200, 0xc000_0000);
    for (let k = 0; k < 8; k++) d.store(0x4300_0000 + k, [0, 0, 8, 0x43, 0, 0, 0, 0x80][k]!);
    d.gits('GITS_CTLR', 1);
    d.configure(LPI, ON);
    d.map(2, 0, LPI, 1);
    d.msi(2, 0);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(LPI);
    expect(d.command('MAPTI', { DeviceID: 0x3000, EventID: 0, pINTID: LPI, ICID: 0 })).toBe(
      ITS_ERRORS.MAPTI_UNMAPPED_DEVICE,
    );
  });
});
