// The configuration byte of an LPI where the source does not contain it: whether it may differ from the model's, and what
// it must have held.
import { configTableAddress, type GicState } from '@gictrace/core/model';
import type { RuleName } from '@gictrace/core/record';
import { LPI_FIRST } from '@gictrace/core/spec';
import type { Knowing } from './knowing.ts';
import type { Unknowns } from './unknowns.ts';

export class LpiConfiguration {
  private readonly state: GicState;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;
  /** Whether the source contains guest stores, so that configuration bytes are known. */
  storesShown = false;

  constructor(state: GicState, unknowns: Unknowns, knowing: Knowing) {
    this.state = state;
    this.unknowns = unknowns;
    this.knowing = knowing;
  }

  /** Whether an LPI's configuration byte may differ from the model's. */
  isUnknown(pe: number, intid: number): boolean {
    if (this.isDoubtful(pe, intid)) return true;
    if (this.storesShown) return false;
    if (this.unknowns.ordered.has(intid)) return true;
    const cached = this.state.lpiConfig[pe]!.get(intid);
    if (cached !== undefined) return cached >= 256;
    return !this.state.memory.isKnown(configTableAddress(this.state, pe) + intid - LPI_FIRST);
  }

  /**
   * Whether an LPI's configuration is unknown because of a command that is not in the source, or because of the moment
   * at which a command made the LPI pending.
   */
  private isDoubtful(pe: number, intid: number): boolean {
    const { unknowns } = this;
    if (!unknowns.isDoubtful) return false;
    return (
      unknowns.isConfigLost(pe, intid) ||
      !this.isByteKnown(pe, intid) ||
      (unknowns.rewritten.has(intid) && unknowns.isLpiUnknown(pe, intid))
    );
  }

  /** The LPI is enabled with this priority. */
  configure(pe: number, intid: number, priority: number, rule: RuleName): void {
    const byte = this.state.singleSecurity ? priority & 0xfc : (priority << 1) & 0xfc;
    this.know(pe, intid, byte | 1, rule);
  }

  /**
   * Memory whose content is in the source keeps it. In that case it is the Redistributor that has read a different
   * value.
   */
  know(pe: number, intid: number, byte: number, rule: RuleName): void {
    const isCached = this.storesShown && this.isByteKnown(pe, intid);
    this.knowing.interrupt(
      isCached ? 'cached LPI configuration' : 'LPI configuration',
      pe,
      intid,
      byte,
      rule,
    );
  }

  private isByteKnown(pe: number, intid: number): boolean {
    return this.state.memory.isKnown(configTableAddress(this.state, pe) + intid - LPI_FIRST);
  }
}
