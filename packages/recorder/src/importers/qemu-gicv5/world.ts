// What one PE or another must have done, so far as a log decides: one possible assignment of its lines to PEs, with the
// state of every CPU interface that follows. It holds what QEMU's CPU interface goes by, and what of it is unknown.
//
// Suppose that PPI 27 rises. It may be that of any PE on which it is low. If the line behind it says that PPI 27 is the
// highest-priority pending PPI, it is enabled on that PE; where it is known not to be, the assignment is impossible.

/** Idle priority. */
const IDLE = 255;
/** Words of a PE: these five, then three for each PPI. */
const HEAD = 5;
const [OPEN, APR, IRS_ID, IRS_PRIORITY, TAKEN] = [0, 1, 2, 3, 4];
const [STATE, ENABLE, PRIORITY] = [0, 1, 2];
const PER_PPI = 3;
const [LEVEL, ACTIVE] = [1, 2];
const UNKNOWN = -1;
const TYPE_LSB = 29;
const PPI = 1;

/** What an effect proved of a PE: an attribute of a PPI, or that its CPU interface lets interrupts through. */
export interface Learnt {
  readonly pe: number;
  readonly what: 'enable' | 'priority' | 'interface';
  /** The ID of the PPI; -1 for the interface. */
  readonly ppi: number;
  readonly value: number;
}

/** What a step needs a PE for. */
export type Deed =
  | { readonly does: 'level'; readonly ppi: number; readonly level: boolean }
  | { readonly does: 'acknowledge'; readonly intid: number }
  | { readonly does: 'find nothing' }
  | { readonly does: 'end' }
  | { readonly does: 'deactivate'; readonly ppi: number }
  | { readonly does: 'write PPI' }
  | { readonly does: 'write interface' };

/** An effect on a PE; `pe` is -1 for the PE that did it. */
export type Shown =
  | { readonly is: 'irs'; readonly pe: number; readonly intid: number; readonly priority: number }
  | { readonly is: 'ppi'; readonly pe: number; readonly intid: number; readonly priority: number }
  | { readonly is: 'signal'; readonly pe: number; readonly signalled: boolean };

export class World {
  private readonly words: Int32Array;
  /** PPIs that the log has named, in ascending order; shared by all worlds. */
  private readonly ppis: readonly number[];
  /** Words of a PE. */
  private readonly size: number;

  constructor(words: Int32Array, ppis: readonly number[]) {
    this.words = words;
    this.ppis = ppis;
    this.size = HEAD + PER_PPI * ppis.length;
  }

  /** The place of a PPI of a PE. */
  private at(pe: number, ppi: number): number {
    return pe * this.size + HEAD + PER_PPI * this.ppis.indexOf(ppi);
  }

  /** The state after a reset, or of a log that begins later: then everything that is no input line is unknown. */
  static first(pes: number, ppis: readonly number[], fromReset: boolean): World {
    const size = HEAD + PER_PPI * ppis.length;
    const world = new World(new Int32Array(pes * size), ppis);
    for (let pe = 0; pe < pes; pe++) {
      world.words[pe * size + IRS_PRIORITY] = IDLE;
      if (fromReset) continue;
      world.words[pe * size + OPEN] = UNKNOWN;
      for (const ppi of ppis) world.words[world.at(pe, ppi) + ENABLE] = UNKNOWN;
    }
    return world;
  }

  copy(): World {
    return new World(this.words.slice(), this.ppis);
  }

  /** Equal worlds have equal hashes (FNV-1a over words). */
  hash(): number {
    let hash = 0x811c_9dc5;
    for (const word of this.words) hash = Math.imul(hash ^ word, 0x0100_0193);
    return hash;
  }

  equals(other: World): boolean {
    const { words } = this;
    for (let k = 0; k < words.length; k++) if (words[k] !== other.words[k]) return false;
    return true;
  }

