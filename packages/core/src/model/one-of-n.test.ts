// SPIs that any of several PEs may take, and PEs that sleep (IHI 0069, "1 of N", "Participating nodes", "GICR_WAKER").
import { describe, expect, it } from 'vitest';
import { GICD } from '../spec/index.ts';
import { wakeRequested } from './arbitration.ts';
import { Driver, featured, TYPER } from './driver.test-support.ts';

const SPURIOUS = 1023;
const ROUTE = GICD.GICD_IROUTER.offset + 8 * 8;
const ANY = 0x8000_0000;
const DPGS = 0x20;

/** SPI 40 may go to any of three PEs. */
function gic(): Driver {
  const d = featured('architecture', { pes: 3, clear: TYPER.No1N, gicr: DPGS }).enable();
  d.spi(40);
  d.wide('GICD', 0, ROUTE, ANY, 0);
  return d;
}
/** The PEs that are told of an interrupt, signalled or not. */
const told = (d: Driver) =>
  [...d.machine.state.hppiIntid].flatMap((intid, pe) => (intid === SPURIOUS ? [] : [pe]));

it('GICD_IROUTER<n>.Interrupt_Routing_Mode is RAZ/WI in KVM, so that an SPI goes to the PE of its affinity', () => {
  const d = featured('kvm', { pes: 3, clear: TYPER.No1N }).enable();
  d.spi(40);
  d.wide('GICD', 0, ROUTE, ANY | 1, 0);
  expect(d.access('GICD', 0, ROUTE, 4)).toBe(1);
  d.wire(40, true);
  expect(told(d)).toEqual([1]);
});

describe('a 1 of N SPI', () => {
  it('goes to one PE, the first that can take it, and is acknowledged once', () => {
    const d = gic();
    d.wire(40, true);
    expect(told(d)).toEqual([0]);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(40);
    expect(told(d)).toEqual([]);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
  });

  it('goes elsewhere when a mask or a running interrupt keeps it from the first', () => {
    const d = gic();
    d.write(0, 'ICC_PMR_EL1', 0x10);
    d.wire(40, true);
    expect(told(d)).toEqual([1]);
    d.write(1, 'ICC_SGI1R_EL1', (5 << 24) | 0b10);
    expect(d.read(1, 'ICC_IAR1_EL1')).toBe(5);
    expect(told(d)).toEqual([2]);
    d.write(0, 'ICC_PMR_EL1', 0xf8);
    expect(told(d)).toEqual([0]);
  });

  it('waits at the first participating PE when none can take it now', () => {
    const d = gic();
    for (const pe of [0, 1, 2]) d.write(pe, 'ICC_PMR_EL1', 0x10);
    d.wire(40, true);
    expect(told(d)).toEqual([0]);
    expect([...d.machine.state.irq]).toEqual([0, 0, 0]);
  });

  it('leaves out PEs whose interface has the group disabled', () => {
    const d = gic();
    for (const pe of [0, 1, 2]) d.write(pe, 'ICC_IGRPEN1_EL1', 0);
    d.wire(40, true);
    expect(told(d)).toEqual([]);
    expect(d.gicd('GICD_ISPENDR', undefined, 1)).toBe(0x100);
    d.write(2, 'ICC_IGRPEN1_EL1', 1);
    expect(told(d)).toEqual([2]);
  });

  it('leaves out PEs that GICR_CTLR.DPG excludes, by group', () => {
    const d = gic();
    d.gicr(0, 'GICR_CTLR', 1 << 25);
    d.gicr(1, 'GICR_CTLR', 1 << 24);
    d.wire(40, true);
    expect(told(d)).toEqual([1]);
    d.spi(40, { group: 0 });
    d.wide('GICD', 0, ROUTE, ANY, 0);
    expect(told(d)).toEqual([0]);
  });

  it('leaves out sleeping PEs, unless E1NWF lets them be woken', () => {
    const d = gic();
    d.gicr(0, 'GICR_WAKER', 2);
    d.wire(40, true);
    expect(told(d)).toEqual([1]);
    d.gicr(1, 'GICR_WAKER', 2);
    d.gicr(2, 'GICR_WAKER', 2);
    expect(told(d)).toEqual([]);
    d.gicd('GICD_CTLR', 0x83);
    expect(d.gicd('GICD_CTLR')).toBe(0xd3);
    expect(told(d)).toEqual([0]);
    expect(wakeRequested(d.machine.state, 0)).toBe(true);
    expect(wakeRequested(d.machine.state, 1)).toBe(false);
  });

  it('does not exist where GICD_TYPER.No1N is 1', () => {
    const d = new Driver('architecture', 2).enable();
    d.spi(40);
    d.wide('GICD', 0, ROUTE, ANY | 1, 0);
    expect(d.access('GICD', 0, ROUTE, 4)).toBe(1);
    d.gicd('GICD_CTLR', 0x83);
    expect(d.gicd('GICD_CTLR')).toBe(0x53);
    d.wire(40, true);
    expect(told(d)).toEqual([1]);
  });

  it('goes to no PE of its own accord where a profile keeps IRM but No1N is 1', () => {
    const d = new Driver('qemu-virt', 2).enable();
    d.spi(40);
    d.wide('GICD', 0, ROUTE, ANY | 1, 0);
    expect(d.access('GICD', 0, ROUTE, 4)).toBe(ANY + 1);
    d.wire(40, true);
    expect(told(d)).toEqual([1]);
  });

  it('keeps no reserved bits of GICD_IROUTER', () => {
    const d = gic();
    d.wide('GICD', 0, ROUTE, 0xffff_ffff, 0xffff_ffff);
    expect(d.access('GICD', 0, ROUTE, 4)).toBe(0x80ff_ffff);
    expect(d.access('GICD', 0, ROUTE + 4, 4)).toBe(0xff);
  });
});

describe('a sleeping PE', () => {
  it('gets no interrupt, and its Redistributor asks that it be woken', () => {
    const d = new Driver('architecture').enable();
    d.gicr(0, 'GICR_WAKER', 2);
    expect(d.gicr(0, 'GICR_WAKER')).toBe(6);
    expect(wakeRequested(d.machine.state, 0)).toBe(false);
    d.write(1, 'ICC_SGI1R_EL1', (5 << 24) | 1);
    expect(d.machine.state.irq[0]).toBe(0);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(SPURIOUS);
    expect(wakeRequested(d.machine.state, 0)).toBe(true);
    d.gicr(0, 'GICR_WAKER', 0);
    expect(d.gicr(0, 'GICR_WAKER')).toBe(0);
    expect(wakeRequested(d.machine.state, 0)).toBe(false);
    expect(d.machine.state.irq[0]).toBe(1);
    expect(d.read(0, 'ICC_IAR1_EL1')).toBe(5);
  });
});
