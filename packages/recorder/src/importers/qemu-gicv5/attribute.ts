// Finds the PE of each step by elimination: follows every assignment of the steps to PEs that the log does not contradict,
// and hands a step on when they all agree, or when nothing that follows can decide any more.
import { type Deed, type Learnt, type Shown, World } from './world.ts';

/** A step as the attribution sees it: what needs a PE, and what is shown of PEs. */
export interface Act<T> {
  readonly deed: Deed | undefined;
  readonly shown: readonly Shown[];
  /** Whatever the caller wants back. */
  readonly step: T;
}

export interface Attributed<T> {
  readonly act: Act<T>;
  /** The PE; -1 if the step needs none. */
  readonly pe: number;
  /** Several PEs can have done it, and this is one of them. */
  readonly isUndecided: boolean;
  readonly learnt: readonly Learnt[];
  /** The state of the CPU interfaces is not known any more. */
  readonly isLost: boolean;
}

interface Choice {
  readonly pe: number;
  readonly isUndecided: boolean;
  readonly learnt: readonly Learnt[];
}
interface Branch {
  readonly world: World;
  /** How often a PE did what software does not usually do, and where each PE is: PHASES. */
  readonly cost: number;
  readonly phases: Uint8Array;
  /** A choice for each waiting act. */
  readonly path: Choice[];
}

/**
 * Where a PE is in what software usually does, with interrupts masked from the acknowledge of a PPI to its deactivation. It
 * excludes nothing; of several assignments that the log does not contradict, the most usual one is taken.
 */
const PHASES = { free: 0, acknowledged: 1, handling: 2 } as const;

/** Acts that wait for a decision, and assignments that are followed, at most. */
const WAITING_MAX = 2048;
const BRANCHES_MAX = 256;

export class Attribution<T> {
  /** Acts that fit no PE: the log contradicts itself there, or what is known of it is wrong. */
  misfits = 0;
  private readonly pes: number;
  private readonly ppis: readonly number[];
  private readonly give: (one: Attributed<T>) => void;
  private branches: Branch[];
  private waiting: Act<T>[] = [];
  private readonly showsExceptions: boolean;
  /** Whether assignments had to be dropped because there were too many, so that the right one may be among them. */
  private hasDropped = false;
  /**
   * Whether, after that, a step fitted no PE: the right assignment was dropped, and what the log shows of CPU interfaces means
   * nothing until the next reset.
   */
  private isLost = false;

  constructor(
    pes: number,
    {
      ppis,
      fromReset,
      showsExceptions,
    }: { ppis: readonly number[]; fromReset: boolean; showsExceptions: boolean },
    give: (one: Attributed<T>) => void,
  ) {
    this.pes = pes;
    this.ppis = ppis;
    this.give = give;
    this.branches = [this.beginning(fromReset)];
    this.showsExceptions = showsExceptions;
  }

  /** A PE took an IRQ exception: it was signalled an interrupt. */
  exception(pe: number): void {
    if (pe >= this.pes || this.isLost) return;
    const possible = this.branches.filter(({ world }) => world.canBeTaken(pe));
    if (possible.length > 0) this.branches = possible;
    else this.misfits++;
    for (const { world } of this.branches) world.taken(pe, true);
    this.flush();
  }

  add(act: Act<T>): void {
    if (this.isLost) {
      const pe = act.deed === undefined ? -1 : (this.shownPe(act) ?? 0);
      this.give({ act, pe, isUndecided: act.deed !== undefined, learnt: [], isLost: true });
      return;
    }
    this.waiting.push(act);
    const found = new Branches();
    for (const branch of this.branches)
      for (const pe of this.candidates(branch.world, act)) {
        const world = branch.world.copy();
        const choice = this.follow(world, act, pe, false);
        if (choice !== undefined)
          found.add({ world, path: [...branch.path, choice], ...usual(branch, act.deed, pe) });
      }
    let next = found.all;
    if (next.length === 0 && this.hasDropped) {
      this.waiting.pop();
      this.end();
      this.isLost = true;
      this.add(act);
      return;
    }
    if (next.length === 0) {
      this.misfits++;
      const branch = cheapest(this.branches);
      const { world, path } = branch;
      const pe = this.candidates(world, act)[0] ?? this.shownPe(act) ?? 0;
      const choice = this.follow(world, act, act.deed === undefined ? -1 : pe, true)!;
      const open = { ...choice, isUndecided: act.deed !== undefined && this.pes > 1 };
      next = [{ world, path: [...path, open], ...usual(branch, act.deed, pe) }];
    }
    this.branches = next;
    if (next.length > BRANCHES_MAX || this.waiting.length > WAITING_MAX) this.widen();
    this.flush();
  }

  /** Makes fewer branches of many: those that differ only in what is known become one that knows less. */
  private widen(): void {
    const wider: Branch[] = [];
    for (const branch of [...this.branches].sort((a, b) => a.cost - b.cost)) {
      const into = wider.find(({ world }) => world.takeIn(branch.world));
      if (into === undefined) wider.push(branch);
      else mark(into.path, branch.path);
    }
    this.branches = wider;
    if (wider.length > BRANCHES_MAX || (wider.length > 1 && this.waiting.length > WAITING_MAX)) {
      this.hasDropped = true;
      this.settle();
    }
  }

