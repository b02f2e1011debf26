// What KVM is not given by the fuzzer, and that everything else is given.
import { Machine, step } from '@gictrace/core/model';
import { KIND, RecordBatch, type RecordName } from '@gictrace/core/record';
import { GICD, SYSREGS, type SysregName } from '@gictrace/core/spec';
import { describe, expect, it } from 'vitest';
import { plainConfig } from '../synthetic.test-support.ts';
import { KvmLeftOut } from './left-out.ts';

const LIST_REGISTERS = 4;

function stimulus(kind: RecordName, pe: number, ...words: number[]): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(KIND[kind], pe, Number.NaN);
  batch.words.set(words);
  return batch;
}

function gic(countsEois = false) {
  const machine = new Machine(plainConfig(2));
  const limits = new KvmLeftOut({ listRegisters: LIST_REGISTERS, countsEois }, 2);
  /** Gives a stimulus if it is not left out; returns the reason. */
  const give = (kind: RecordName, pe: number, ...words: number[]) => {
    const batch = stimulus(kind, pe, ...words);
    const reason = limits.before(machine, batch);
    if (reason !== undefined) return reason;
    step(machine, batch, 0);
    limits.after(machine, batch);
    return undefined;
  };
  const write = (name: SysregName, value: number) => give('sysreg.write', 0, SYSREGS[name].encoding, value);
  const read = (name: SysregName) => give('sysreg.read', 0, SYSREGS[name].encoding);
  const gicd = (offset: number, value: number) => give('mmio.write', 0, 0, 0, offset, 4, value);
  gicd(GICD.GICD_CTLR.offset, 3);
  give('mmio.write', 0, 1, 0, 0x14, 4, 0);
  write('ICC_PMR_EL1', 0xf8);
  write('ICC_IGRPEN0_EL1', 1);
  return { give, write, read, gicd, machine, limits };
}

