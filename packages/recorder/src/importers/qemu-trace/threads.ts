// Decides which PE a line is about: by the affinity that it prints, or by the host thread that it comes from. If one
// thread runs several PEs, none of its lines is attributed to a PE.
import { type Identity, peOf } from '../common/identity.ts';
import type { Group } from './group.ts';
import type { Token } from './tokenize.ts';

/** The thread runs several PEs. */
export const SHARED = -1;
/** How often a thread may seem to run another PE from some line on and then turn out not to. */
const DOUBTS_MAX = 3;

/** What each thread runs from a line on: a PE or {@link SHARED}. */
export interface ThreadPart {
  /** The first line of the part, 1-based. */
  readonly from: number;
  /** By host thread. */
  readonly pes: ReadonlyMap<number, number>;
  /**
   * The part begins because the threads themselves reveal that another process prints; otherwise it begins at a known
   * boundary.
   */
  readonly byThreads: boolean;
}

/** How often each thread of a part named each PE, and which PE it named first. */
class Names {
  readonly from: number;
  readonly byThreads: boolean;
  readonly first = new Map<number, number>();
  private readonly counts = new Map<number, Map<number, number>>();

  constructor(from: number, byThreads: boolean) {
    this.from = from;
    this.byThreads = byThreads;
  }

  add(thread: number, pe: number, n = 1): void {
    if (!this.first.has(thread)) this.first.set(thread, pe);
    let pes = this.counts.get(thread);
    if (pes === undefined) this.counts.set(thread, (pes = new Map()));
    pes.set(pe, (pes.get(pe) ?? 0) + n);
  }

  /** The number of pairs of a thread and a PE that it has named. */
  get pairs(): number {
    let n = 0;
    for (const pes of this.counts.values()) n += pes.size;
    return n;
  }

  merge(other: Names): void {
    for (const [thread, pes] of other.counts) for (const [pe, n] of pes) this.add(thread, pe, n);
  }

  /** The number of threads that run another PE here than in `before`. */
  changed(before: Names): number {
    let n = 0;
    for (const [thread, pe] of this.first) {
      const was = before.first.get(thread);
      if (was !== undefined && was !== pe) n++;
    }
    return n;
  }

  part(): ThreadPart {
    const owner = new Map<number, { thread: number; n: number }>();
    for (const [thread, pes] of this.counts)
      for (const [pe, n] of pes) if (n > (owner.get(pe)?.n ?? 0)) owner.set(pe, { thread, n });
    const out = new Map<number, number>();
    for (const [thread, pes] of this.counts) {
      const most = [...pes].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
      // PEs that no other thread names more often belong to this thread, too. Others were named by a wrong line.
      const own = [...pes.keys()].filter((pe) => pe === most || owner.get(pe)!.thread === thread);
      out.set(thread, own.length > 1 ? SHARED : most);
    }
    return { from: this.from, pes: out, byThreads: this.byThreads };
  }
}

/** Finds out which PE each thread runs over a whole log. */
export class ThreadSurvey {
  private readonly parts: Names[] = [new Names(1, false)];
  /** What the threads run if another process began to print at the first line of this part. */
  private doubt: Names | undefined;
  private doubts = 0;

  /** A line of a thread names the PE that it runs. */
  name(thread: number, pe: number, line: number): void {
    const part = this.parts.at(-1)!;
    if (this.doubt !== undefined) {
      const now = this.doubt.first.get(thread);
      if (now === undefined || now === pe) {
        this.doubt.add(thread, pe);
        // One thread may have a wrong line, but two threads do not exchange their PEs because of one.
        if (this.doubt.changed(part) > 1) this.accept();
        return;
      }
      this.reject();
    }
    const was = part.first.get(thread);
    if (was === undefined || was === pe || this.doubts > DOUBTS_MAX) part.add(thread, pe);
    else {
      this.doubt = new Names(line, true);
      this.doubt.add(thread, pe);
    }
  }

  /** Another log begins at a line. */
  boundary(line: number): void {
    this.reject();
    this.parts.push(new Names(line, false));
    this.doubts = 0;
  }

  /** A measure of what is known. It does not change while the lines reveal nothing new. */
  get known(): number {
    return this.parts.reduce((n, part) => n + 1 + part.pairs, 0);
  }

  finish(): readonly ThreadPart[] {
    this.reject();
    return this.parts.map((names) => names.part());
  }

  private accept(): void {
    this.parts.push(this.doubt!);
    this.doubt = undefined;
  }

  private reject(): void {
    if (this.doubt === undefined) return;
    this.doubts++;
    this.parts.at(-1)!.merge(this.doubt);
    this.doubt = undefined;
  }
}

/** What each thread runs while the log is read: as a survey found it, or as far as the lines reveal it. */
export class Threads {
  private readonly group: Group;
  private readonly identity: Identity;
  /** The parts that a survey found, and the current one. */
  private readonly parts: readonly ThreadPart[];
  private at = 0;
  private readonly survey: ThreadSurvey | undefined;
  private threads = new Map<number, number>();
  /** The thread that each PE runs on. */
  private readonly threadOfPe = new Map<number, number>();

  /** `parts`: from a survey; `survey`: one that is being made. */
  constructor(group: Group, identity: Identity, parts: readonly ThreadPart[] = [], survey?: ThreadSurvey) {
    this.group = group;
    this.identity = identity;
    this.parts = parts;
    this.survey = survey;
  }

  /** The PE with an affinity as QEMU prints it. */
  pe(affinity: number): number {
    const pe = peOf(affinity);
    this.identity.showPe(pe);
    return pe;
  }

  /**
   * Moves to the part that a line belongs to. Returns whether that is another part, revealed by the threads themselves.
   */
  reach(line: number): boolean {
    let isSeam = false;
    while (this.at + 1 < this.parts.length && this.parts[this.at + 1]!.from <= line)
      isSeam = this.parts[++this.at]!.byThreads;
    return isSeam;
  }

  /** Another process prints from here on. */
  boundary(): void {
    this.survey?.boundary(this.group.lineNumber + 1);
    this.threads.clear();
    this.threadOfPe.clear();
  }

  /** A line of a thread names the PE that it runs. A PE that has another thread of its own contradicts it. */
  nameThread(t: Token, pe: number): void {
    if (t.thread === 0) return;
    this.survey?.name(t.thread, pe, this.group.lineNumber);
    const known = this.peOf(t.thread);
    if (known === pe || known === SHARED) return;
    if (this.parts.length > 0) {
      if (known !== undefined) this.contradict(known, pe);
      return;
    }
    const own = this.threadOfPe.get(pe);
    if (known === undefined) {
      this.threads.set(t.thread, pe);
      this.threadOfPe.set(pe, t.thread);
    } else if (own === undefined || own === t.thread) this.threads.set(t.thread, SHARED);
    else this.contradict(known, pe);
  }

  private contradict(known: number, pe: number): void {
    this.group.conflict('pe', [known, 0], [pe, 0], this.group.lineNumber);
  }

  private peOf(thread: number): number | undefined {
    return this.parts.length > 0 ? this.parts[this.at]!.pes.get(thread) : this.threads.get(thread);
  }

  /** The PE that a line's thread runs, or -1. */
  peOfThread(t: Token): number {
    return t.thread !== 0 ? (this.peOf(t.thread) ?? -1) : -1;
  }
}