  /** The machine was reset: nothing of what was known holds on. */
  reset(): void {
    this.end();
    this.hasDropped = false;
    this.isLost = false;
    this.branches = [this.beginning(true)];
  }

  private beginning(fromReset: boolean): Branch {
    const phases = new Uint8Array(this.pes);
    return { world: World.first(this.pes, this.ppis, fromReset), path: [], cost: 0, phases };
  }

  end(): void {
    this.settle();
    this.flush();
  }

  private candidates(world: World, { deed }: Act<T>): readonly number[] {
    if (deed === undefined) return [-1];
    const found = world.candidates(deed, this.pes);
    if (deed.does !== 'acknowledge' || !this.showsExceptions) return found;
    const after = found.filter((pe) => world.hasTaken(pe));
    return after.length > 0 ? after : found;
  }

  private shownPe({ shown }: Act<T>): number | undefined {
    return shown.find(({ pe }) => pe >= 0)?.pe;
  }

  /** The choice of a PE for an act in a world, or undefined if what is shown excludes it. */
  private follow(world: World, { deed, shown }: Act<T>, pe: number, force: boolean): Choice | undefined {
    const learnt: Learnt[] = [];
    if (deed !== undefined) world.do(deed, pe, learnt);
    if (deed?.does === 'acknowledge') world.taken(pe, false);
    for (const one of shown) {
      const whose = one.pe >= 0 ? one.pe : pe;
      // A PE acknowledges what is targeted at it, so the IRS recalculates for that PE.
      if (one.is === 'irs' && deed?.does === 'acknowledge' && whose !== pe && !force) return undefined;
      if (whose >= 0 && whose < this.pes && !world.see(one, whose, learnt, force)) return undefined;
    }
    // What is left proves nothing if the right assignment may have been dropped. The IRS names the PE of an acknowledge of
    // an SPI or LPI, whatever else is known.
    const isNamed = shown.some((one) => one.is === 'irs' && one.pe === pe);
    const isProof = !this.hasDropped && this.misfits === 0;
    return { pe, isUndecided: !isProof && deed !== undefined && this.pes > 1 && !isNamed, learnt };
  }

  /** Ends the waiting: the first assignment is taken, and says of each act on which the others differ that it is open. */
  private settle(): void {
    const first = cheapest(this.branches);
    for (const other of this.branches) if (other !== first) mark(first.path, other.path);
    this.branches = [first];
  }

  /** Hands on the acts on which all assignments agree. */
  private flush(): void {
    const [first, ...others] = this.branches;
    const { path } = first!;
    let count = 0;
    while (count < path.length && others.every((other) => other.path[count] === path[count])) count++;
    if (count === 0) return;
    for (let k = 0; k < count; k++) this.give({ act: this.waiting[k]!, ...path[k]!, isLost: false });
    this.waiting = this.waiting.slice(count);
    for (const branch of this.branches) branch.path.splice(0, count);
  }
}

/**
 * Branches of which no two have the same world: nothing that follows can tell such two apart, so the more usual one stays.
 */
class Branches {
  readonly all: Branch[] = [];
  /** Places in `all` by the hash of the world. */
  private readonly places = new Map<number, number[]>();

  add(branch: Branch): void {
    const hash = branch.world.hash();
    const places = this.places.get(hash);
    const at = places?.find((place) => this.all[place]!.world.equals(branch.world));
    if (at === undefined) {
      if (places === undefined) this.places.set(hash, [this.all.length]);
      else places.push(this.all.length);
      this.all.push(branch);
      return;
    }
    const there = this.all[at]!;
    const [kept, other] = there.cost <= branch.cost ? [there, branch] : [branch, there];
    mark(kept.path, other.path);
    this.all[at] = kept;
  }
}

const cheapest = (branches: readonly Branch[]): Branch =>
  branches.reduce((best, one) => (one.cost < best.cost ? one : best));

/** What becomes of cost and phases when a PE does something. */
function usual(
  { cost, phases }: Branch,
  deed: Deed | undefined,
  pe: number,
): Pick<Branch, 'cost' | 'phases'> {
  if (deed === undefined || pe < 0) return { cost, phases };
  const step = (from: number, to: number) => {
    const now = phases.slice();
    now[pe] = to;
    return { cost: phases[pe] === from ? cost : cost + 1, phases: now };
  };
  switch (deed.does) {
    case 'acknowledge':
      return step(PHASES.free, PHASES.acknowledged);
    case 'end': {
      return step(PHASES.acknowledged, PHASES.handling);
    }
    case 'deactivate':
      return step(PHASES.handling, PHASES.free);
    default:
      return { cost, phases };
  }
}

/** Marks the choices of a path on which another one differs. */
function mark(path: Choice[], other: readonly Choice[]): void {
  for (let k = 0; k < path.length; k++) {
    const [mine, its] = [path[k]!, other[k]!];
    if (mine !== its && (mine.pe !== its.pe || its.isUndecided)) path[k] = { ...mine, isUndecided: true };
  }
}
