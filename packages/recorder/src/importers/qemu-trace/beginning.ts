// Whether a log begins with the reset of the GIC or while the GIC is in use: what contradicts that it has just been reset,
// and whether its first accesses are those that software makes first.
import { GICD, GICR, GITS } from '@gictrace/core/spec';
import type { Missing } from '../common/learn/unknowns.ts';
import { FRAME_GICD, FRAME_GICR, FRAME_GITS } from '../common/record-kinds.ts';

const PIDR2 = 0xffe8;
const ENABLES = 7;
/** Registers that software reads or writes before it does anything else with a unit. */
const FIRST_ACCESSES: readonly (readonly number[])[] = [
  [GICD.GICD_CTLR.offset, GICD.GICD_TYPER.offset, GICD.GICD_IIDR.offset, PIDR2],
  [GICR.GICR_TYPER.offset, GICR.GICR_IIDR.offset, GICR.GICR_WAKER.offset, PIDR2],
  [GITS.GITS_TYPER.offset, GITS.GITS_IIDR.offset, PIDR2],
];
/** This many contradicting lines cannot all be wrong. */
const CONTRADICTIONS = 3;

/** What contradicts that the GIC has just been reset, and the accesses that the log must contain for it to count. */
const GROUNDS = {
  'forwarded before GICD_CTLR was written': 'GICD writes',
  'SPI not enabled': 'GICD writes',
  'SPI not in this group': 'GICD writes',
  'SGI or PPI not enabled': 'GICR writes',
  'SGI or PPI not in this group': 'GICR writes',
  'LPIs not enabled': 'GICR writes',
  'no tables of LPIs': 'GICR writes',
  'no command queue': 'GITS writes',
  'no tables of an ITS': 'GITS writes',
  'priority mask not set': 'ICC_PMR writes',
  'ended without an acknowledge': 'acknowledges',
  'signalled before the log begins': undefined,
  'a line fell that had not risen': undefined,
} as const satisfies Record<string, Missing | undefined>;
export type Ground = keyof typeof GROUNDS;

/** What of the GIC a log configures. */
export interface Configured {
  /** A register that holds where an ITS has its tables, its queue, or where LPIs have their configuration. */
  readonly hasTables: boolean;
  readonly hasQueue: boolean;
  readonly hasLpiTables: boolean;
  /** LPIs are enabled on a PE. */
  readonly enablesLpis: boolean;
}

export class Beginning {
  /** Lines that contradict the reset state, by what contradicts it. */
  private readonly grounds = new Map<Ground, Set<number>>();
  private firstAccess: boolean | undefined;
  /** By frame: whether its first access is one that software makes first. */
  private readonly firsts: (boolean | undefined)[] = [];

  contradict(ground: Ground, line: number): void {
    const lines = this.grounds.get(ground);
    if (lines === undefined) this.grounds.set(ground, new Set([line]));
    else if (lines.size < CONTRADICTIONS) lines.add(line);
  }

  /** An access to a frame. The first one of the log, and of each frame, counts. */
  access(frame: number, offset: number, low: number, write: boolean): void {
    const isFirst = isFirstAccess(frame, offset, low, write);
    this.firstAccess ??= isFirst;
    this.firsts[frame] ??= isFirst;
  }

  /** Whether the first access is none that software makes first. */
  get isLate(): boolean {
    return this.firstAccess === false;
  }

  /** An input line fell before any access. */
  falls(): void {
    this.firstAccess ??= false;
  }

  /**
   * Whether the GIC is in use when the log begins. `seen`: the kinds of stimuli in the log. `isUsed`: interrupts were
   * signalled or handled, and nothing configured the GIC before. `isShifted`: there are two Security states.
   */
  isInUse(seen: ReadonlySet<Missing>, isUsed: boolean, isShifted: boolean, configured: Configured): boolean {
    const grounds = [...this.grounds].filter(([ground]) => {
      const needs = GROUNDS[ground];
      if (isShifted && ground.endsWith('not in this group')) return false;
      return needs === undefined || seen.has(needs);
    });
    const lines = new Set(grounds.flatMap(([, one]) => [...one])).size;
    // One wrong line may make everything after it contradict in one way, or may be the only contradiction.
    const inUse =
      this.firstAccess === true ? grounds.length > 1 && lines >= CONTRADICTIONS : lines > 0 || isUsed;
    return inUse || this.isUnitInUse(new Set(grounds.map(([ground]) => ground)), configured);
  }

  /** Whether a unit is in use at its first access, and nothing in the log configures it. */
  private isUnitInUse(
    grounds: ReadonlySet<Ground>,
    { hasTables, hasQueue, hasLpiTables, enablesLpis }: Configured,
  ): boolean {
    const isLate = (frame: number) => this.firsts[frame] === false;
    // One wrong line is neither the first access nor all that configures a unit.
    return (
      (grounds.has('no command queue') && (isLate(FRAME_GITS) || (!hasTables && !hasQueue))) ||
      (grounds.has('no tables of an ITS') && (isLate(FRAME_GITS) || (!hasTables && !hasQueue))) ||
      (grounds.has('LPIs not enabled') && !hasLpiTables && !enablesLpis) ||
      (grounds.has('no tables of LPIs') && isLate(FRAME_GICR))
    );
  }
}

function isFirstAccess(frame: number, offset: number, low: number, write: boolean): boolean {
  if (frame === FRAME_GICD && offset === GICD.GICD_CTLR.offset && !write && low & ENABLES) return false;
  return FIRST_ACCESSES[frame]!.includes(offset);
}
