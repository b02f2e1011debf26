// Saves a GIC as a hypervisor does: register by register, then the pages of guest memory that contain its tables. The model
// always keeps its tables in memory up to date, so there is nothing to flush.

import { readSysreg } from '../model/cpu-interface.ts';
import type { Machine } from '../model/machine.ts';
import { readMmio } from '../model/mmio.ts';
import { listRegisters } from '../model/virtual-state.ts';
import { GICD, GICR, GITS } from '../spec/index.ts';
import { SYSREGS, type SysregName } from '../spec/sysreg.ts';
import type { SavedItem, Step } from './registers.ts';

const GICD_ARRAYS = [
  'GICD_IGROUPR',
  'GICD_IGRPMODR',
  'GICD_ISENABLER',
  'GICD_ICFGR',
  'GICD_ISACTIVER',
] as const;
const GICR_ARRAYS = ['GICR_IGROUPR', 'GICR_IGRPMODR', 'GICR_ISENABLER', 'GICR_ISACTIVER'] as const;
const ICC: readonly SysregName[] = [
  'ICC_CTLR_EL1',
  'ICC_PMR_EL1',
  'ICC_BPR0_EL1',
  'ICC_BPR1_EL1',
  'ICC_AP0R0_EL1',
  'ICC_AP1R0_EL1',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
];
const ICH: readonly SysregName[] = ['ICH_VMCR_EL2', 'ICH_AP0R0_EL2', 'ICH_AP1R0_EL2', 'ICH_HCR_EL2'];

/** Everything that a restore needs, in a valid order. */
export function save(m: Machine): SavedItem[] {
  const items: SavedItem[] = [];
  const { state } = m;
  const add = (
    step: Step,
    name: string,
    instance: number,
    at: number,
    width: number,
    low: number,
    high = 0,
  ) => items.push({ step, name, instance, at, width, low: low >>> 0, high: high >>> 0 });
  const mmio = (step: Step, frame: number, name: string, instance: number, at: number, width: number) => {
    readMmio(m, frame, instance, at, width);
    add(step, name, instance, at, width, m.low, m.high);
  };
  const sysreg = (step: Step, name: SysregName, pe: number) => {
    readSysreg(m, pe, SYSREGS[name].encoding);
    add(step, name, pe, SYSREGS[name].encoding, 8, m.low, m.high);
  };
  const lines = state.irqCount / 32;
  mmio('GICD', 0, 'GICD_CTLR', 0, 0, 4);
  for (const name of GICD_ARRAYS) {
    const per = name === 'GICD_ICFGR' ? 2 : 1;
    for (let n = per; n < Math.floor(lines) * per; n++)
      mmio('GICD', 0, `${name}${n}`, 0, GICD[name].offset + 4 * n, 4);
  }
  for (let intid = 32; intid < state.irqCount; intid += 4)
    mmio('GICD', 0, `GICD_IPRIORITYR${intid / 4}`, 0, GICD.GICD_IPRIORITYR.offset + intid, 4);
  for (let intid = 32; intid < state.irqCount; intid++)
    mmio('GICD', 0, `GICD_IROUTER${intid}`, 0, GICD.GICD_IROUTER.offset + 8 * (intid - 32), 8);
  // Only the latch is saved here. The pending state from a level is restored with the input lines.
  for (let n = 1; n < lines; n++)
    add('GICD', `GICD_ISPENDR${n}`, 0, GICD.GICD_ISPENDR.offset + 4 * n, 4, state.spi.pending[n]!);
  for (let pe = 0; pe < state.peCount; pe++) {
    mmio('GICR', 1, 'GICR_WAKER', pe, GICR.GICR_WAKER.offset, 4);
    for (const name of GICR_ARRAYS) mmio('GICR', 1, `${name}0`, pe, GICR[name].offset, 4);
    mmio('GICR', 1, 'GICR_ICFGR1', pe, GICR.GICR_ICFGR.offset + 4, 4);
    for (let n = 0; n < 8; n++)
      mmio('GICR', 1, `GICR_IPRIORITYR${n}`, pe, GICR.GICR_IPRIORITYR.offset + 4 * n, 4);
    add('GICR', 'GICR_ISPENDR0', pe, GICR.GICR_ISPENDR.offset, 4, state.ppi.pending[pe]!);
    if (state.config.gicr.typer & 1) {
      mmio('GICR', 1, 'GICR_PROPBASER', pe, GICR.GICR_PROPBASER.offset, 8);
      mmio('GICR', 1, 'GICR_PENDBASER', pe, GICR.GICR_PENDBASER.offset, 8);
    }
    for (const name of ICC) sysreg('ICC', name, pe);
    for (let n = 0; n < listRegisters(state.config); n++) sysreg('ICH', `ICH_LR${n}_EL2` as SysregName, pe);
    for (const name of ICH) sysreg('ICH', name, pe);
    for (let intid = 16; intid < 32; intid++)
      if ((state.ppi.level[pe]! >>> intid) & 1) add('wires', 'level', pe, intid, 0, 1);
  }
  for (let intid = 32; intid < state.irqCount; intid++)
    if ((state.spi.level[intid >> 5]! >>> (intid & 31)) & 1) add('wires', 'level', -1, intid, 0, 1);
  const stretches = state.memory.stretches();
  for (let i = 0; i < stretches.length; i += 3) {
    const [from, to, byte] = [stretches[i]!, stretches[i + 1]!, stretches[i + 2]!];
    items.push({
      ...{ step: 'memory', name: 'stretch', instance: 0, at: from * 4096, width: 0, low: 0, high: 0 },
      stretch: { pages: to - from, byte },
    });
  }
  for (const [number, data, known] of state.memory.entries())
    items.push({
      step: 'memory',
      name: 'page',
      instance: 0,
      at: number * 4096,
      width: 0,
      low: 0,
      high: 0,
      page: { data: data.slice(), known: known.slice() },
    });
  for (let pe = 0; pe < state.peCount; pe++)
    if (state.config.gicr.typer & 1) {
      readMmio(m, 1, pe, GICR.GICR_CTLR.offset, 4);
      add('GICR', m.low & 1 ? 'GICR_CTLR (EnableLPIs)' : 'GICR_CTLR', pe, GICR.GICR_CTLR.offset, 4, m.low);
    }
  for (let its = 0; its < state.itsCount; its++) {
    for (let n = 0; n < 8; n++) mmio('GITS', 2, `GITS_BASER${n}`, its, GITS.GITS_BASER.offset + 8 * n, 8);
    mmio('GITS', 2, 'GITS_CBASER', its, GITS.GITS_CBASER.offset, 8);
    mmio('GITS', 2, 'GITS_CREADR', its, GITS.GITS_CREADR.offset, 8);
    mmio('GITS', 2, 'GITS_CWRITER', its, GITS.GITS_CWRITER.offset, 8);
    add('tables', 'tables', its, 0, 0, 0);
    mmio('GITS_CTLR', 2, 'GITS_CTLR', its, GITS.GITS_CTLR.offset, 4);
  }
  return items;
}
