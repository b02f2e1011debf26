// What a source that begins in mid-life, or lacks accesses, reveals about the virtual CPU interface of a PE.
import type { GicState } from '@gictrace/core/model';
import { RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { SYSREGS } from '@gictrace/core/spec';
import { FRAME_GICR, HPPI, SYSREG_READ, VHPPI } from '../record-kinds.ts';
import type { Effects } from './effects.ts';
import type { Knowing } from './knowing.ts';
import type { LineComparison, Mismatch } from './line-comparison.ts';
import type { Machines } from './machines.ts';
import type { Shared } from './shared.ts';
import type { SourceFacts } from './source-facts.ts';
import type { Unknowns } from './unknowns.ts';

const VLPI_FRAME = 0x2_0000;
const VIRTUAL: ReadonlySet<number> = new Set(
  Object.entries(SYSREGS).flatMap(([name, { encoding }]) => (/^IC[HV]_/.test(name) ? [encoding] : [])),
);
const HCR = SYSREGS.ICH_HCR_EL2.encoding;
const VMCR = SYSREGS.ICH_VMCR_EL2.encoding;
/** ICH_VMCR_EL2: both groups enabled, no priority masked. */
const VMCR_OPEN = 0xff00_0003;

export class Virtual {
  private readonly state: GicState;
  private readonly machines: Machines;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  private readonly effects: Effects;
  private readonly facts: SourceFacts;
  private readonly comparisons: readonly LineComparison[];
  private readonly vhppi: LineComparison;

  constructor(
    { machines, unknowns, knowing, effects, facts }: Shared,
    comparisons: readonly LineComparison[],
  ) {
    this.state = machines.ahead.state;
    this.machines = machines;
    this.unknowns = unknowns;
    this.knowing = knowing;
    this.effects = effects;
    this.facts = facts;
    this.comparisons = comparisons;
    this.vhppi = comparisons.find(({ kind }) => kind === VHPPI)!;
  }

  /** A line says that a virtual interrupt is signalled while the model has the virtual CPU interface disabled. */
  learn(group: RecordBatch, from: number, end: number): boolean {
    if (!this.unknowns.isPartUnknownOfAny('virtual')) return false;
    const differing: Mismatch[] = [];
    this.vhppi.compare(this.machines.behind.state, group, from + 1, end, this.machines.shown, differing);
    const one = differing.find(({ at, pe }) => {
      const w = at * RECORD_WORDS;
      const { hppi } = this.state.virtual;
      const isSignalled_ = at >= 0 && (group.words[w + 4]! | group.words[w + 5]!) !== 0;
      return isSignalled_ && (hppi[6 * pe + 4]! | hppi[6 * pe + 5]!) === 0;
    });
    if (one === undefined) return false;
    this.machines.goBack();
    if (!this.enable(one.pe)) return this.machines.runAgain(group, from);
    this.machines.commitLearnt(this.knowing.batch, group, from);
    this.machines.shown.clear();
    return true;
  }

  /**
   * The virtual CPU interface of a PE was enabled, and then so were its groups, and its priority mask masked nothing.
   */
  enable(pe: number): boolean {
    const { virtual } = this.state;
    if (!this.unknowns.isPartUnknown('virtual', pe)) return false;
    if (!this.effects.isVirtualKnown(pe, HCR) && (virtual.hcr[pe]! & 1) === 0)
      this.knowing.register('ICH', pe, HCR, virtual.hcr[pe]! | 1, 'state-from-vhppi');
    else if (!this.effects.isVirtualKnown(pe, VMCR) && (virtual.vmcr[pe]! & VMCR_OPEN) >>> 0 !== VMCR_OPEN)
      this.knowing.register('ICH', pe, VMCR, (virtual.vmcr[pe]! | VMCR_OPEN) >>> 0, 'state-from-vhppi');
    else return false;
    return true;
  }

  /** Whether a read is of the virtual CPU interface or the VLPI frame of a PE for which that state is unknown. */
  isOf(group: RecordBatch, i: number): boolean {
    const w = i * RECORD_WORDS;
    const { words } = group;
    if (group.kind[i] === SYSREG_READ)
      return VIRTUAL.has(words[w]!) && this.unknowns.isPartUnknown('virtual', group.pe[i]!);
    return (
      words[w] === FRAME_GICR &&
      words[w + 2]! >= VLPI_FRAME &&
      this.unknowns.isPartUnknown('virtual', words[w + 1]!)
    );
  }

  judge(group: RecordBatch, from: number, end: number, undecided: () => void): void {
    if (!this.unknowns.isPartUnknownOfAny('virtual')) return;
    for (const comparison of this.comparisons) {
      if (comparison.kind === HPPI) continue;
      const differing: Mismatch[] = [];
      comparison.compare(this.machines.behind.state, group, from + 1, end, this.machines.shown, differing);
      for (const { at, pe } of differing) {
        if (!this.unknowns.isPartUnknown('virtual', pe) || !this.facts.shows(comparison.kind)) continue;
        this.effects.forgetVirtual(pe);
        undecided();
        // Later lines may repeat it.
        for (let i = at < 0 ? end : at; i < end; i++)
          if (group.kind[i] === comparison.kind && group.pe[i] === pe)
            group.flags[i]! |= RECORD_FLAGS.undecided;
      }
    }
  }
}