  /**
   * Takes in another world that differs only in what is known of enables, priorities and interfaces: what they do not
   * agree on is unknown. Returns whether it does.
   */
  takeIn(other: World): boolean {
    const { words, size } = this;
    const isKnowledge = (place: number) =>
      place < HEAD ? place === OPEN : (place - HEAD) % PER_PPI !== STATE;
    if (words.some((word, k) => word !== other.words[k] && !isKnowledge(k % size))) return false;
    for (let k = 0; k < words.length; k++) {
      if (words[k] === other.words[k]) continue;
      const place = k % size;
      // A priority is known as long as the enable is.
      const isPriority = place >= HEAD && (place - HEAD) % PER_PPI === PRIORITY;
      if (!isKnowledge(place)) continue;
      words[isPriority ? k - PRIORITY + ENABLE : k] = UNKNOWN;
    }
    return true;
  }

  /** Whether a PE can take an interrupt now. */
  canBeTaken(pe: number): boolean {
    return this.words[pe * this.size + OPEN] !== 0 && (this.eligible(pe) !== undefined || this.mayWait(pe));
  }

  /** Whether a PPI is waiting of which it is unknown whether it is enabled. */
  private mayWait(pe: number): boolean {
    return this.ppis.some((ppi) => {
      const place = this.at(pe, ppi);
      return this.words[place + STATE] === LEVEL && this.words[place + ENABLE] === UNKNOWN;
    });
  }

  /** A PE took an exception: until it acknowledges, an acknowledge can be its own. */
  taken(pe: number, value: boolean): void {
    this.words[pe * this.size + TAKEN] = value ? 1 : 0;
  }

  hasTaken(pe: number): boolean {
    return this.words[pe * this.size + TAKEN] === 1;
  }

  /** The PEs that can have done it. Software ends and deactivates only what is active, unless nothing is. */
  candidates(deed: Deed, pes: number): number[] {
    const all = Array.from({ length: pes }, (_, pe) => pe);
    const some = (of: number[]) => (of.length > 0 ? of : all);
    switch (deed.does) {
      case 'level':
        return some(all.filter((pe) => this.is(pe, deed.ppi, LEVEL) !== deed.level));
      case 'acknowledge':
        return all.filter((pe) => this.canTake(pe, deed.intid));
      case 'find nothing':
        return some(all.filter((pe) => this.eligible(pe) === undefined));
      case 'end':
        return some(all.filter((pe) => this.words[pe * this.size + APR] !== 0));
      case 'deactivate':
        return some(all.filter((pe) => this.is(pe, deed.ppi, ACTIVE)));
      default:
        return all;
    }
  }

  /** Does it. What an acknowledge proves is added to `learnt`. */
  do(deed: Deed, pe: number, learnt: Learnt[]): void {
    const { words } = this;
    const head = pe * this.size;
    switch (deed.does) {
      case 'level':
        this.set(pe, deed.ppi, LEVEL, deed.level);
        return;
      case 'acknowledge': {
        const isPpi = deed.intid >>> TYPE_LSB === PPI;
        const ppi = deed.intid & 0xff_ffff;
        if (isPpi && words[this.at(pe, ppi) + ENABLE] === UNKNOWN) this.learn(learnt, pe, 'enable', ppi, 1);
        if (words[head + OPEN] === UNKNOWN) this.learn(learnt, pe, 'interface', -1, 1);
        const priority = isPpi ? words[this.at(pe, ppi) + PRIORITY]! : words[head + IRS_PRIORITY]!;
        words[head + APR] = words[head + APR]! | (1 << (priority & 31));
        if (isPpi) this.set(pe, ppi, ACTIVE, true);
        return;
      }
      case 'end':
        // The highest active priority is the lowest bit.
        words[head + APR] = words[head + APR]! & (words[head + APR]! - 1);
        return;
      case 'deactivate':
        this.set(pe, deed.ppi, ACTIVE, false);
        return;
      case 'write PPI':
        for (const ppi of this.ppis) words[this.at(pe, ppi) + ENABLE] = UNKNOWN;
        return;
      case 'write interface':
        words[head + OPEN] = UNKNOWN;
        return;
      case 'find nothing':
    }
  }

  /** Takes what is shown of a PE. Returns whether that is possible; if it is not and `force` is set, it holds anyway. */
  see(shown: Shown, pe: number, learnt: Learnt[], force: boolean): boolean {
    switch (shown.is) {
      case 'irs':
        this.words[pe * this.size + IRS_ID] = shown.intid;
        this.words[pe * this.size + IRS_PRIORITY] = shown.priority;
        return true;
      case 'ppi':
        return this.seePpi(shown.intid, shown.priority, pe, learnt, force);
      case 'signal':
        return this.seeSignal(shown.signalled, pe, learnt, force);
    }
  }

