// What the end of an interrupt reveals: which interrupt and priority were active, and EOImode.
import { type GicState, hasInterrupt } from '@gictrace/core/model';
import { RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { SYSREGS } from '@gictrace/core/spec';
import { AP1R, DIR, EOIRS, OF_GROUP_0 } from '../cpu-registers.ts';
import { SYSREG_WRITE } from '../record-kinds.ts';
import type { Explainer } from './explain.ts';
import type { Knowing } from './knowing.ts';
import { lastLine, type Mismatch } from './line-comparison.ts';
import type { Machines } from './machines.ts';
import type { Shared } from './shared.ts';
import type { Unknowns } from './unknowns.ts';

const CTLR_EL1 = SYSREGS.ICC_CTLR_EL1.encoding;
const EOIMODE = 2;

export class Ends {
  private readonly state: GicState;
  private readonly machines: Machines;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  private readonly explainer: Explainer;

  constructor({ machines, unknowns, knowing, explainer }: Shared) {
    this.state = machines.ahead.state;
    this.machines = machines;
    this.unknowns = unknowns;
    this.knowing = knowing;
    this.explainer = explainer;
  }

  /** A PE deactivates an interrupt apart from its end, so EOImode is 1. */
  beforeDeactivation(group: RecordBatch, i: number): void {
    const { unit, ctlr } = this.ownControl(group, i);
    if ((ctlr & EOIMODE) === 0)
      this.knowing.register(unit, group.pe[i]!, CTLR_EL1, ctlr | EOIMODE, 'state-from-end');
  }

  /** An interrupt that a PE ends was active there, with its priority. */
  before(pe: number, register: number, intid: number): void {
    const { state, unknowns } = this;
    if (!unknowns.isPartUnknown('active', pe)) return;
    const group = OF_GROUP_0.includes(register) ? 0 : 2;
    let active = 0;
    for (let n = 0; n < 4; n++)
      active |= state.ap0r[4 * pe + n]! | state.ap1r[4 * pe + n]! | state.ap1rS[4 * pe + n]!;
    if (active !== 0 || (intid >= 1020 && intid < 8192)) return;
    const priority = this.explainer.priorityOf(pe, intid);
    this.explainer.activePriorities.activate(
      pe,
      group,
      priority >= 0 && priority < 0xff ? priority : 0xa0,
      'state-from-end',
    );
    if (intid < 1020 && unknowns.isUnknown('active', pe, intid))
      this.knowing.interrupt('active', pe, intid, 1, 'state-from-end');
  }

  /**
   * Suppose a PE ends an interrupt, and in the model the interrupt competes again at once, but the source does not
   * signal it. It must still be active then, so EOImode is 1, if the source has not recorded EOImode.
   */
  splits(group: RecordBatch, from: number, { pe }: Mismatch): boolean {
    const w = from * RECORD_WORDS;
    const register = group.words[w]!;
    if (group.kind[from] !== SYSREG_WRITE || !EOIRS.includes(register) || group.pe[from] !== pe) return false;
    const intid = group.words[w + 1]! & 0xff_ffff;
    if (intid >= 1020 || this.state.hppiIntid[pe] !== intid || !this.unknowns.isPartUnknown('ctlr', pe))
      return false;
    if (lastLine(this.machines.behind.state, pe, group, from).intid === intid) return false;
    const { unit, ctlr } = this.ownControl(group, from);
    if (ctlr & EOIMODE) return false;
    this.machines.goBack();
    this.knowing.register(unit, pe, CTLR_EL1, ctlr | EOIMODE, 'state-from-end');
    this.machines.commitLearnt(this.knowing.batch, group, from);
    this.machines.shown.clear();
    return true;
  }

  /**
   * Suppose a PE ends an interrupt, and the source reveals that a priority is active afterwards. If the model already
   * has that priority active, it is not the one that was ended: the interrupt ended was more urgent.
   */
  moreUrgent(pe: number): void {
    const { batch } = this.knowing;
    for (let k = 0; k < batch.count; k++) {
      const w = k * RECORD_WORDS;
      const { words } = batch;
      const n = AP1R.indexOf(words[w + 3]!);
      const active = words[w + 5]!;
      if (n < 0 || active === 0 || this.state.ap1r[4 * pe + n] !== active) continue;
      const most = active & -active;
      words[w + 5] = (active | (most >>> 1)) >>> 0;
    }
  }

  /** An interrupt that a PE ends may compete again, even if the PE was signalled nothing in between. */
  touch(group: RecordBatch, from: number): void {
    const w = from * RECORD_WORDS;
    const intid = group.words[w + 1]! & 0xff_ffff;
    if (group.kind[from] !== SYSREG_WRITE || intid >= 1020) return;
    if (!EOIRS.includes(group.words[w]!) && group.words[w] !== DIR) return;
    if (hasInterrupt(this.state, intid)) this.unknowns.touch(group.pe[from]!, intid);
  }

  /** ICC_CTLR_EL1 in the model, of the Security state that makes the access. */
  private ownControl(group: RecordBatch, i: number): { unit: 'ICC' | 'ICC_S'; ctlr: number } {
    const isSecure = !this.state.singleSecurityOfPes && (group.flags[i]! & RECORD_FLAGS.secure) !== 0;
    const { ctlr, ctlrS } = this.state;
    return { unit: isSecure ? 'ICC_S' : 'ICC', ctlr: (isSecure ? ctlrS : ctlr)[group.pe[i]!]! };
  }
}
