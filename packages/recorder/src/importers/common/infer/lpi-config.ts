// Infers the configuration bytes of LPIs from what a PE is signalled, and forgets them where software may have rewritten
// them.
import { configTableAddress, type GicState } from '@gictrace/core/model';
import { RECORD_WORDS, type RecordBatch, type RuleName } from '@gictrace/core/record';
import { commandName, LPI_FIRST } from '@gictrace/core/spec';
import { ITE_READ, ITE_WRITE, ITS_COMMAND, MEM_KNOWN, MEM_UNKNOWN } from '../record-kinds.ts';

const ENABLE = 1;
const ENABLE_GRP1NS = 2;
const PRIORITY = 0xfc;

type Say = (kind: number, rule: RuleName, address: number, ...rest: number[]) => void;

export class LpiConfigInference {
  private readonly state: GicState;
  private readonly shows: (kind: number) => boolean;
  private readonly say: Say;
  /**
   * Whether an LPI that is pending in the model may in fact not be pending. If so, an LPI that is not signalled reveals
   * nothing about its configuration.
   */
  mayBeClear: (pe: number, intid: number) => boolean = () => false;

  constructor(state: GicState, shows: (kind: number) => boolean, say: Say) {
    this.state = state;
    this.shows = shows;
    this.say = say;
  }

  /** INV and INVALL: software may have rewritten configuration bytes by stores that are not in the source. */
  beforeCommand(group: RecordBatch, i: number, end: number): void {
    const { state } = this;
    const name = commandName(group.words[i * RECORD_WORDS + 4]!);
    if (name === 'INVALL') this.forgetTable();
    else if (name === 'INV' || name === 'MAPTI' || name === 'MAPI') {
      for (let k = i + 1; k < end && group.kind[k] !== ITS_COMMAND; k++) {
        if (group.kind[k] !== ITE_READ && group.kind[k] !== ITE_WRITE) continue;
        const intid = group.words[k * RECORD_WORDS + 6]!;
        if (intid < LPI_FIRST || group.words[k * RECORD_WORDS + 5] === 0) continue;
        const address = configTableAddress(state, 0) + intid - LPI_FIRST;
        if (state.memory.isKnown(address)) this.say(MEM_UNKNOWN, 'lpi-config-after-inv', address, 1);
        return;
      }
      // No line says which LPI the command is about.
      if (!this.shows(name === 'INV' ? ITE_READ : ITE_WRITE)) this.forgetTable();
    }
  }

  learn(pe: number, intid: number, priority: number): void {
    const { state } = this;
    const address = configTableAddress(state, pe) + intid - LPI_FIRST;
    if (state.memory.isKnown(address)) return;
    // With two Security states the priority is the byte's, shifted. An LPI cannot have a priority in the Secure half.
    const byte = state.singleSecurity ? priority & PRIORITY : ((priority << 1) & PRIORITY) >>> 0;
    this.say(MEM_KNOWN, 'lpi-config-from-hppi', address, 1, byte | ENABLE);
  }

  /**
   * If an LPI is pending and nothing is signalled, the LPI is disabled. Its priority stays unknown, since it has no
   * effect then.
   */
  learnDisabled(pe: number, intid: number): boolean {
    if (this.mayBeClear(pe, intid)) return false;
    const address = configTableAddress(this.state, pe) + intid - LPI_FIRST;
    if (this.state.memory.isKnown(address)) return false;
    this.say(MEM_KNOWN, 'lpi-disabled-from-silence', address, 1, 0);
    return true;
  }

  /** Whether an LPI of this priority would be the best interrupt of a PE. */
  outranks(pe: number, intid: number, priority: number): boolean {
    const { hppiPriority, hppiIntid } = this.state;
    if (priority !== hppiPriority[pe]) return priority < hppiPriority[pe]!;
    return hppiIntid[pe]! >= LPI_FIRST && intid < hppiIntid[pe]!;
  }

  /** Whether LPIs that are pending and enabled are signalled to a PE. */
  signalsLpis(pe: number): boolean {
    const { state } = this;
    return (state.gicrCtlr[pe]! & 1) !== 0 && (state.gicdCtlr[0]! & ENABLE_GRP1NS) !== 0;
  }

  private forgetTable(): void {
    const { state } = this;
    const ids = 2 ** ((state.propbaser[0]! & 0x1f) + 1);
    if (ids > LPI_FIRST && state.memory.anyKnown(configTableAddress(state, 0), ids - LPI_FIRST))
      this.say(MEM_UNKNOWN, 'lpi-config-after-inv', configTableAddress(state, 0), ids - LPI_FIRST);
  }
}