describe('what KVM is not given', () => {
  it('is an EOI of another group than what is active, but not one of the same group', () => {
    const { write, read, gicd } = gic();
    gicd(GICD.GICD_ISENABLER.offset + 4, 1);
    expect(write('ICC_EOIR1_EL1', 32)).toBeUndefined();
    gicd(GICD.GICD_ISPENDR.offset + 4, 1);
    read('ICC_IAR0_EL1');
    expect(write('ICC_EOIR1_EL1', 32)).toContain('another group');
    expect(write('ICC_EOIR0_EL1', 32)).toBeUndefined();
    expect(write('ICC_EOIR1_EL1', 32)).toBeUndefined();
  });

  it('is an EOI of an interrupt that is not active, if KVM counts those', () => {
    for (const countsEois of [true, false]) {
      const { write, read, gicd } = gic(countsEois);
      gicd(GICD.GICD_ISENABLER.offset + 4, 1);
      gicd(GICD.GICD_ISPENDR.offset + 4, 1);
      read('ICC_IAR0_EL1');
      const refused = write('ICC_EOIR0_EL1', 33);
      if (countsEois) expect(refused).toContain('UNPREDICTABLE');
      else expect(refused).toBeUndefined();
      if (countsEois) expect(write('ICC_EOIR0_EL1', 32)).toBeUndefined();
    }
  });

  it('is an EOI of an interrupt whose group has changed since its acknowledge', () => {
    const { write, read, gicd } = gic();
    gicd(GICD.GICD_ISENABLER.offset + 4, 1);
    gicd(GICD.GICD_ISPENDR.offset + 4, 1);
    read('ICC_IAR0_EL1');
    gicd(GICD.GICD_IGROUPR.offset + 4, 1);
    expect(write('ICC_EOIR0_EL1', 32)).toContain('group has changed');
    gicd(GICD.GICD_IGROUPR.offset + 4, 0);
    expect(write('ICC_EOIR0_EL1', 32)).toBeUndefined();
  });

  it('is an EOI after the binary point has changed, until it is as it was at the acknowledge', () => {
    const { write, read, gicd } = gic();
    gicd(GICD.GICD_IPRIORITYR.offset + 32, 0x70);
    gicd(GICD.GICD_ISENABLER.offset + 4, 1);
    gicd(GICD.GICD_ISPENDR.offset + 4, 1);
    read('ICC_IAR0_EL1');
    write('ICC_BPR0_EL1', 5);
    expect(write('ICC_EOIR0_EL1', 32)).toContain('binary point');
    write('ICC_BPR0_EL1', 2);
    expect(write('ICC_EOIR0_EL1', 32)).toBeUndefined();
  });

  it('is what would make as many interrupts active as there are list registers', () => {
    const { gicd, read } = gic();
    expect(gicd(GICD.GICD_ISACTIVER.offset + 4, 0b1111)).toContain('list registers');
    expect(gicd(GICD.GICD_ISACTIVER.offset + 4, 0b111)).toBeUndefined();
    expect(read('ICC_IAR1_EL1')).toContain('list registers');
    expect(gicd(GICD.GICD_ICACTIVER.offset + 4, 0b1)).toBeUndefined();
    expect(read('ICC_IAR1_EL1')).toBeUndefined();
  });

  it('is the end of an SPI that another PE has active', () => {
    const { gicd, read, write, give } = gic();
    gicd(GICD.GICD_ISENABLER.offset + 4, 1);
    gicd(GICD.GICD_ISPENDR.offset + 4, 1);
    read('ICC_IAR0_EL1');
    const end = (name: SysregName, pe: number) => give('sysreg.write', pe, SYSREGS[name].encoding, 32);
    expect(end('ICC_DIR_EL1', 1)).toContain('another PE');
    expect(end('ICC_EOIR0_EL1', 1)).toContain('another PE');
    expect(write('ICC_EOIR0_EL1', 32)).toBeUndefined();
    expect(end('ICC_DIR_EL1', 1)).toBeUndefined();
  });

  it('is another trigger for an SPI whose input line is high, and what KVM keeps of its timers', () => {
    const { gicd, give } = gic();
    const icfgr2 = GICD.GICD_ICFGR.offset + 8;
    give('wire.set', -1, 33, 1);
    expect(gicd(icfgr2, 0b1000)).toContain('input line is high');
    expect(gicd(icfgr2, 0b10)).toBeUndefined();
    give('wire.set', -1, 33, 0);
    expect(gicd(icfgr2, 0b1000)).toBeUndefined();
    const own = (value: number) => give('mmio.write', 0, 1, 0, 0x1_0000 + GICD.GICD_ISPENDR.offset, 4, value);
    expect(own(0x1_0000)).toContain('timers');
    expect(own(0x4_0000)).toBeUndefined();
  });

  it('clears no group enable of a CPU interface, and moves no LPI to a PE without LPIs', () => {
    const { write, give, machine } = gic();
    expect(write('ICC_IGRPEN1_EL1', 0)).toContain('other group');
    expect(write('ICC_IGRPEN1_EL1', 1)).toBeUndefined();
    const run = () => give('mmio.write', 0, 2, 0, 0x88, 8, 0x20, 0);
    expect(run()).toBeUndefined();
    machine.state.lpiPending[0]!.add(8192);
    expect(run()).toContain('LPIs disabled');
    machine.state.gicrCtlr.fill(1);
    expect(run()).toBeUndefined();
  });

  it('acknowledges no LPI with EOImode 1, and does not set that while one is acknowledged', () => {
    const { read, write, machine } = gic();
    expect(write('ICC_CTLR_EL1', 2)).toBeUndefined();
    machine.state.hppiIntid[0] = 8192;
    expect(read('ICC_IAR1_EL1')).toContain('EOImode 1');
    machine.state.hppiIntid[0] = 32;
    expect(read('ICC_IAR1_EL1')).toBeUndefined();
  });

  it('is a message of an LPI that may have been acknowledged in place of an SPI of the same priority, until the SPI ends', () => {
    const { write, read, gicd, give, machine } = gic();
    write('ICC_IGRPEN1_EL1', 1);
    gicd(GICD.GICD_IGROUPR.offset + 4, 1);
    gicd(GICD.GICD_IPRIORITYR.offset + 32, 0x50);
    gicd(GICD.GICD_ISENABLER.offset + 4, 1);
    gicd(GICD.GICD_ISPENDR.offset + 4, 1);
    machine.state.lpiPending[0]!.add(8192);
    machine.state.gicrCtlr.fill(1);
    const run = () => give('mmio.write', 0, 2, 0, 0x88, 8, 0x20, 0);
    for (const [priority, reason] of [
      [0x61, undefined],
      [0x51, expect.stringContaining('before its EOI')],
    ] as const) {
      machine.state.lpiConfig[0]!.set(8192, priority);
      read('ICC_IAR1_EL1');
      expect(run()).toEqual(reason);
      write('ICC_EOIR1_EL1', 32);
      expect(run()).toBeUndefined();
      gicd(GICD.GICD_ISPENDR.offset + 4, 1);
    }
    write('ICC_CTLR_EL1', 2);
    expect(read('ICC_IAR1_EL1')).toContain('EOImode 1');
  });

  it('is the same before and after a write to an ICV register, which ends nothing', () => {
    const { write, read, gicd, give, machine, limits } = gic();
    write('ICC_IGRPEN1_EL1', 1);
    gicd(GICD.GICD_IGROUPR.offset + 4, 1);
    gicd(GICD.GICD_ISENABLER.offset + 4, 1);
    gicd(GICD.GICD_ISPENDR.offset + 4, 1);
    machine.state.lpiConfig[0]!.set(8192, 1);
    read('ICC_IAR1_EL1');
    machine.low = 8192;
    limits.after(machine, stimulus('sysreg.read', 0, SYSREGS.ICC_IAR1_EL1.encoding));
    const run = () => give('mmio.write', 0, 2, 0, 0x88, 8, 0x20, 0);
    give('sysreg.write', 0, SYSREGS.ICV_EOIR1_EL1.encoding, 8192);
    expect(run()).toContain('before its EOI');
    write('ICC_EOIR1_EL1', 8192);
    expect(run()).toBeUndefined();
  });

  it('is asked about without changing it: only a new stimulus is made one that ends the LPI that is active', () => {
    const { write, read, gicd, machine, limits } = gic();
    write('ICC_IGRPEN1_EL1', 1);
    gicd(GICD.GICD_IGROUPR.offset + 4, 1);
    gicd(GICD.GICD_ISENABLER.offset + 4, 1);
    gicd(GICD.GICD_ISPENDR.offset + 4, 1);
    // The model's answer stands for that of an LPI, which has the priority of the SPI.
    machine.state.lpiConfig[0]!.set(8192, 1);
    read('ICC_IAR1_EL1');
    machine.low = 8192;
    limits.after(machine, stimulus('sysreg.read', 0, SYSREGS.ICC_IAR1_EL1.encoding));
    const end = stimulus('sysreg.write', 0, SYSREGS.ICC_EOIR1_EL1.encoding, 77);
    const given = [...end.words];
    limits.before(machine, end);
    expect([...end.words]).toEqual(given);
    limits.adapt(machine, end);
    expect([...end.words]).toEqual(given.with(1, 8192));
  });

  it('is MAPD with the table of another device', () => {
    const { give } = gic();
    const map = (device: number, table: number, valid: number) =>
      give('queue.write', 0, 0, 0x4500_0000, 0, 8, device, 2, 0, table, valid ? 0x8000_0000 : 0);
    expect(map(1, 0x4600_0000, 1)).toBeUndefined();
    expect(map(1, 0x4600_0000, 1)).toBeUndefined();
    expect(map(2, 0x4600_0000, 1)).toContain('another device');
    expect(map(2, 0x4600_0000, 0)).toBeUndefined();
    expect(map(2, 0x4600_1000, 1)).toBeUndefined();
  });

  it('is a write to a table of an ITS, but not one to its queue or to configurations of LPIs', () => {
    const { give } = gic();
    const store = (address: number) => give('mem.write', 0, address, 0, 1, 0xea, 0);
    for (const table of [0x4300_0040, 0x4400_0000, 0x4600_1000]) expect(store(table)).toContain('own memory');
    for (const other of [0x4500_0000, 0x4100_0005]) expect(store(other)).toBeUndefined();
  });

  it('is MOVALL, and identification registers that no configuration has', () => {
    const { give } = gic();
    expect(give('queue.write', 0, 0, 0x4500_0000, 0, 0xe)).toContain('MOVALL');
    expect(give('queue.write', 0, 0, 0x4500_0000, 0, 0x5)).toBeUndefined();
    expect(give('mmio.read', 0, 1, 0, 0xfff8, 4)).toContain('CIDR');
    expect(give('mmio.read', 0, 0, 0, 0xffe8, 4)).toBeUndefined();
  });
});