  private seePpi(intid: number, priority: number, pe: number, learnt: Learnt[], force: boolean): boolean {
    const { words } = this;
    const best = priority === IDLE ? -1 : intid & 0xff_ffff;
    let isPossible = true;
    for (const ppi of this.ppis) {
      const place = this.at(pe, ppi);
      const isWaiting = words[place + STATE] === LEVEL;
      if (ppi === best) {
        isPossible &&= isWaiting || force;
        if (words[place + ENABLE] === 0 && !force) return false;
        if (words[place + ENABLE] === UNKNOWN || words[place + PRIORITY] !== priority) {
          // Only a write makes the priority another one.
          if (words[place + ENABLE] === 1 && !force) return false;
          this.learn(learnt, pe, 'enable', ppi, 1);
          this.learn(learnt, pe, 'priority', ppi, priority);
        }
      } else if (isWaiting && best < 0) {
        if (words[place + ENABLE] === 1 && !force) return false;
        if (words[place + ENABLE] !== 0) this.learn(learnt, pe, 'enable', ppi, 0);
      } else if (isWaiting && words[place + ENABLE] === 1) {
        const other = words[place + PRIORITY]!;
        if ((other < priority || (other === priority && ppi < best)) && !force) return false;
      }
    }
    return isPossible;
  }

  private seeSignal(signalled: boolean, pe: number, learnt: Learnt[], force: boolean): boolean {
    const open = this.words[pe * this.size + OPEN]!;
    const isThere = this.eligible(pe) !== undefined;
    if (signalled && !isThere) return force || (open !== 0 && this.mayWait(pe));
    if (!isThere) return true;
    if (open === UNKNOWN || (force && open !== (signalled ? 1 : 0)))
      this.learn(learnt, pe, 'interface', -1, signalled ? 1 : 0);
    else if ((open === 1) !== signalled) return false;
    return true;
  }

  private learn(learnt: Learnt[], pe: number, what: Learnt['what'], ppi: number, value: number): void {
    if (what === 'interface') this.words[pe * this.size + OPEN] = value;
    else this.words[this.at(pe, ppi) + (what === 'enable' ? ENABLE : PRIORITY)] = value;
    learnt.push({ pe, what, ppi, value });
  }

  /** What would be signalled if the interface is open: the interrupt with the highest priority, if it can preempt. */
  private eligible(pe: number): { readonly intid: number; readonly priority: number } | undefined {
    const { words } = this;
    const head = pe * this.size;
    let [intid, priority] = [0, IDLE];
    for (const ppi of this.ppis) {
      const place = this.at(pe, ppi);
      if (words[place + STATE] !== LEVEL || words[place + ENABLE] !== 1) continue;
      if (words[place + PRIORITY]! < priority) {
        intid = ((PPI << TYPE_LSB) | ppi) >>> 0;
        priority = words[place + PRIORITY]!;
      }
    }
    // Of equal priorities QEMU takes the PPI.
    if (words[head + IRS_PRIORITY]! < priority) {
      intid = words[head + IRS_ID]! >>> 0;
      priority = words[head + IRS_PRIORITY]!;
    }
    const apr = words[head + APR]!;
    const running = apr === 0 ? IDLE : 31 - Math.clz32(apr & -apr);
    return priority < running ? { intid, priority } : undefined;
  }

  private canTake(pe: number, intid: number): boolean {
    if (this.words[pe * this.size + OPEN] === 0) return false;
    if (this.eligible(pe)?.intid === intid) return true;
    // It may be enabled without having been shown.
    const place = this.at(pe, intid & 0xff_ffff);
    return (
      intid >>> TYPE_LSB === PPI &&
      this.words[place + STATE] === LEVEL &&
      this.words[place + ENABLE] === UNKNOWN
    );
  }

  private is(pe: number, ppi: number, bit: number): boolean {
    return (this.words[this.at(pe, ppi) + STATE]! & bit) !== 0;
  }

  private set(pe: number, ppi: number, bit: number, value: boolean): void {
    const place = this.at(pe, ppi) + STATE;
    this.words[place] = value ? this.words[place]! | bit : this.words[place]! & ~bit;
  }
}
