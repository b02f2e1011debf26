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
}

interface Choice {
  readonly pe: number;
  readonly isUndecided: boolean;
  readonly learnt: readonly Learnt[];
}
interface Branch {
  readonly world: World;
  /** A choice for each waiting act. */
  readonly path: Choice[];
}

/** Acts that wait for a decision, and assignments that are followed, at most. */
const WAITING_MAX = 512;
const BRANCHES_MAX = 64;

export class Attribution<T> {
  /** Acts that fit no PE: the log contradicts itself there, or what is known of it is wrong. */
  misfits = 0;
  private readonly pes: number;
  private readonly give: (one: Attributed<T>) => void;
  private branches: Branch[];
  private waiting: Act<T>[] = [];
  private readonly showsExceptions: boolean;

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
    this.give = give;
    this.branches = [{ world: World.first(pes, ppis, fromReset), path: [] }];
    this.showsExceptions = showsExceptions;
  }

  /** A PE took an IRQ exception: it was signalled an interrupt. */
  exception(pe: number): void {
    if (pe >= this.pes) return;
    const possible = this.branches.filter(({ world }) => world.canBeTaken(pe));
    if (possible.length > 0) this.branches = possible;
    else this.misfits++;
    for (const { world } of this.branches) world.taken(pe, true);
    this.flush();
  }

  add(act: Act<T>): void {
    this.waiting.push(act);
    let next: Branch[] = [];
    for (const branch of this.branches)
      for (const pe of this.candidates(branch.world, act)) {
        const world = branch.world.copy();
        const choice = this.follow(world, act, pe, false);
        if (choice !== undefined) join(next, { world, path: [...branch.path, choice] });
      }
    if (next.length === 0) {
      this.misfits++;
      const { world, path } = this.branches[0]!;
      const pe = this.candidates(world, act)[0] ?? this.shownPe(act) ?? 0;
      const choice = this.follow(world, act, act.deed === undefined ? -1 : pe, true)!;
      next = [{ world, path: [...path, { ...choice, isUndecided: act.deed !== undefined && this.pes > 1 }] }];
    }
    this.branches = next;
    if (next.length > BRANCHES_MAX || this.waiting.length > WAITING_MAX) this.settle();
    this.flush();
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
    return { pe, isUndecided: false, learnt };
  }

  /** Ends the waiting: the first assignment is taken, and says of each act on which the others differ that it is open. */
  private settle(): void {
    const [first, ...others] = this.branches;
    for (const other of others) mark(first!.path, other.path);
    this.branches = [first!];
  }

  /** Hands on the acts on which all assignments agree. */
  private flush(): void {
    const [first, ...others] = this.branches;
    const { path } = first!;
    let count = 0;
    while (count < path.length && others.every((other) => other.path[count] === path[count])) count++;
    if (count === 0) return;
    for (let k = 0; k < count; k++) this.give({ act: this.waiting[k]!, ...path[k]! });
    this.waiting = this.waiting.slice(count);
    for (const branch of this.branches) branch.path.splice(0, count);
  }
}

/** Adds a branch, unless its world is that of another one: nothing that follows can tell them apart. */
function join(branches: Branch[], branch: Branch): void {
  const same = branches.find(({ world }) => world.equals(branch.world));
  if (same === undefined) branches.push(branch);
  else mark(same.path, branch.path);
}

/** Marks the choices of a path on which another one differs. */
function mark(path: Choice[], other: readonly Choice[]): void {
  for (let k = 0; k < path.length; k++) {
    const [mine, its] = [path[k]!, other[k]!];
    if (mine !== its && (mine.pe !== its.pe || its.isUndecided)) path[k] = { ...mine, isUndecided: true };
  }
}
