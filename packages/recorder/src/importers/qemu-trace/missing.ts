// Which kinds of stimuli a log lacks: lines need them, and the log has none. Knows no lines, only what they need.
import { CONFIGURING, type Missing, type Start } from '../common/learn/unknowns.ts';

/**
 * Kinds of stimuli that the log either lacks altogether or that did not occur. `isUsual`: it is usual for them not to
 * occur. `isRare`: they are missing only if that explains what else contradicts.
 */
export interface Doubtful {
  readonly sorts: ReadonlySet<Missing>;
  readonly isUsual: boolean;
  readonly isRare?: boolean;
}

/** This many lines that need a kind of stimulus cannot all be wrong. */
const NEEDS = 2;
/** Stimuli without which no interrupt is ever signalled. A log that has none of them lacks them if one line needs them. */
const ESSENTIAL: ReadonlySet<Missing> = new Set([
  'GICD writes',
  'GICR writes',
  'GITS writes',
  'ICC_PMR writes',
  'ICC_IGRPEN writes',
]);
/** How a log handles interrupts. */
export interface Handling {
  /** A PE was signalled an interrupt. */
  readonly isSignalled: boolean;
  /** An interrupt was acknowledged; one that is no LPI was acknowledged again. */
  readonly isTaken: boolean;
  readonly isTakenAgain: boolean;
  /** A PE has EOImode 1. */
  readonly isSplit: boolean;
}

export class MissingStimuli {
  readonly seen = new Set<Missing>();
  /** Lines that require stimuli of each kind to have occurred. */
  private readonly needs = new Map<Missing, Set<number>>();
  private readonly proven = new Set<Missing>();
  /** Lines about an LPI that is pending again though no message of the log made it so. */
  private readonly unexplained = new Set<number>();

  /** A line requires that there were stimuli of a kind. */
  need(stimuli: Missing, line: number): void {
    const lines = this.needs.get(stimuli);
    if (lines === undefined) this.needs.set(stimuli, new Set([line]));
    else if (lines.size < NEEDS) lines.add(line);
  }

  /** If the log has no stimuli of a kind, they are missing: what they change has changed. */
  prove(stimuli: Missing): void {
    this.proven.add(stimuli);
  }

  /** An LPI is pending again, and no command was executed since it was acknowledged. */
  pendingAgain(line: number): void {
    if (this.unexplained.size < NEEDS) this.unexplained.add(line);
  }

  /** What the log lacks, and what it may lack, if it begins like this. */
  finish(begins: Start, handling: Handling): { missing: Set<Missing>; doubtful: Doubtful[] } {
    const missing = this.missing();
    const isDoubtful = (one: Missing) =>
      begins === 'mid-life' && CONFIGURING.has(one) && !this.proven.has(one);
    const doubtful: Doubtful[] = [
      { sorts: new Set(missing.filter(isDoubtful)), isUsual: true },
      { sorts: this.modes(missing, handling), isUsual: true },
      { sorts: this.handling(missing, handling), isUsual: false },
      { sorts: this.single(missing, begins), isUsual: false, isRare: true },
    ];
    return {
      missing: new Set(missing.filter((one) => !isDoubtful(one))),
      doubtful: doubtful.filter(({ sorts }) => sorts.size > 0),
    };
  }

  /** A log that has neither EOImode nor deactivations may lack both. */
  private modes(missing: readonly Missing[], { isTakenAgain, isSplit }: Handling): Set<Missing> {
    const both = ['ICC_CTLR writes', 'deactivations'] as const;
    const isOpen = isTakenAgain && this.seen.has('ends') && !isSplit;
    return new Set(isOpen && !both.some((one) => this.seen.has(one) || missing.includes(one)) ? both : []);
  }

  /** A log in which interrupts are signalled, but none is acknowledged or none is ended, may lack those lines. */
  private handling(missing: readonly Missing[], { isTaken, isSignalled }: Handling): Set<Missing> {
    const isHandled = this.seen.has('acknowledges');
    const isOpen = (one: Missing) => !this.seen.has(one) && !missing.includes(one);
    if (isHandled ? !isTaken : !isSignalled || !isOpen('acknowledges')) return new Set();
    return new Set((['acknowledges', 'ends'] as const).filter(isOpen));
  }

  /** Where the log is a part of one, one line may be all that needs a sort. */
  private single(missing: readonly Missing[], begins: Start): Set<Missing> {
    if (begins === 'reset') return new Set();
    return new Set(this.needed((one, lines) => lines > 0 && !missing.includes(one)));
  }

  private missing(): Missing[] {
    const found = this.needed((one, lines) => lines >= (ESSENTIAL.has(one) ? 1 : NEEDS));
    // Commands that are not in the log may have made LPIs pending, so messages need not be missing as well.
    if (!found.includes('commands') || this.unexplained.size >= NEEDS) return found;
    return found.filter((one) => one !== 'MSIs');
  }

  /** Stimuli that the log lacks and that so many lines need. */
  private needed(by: (one: Missing, lines: number) => boolean): Missing[] {
    return [...this.needs]
      .filter(([one, lines]) => !this.seen.has(one) && by(one, lines.size))
      .map(([one]) => one);
  }
}
