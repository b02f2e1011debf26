// What a stimulus reveals about the state before it, whatever its effects are: an input line had the opposite level, an
// interrupt that is ended was active, an SGI belongs to the group for which it was sent.
import { type GicState, groupOf } from '@gictrace/core/model';
import { RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { DIR, EOIRS, SGIRS } from '../cpu-registers.ts';
import { FRAME_GICR, MMIO_WRITE, SGI_SENT, SYSREG_WRITE, WIRE_SET } from '../record-kinds.ts';
import type { Ends } from './ends.ts';
import type { Knowing } from './knowing.ts';
import { placeTables } from './placed-tables.ts';
import type { Shared } from './shared.ts';
import type { SourceFacts } from './source-facts.ts';
import type { Unknowns } from './unknowns.ts';

const CTLR = 0;
const ENABLE_LPIS = 1;

export class Beforehand {
  private readonly state: GicState;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  private readonly facts: SourceFacts;
  private readonly ends: Ends;

  constructor({ machines, unknowns, knowing, facts }: Shared, ends: Ends) {
    this.state = machines.ahead.state;
    this.unknowns = unknowns;
    this.knowing = knowing;
    this.facts = facts;
    this.ends = ends;
  }

  /** Takes what a stimulus reveals before it runs. */
  take(group: RecordBatch, i: number, end: number): void {
    const w = i * RECORD_WORDS;
    const { words } = group;
    const pe = group.pe[i]!;
    const { state } = this;
    if (group.kind[i] === WIRE_SET) this.lineBefore(pe, words[w]!, words[w + 1]!);
    else if (group.kind[i] === MMIO_WRITE) {
      const enables = words[w] === FRAME_GICR && words[w + 2] === CTLR && words[w + 4]! & ENABLE_LPIS;
      if (enables && words[w + 1]! < state.peCount)
        placeTables(state, this.unknowns, this.knowing, words[w + 1]!);
    } else if (group.kind[i] === SYSREG_WRITE && SGIRS.includes(words[w]!)) this.sgis(group, i, end);
    else if (group.kind[i] === SYSREG_WRITE && pe >= 0 && pe < state.peCount) {
      if (EOIRS.includes(words[w]!)) this.ends.before(pe, words[w]!, words[w + 1]! & 0xff_ffff);
      else if (words[w] === DIR && this.unknowns.isPartUnknown('ctlr', pe))
        this.ends.beforeDeactivation(group, i);
    }
  }

  /** An SGI that was sent belongs to the requested group. One that was requested but not sent does not. */
  private sgis(group: RecordBatch, from: number, end: number): void {
    if (!this.facts.shows(SGI_SENT)) return;
    // With two Security states, only what Non-secure software sends is conclusive.
    if (!this.state.singleSecurityOfPes && group.flags[from]! & (RECORD_FLAGS.secure | RECORD_FLAGS.el3))
      return;
    const intid = (group.words[from * RECORD_WORDS + 1]! >>> 24) & 0xf;
    const wanted = SGIRS.indexOf(group.words[from * RECORD_WORDS]!) === 1 ? 1 : 0;
    for (let i = from + 1; i < end; i++) {
      const pe = group.pe[i]!;
      if (group.kind[i] !== SGI_SENT || pe < 0 || pe >= this.state.peCount) continue;
      if (
        !this.unknowns.isUnknown('group', pe, intid) ||
        (groupOf(this.state, pe, intid) === 0) === (wanted === 0)
      )
        continue;
      this.knowing.interrupt('group', pe, intid, wanted, 'state-from-hppi');
    }
  }

  /** An input line had the opposite level before it changed, if the source has lines about changes only. */
  private lineBefore(pe: number, intid: number, level: number): void {
    if (intid >= 1020 || this.facts.repeatsLevels || !this.unknowns.isUnknown('level', pe, intid)) return;
    this.knowing.interrupt('level', pe, intid, 1 - level, 'input-line-from-change');
  }
}
