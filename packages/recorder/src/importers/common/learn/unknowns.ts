// Tracks which parts of a GIC's state are not known from the source. An element is unknown from the start of a log that
// begins while the GIC is in use, and always if the accesses that change it are not in the source. Holds no values;
// those are the model's.
import { type GicState, privateIndex, sharedIndex } from '@gictrace/core/model';
import { RULES } from '@gictrace/core/record';
import { isPrivate } from '@gictrace/core/spec';
import type { Missing } from '../../../trace/sorts.ts';

export type { Missing } from '../../../trace/sorts.ts';

/** How a source begins: with the reset of the GIC, or while the GIC is in use. */
export type Start = 'reset' | 'mid-life';

/**
 * Accesses that configure the GIC. A log of a GIC that was configured long ago may have none although they are traced.
 */
export const CONFIGURING: ReadonlySet<Missing> = new Set([
  'GICD writes',
  'GICR writes',
  'ICC_PMR writes',
  'ICC_IGRPEN writes',
  'ICC_CTLR writes',
]);

/** Rules by which a `gic.reset` leaves the whole state unknown, instead of that after a reset. */
export const FORGETS: ReadonlySet<number> = new Set([
  RULES['load-from-state'].id,
  RULES['state-after-loss'].id,
  RULES['state-after-stop'].id,
]);

/** Attributes of an SGI, PPI or SPI. */
export const ATTRIBUTES = [
  'group',
  'grpmod',
  'enable',
  'priority',
  'edge',
  'level',
  'pending',
  'active',
  'route',
] as const;
export type Attribute = (typeof ATTRIBUTES)[number];
export const isAttribute = (name: string): name is Attribute =>
  (ATTRIBUTES as readonly string[]).includes(name);

/** Registers of a PE's CPU interface and Redistributor. `active`: the active priorities. */
export const PE_PARTS = [
  'pmr',
  'bpr',
  'ctlr',
  'igrpen0',
  'igrpen1',
  'active',
  'waker',
  'gicrCtlr',
  'propbaser',
  'pendbaser',
  'virtual',
] as const;
export type PePart = (typeof PE_PARTS)[number];

/** Registers of an ITS. */
export const ITS_PARTS = ['ctlr', 'cbaser', 'cwriter', 'creadr', 'baser'] as const;
export type ItsPart = (typeof ITS_PARTS)[number];

/** The bits of GICD_CTLR that are state: group enables and E1NWF. ARE and DS follow from the configuration. */
export const GICD_CTLR_STATE = 0x87;

const CONFIGURATION: readonly Attribute[] = [
  'group',
  'grpmod',
  'enable',
  'priority',
  'edge',
  'pending',
  'active',
];

/**
 * What stays unknown when each sort of stimulus is missing: for private interrupts, for shared ones, for each PE, for
 * ITSs.
 */
const WANTED: Readonly<
  Record<
    Missing,
    {
      readonly own?: readonly Attribute[];
      readonly shared?: readonly Attribute[];
      readonly pe?: readonly PePart[];
      readonly its?: readonly ItsPart[];
      readonly forwards?: true;
      readonly lpis?: true;
    }
  >
> = {
  'GICD writes': { shared: [...CONFIGURATION, 'route'], forwards: true },
  'GICR writes': { own: CONFIGURATION, pe: ['waker', 'gicrCtlr', 'propbaser', 'pendbaser'], lpis: true },
  'GITS writes': { its: ITS_PARTS },
  'ICC_PMR writes': { pe: ['pmr'] },
  'ICC_IGRPEN writes': { pe: ['igrpen0', 'igrpen1'] },
  acknowledges: { own: ['pending', 'active'], shared: ['pending', 'active'], pe: ['active'], lpis: true },
  // If EOImode is unknown, so is whether the end of an interrupt deactivates it.
  'ICC_CTLR writes': { own: ['active'], shared: ['active'], pe: ['ctlr'] },
  ends: { own: ['active'], shared: ['active'], pe: ['active'] },
  deactivations: { own: ['active'], shared: ['active'] },
  SGIs: { own: ['pending'] },
  'PPI lines': { own: ['level', 'pending'] },
  'SPI lines': { shared: ['level', 'pending'] },
  MSIs: { lpis: true },
  // Whatever a missing command may have changed becomes unknown when it is executed.
  commands: {},
  'ICH writes': { pe: ['virtual'] },
};

export class Unknowns {
  private readonly state: GicState;
  readonly start: Start;
  readonly missing: ReadonlySet<Missing>;
  /** By attribute: 1 for each interrupt for which it is unknown, by index of the state. */
  private readonly own: Readonly<Record<Attribute, Uint8Array>>;
  private readonly shared: Readonly<Record<Attribute, Uint8Array>>;
  private readonly pes: Readonly<Record<PePart, Uint8Array>>;
  private readonly itss: Readonly<Record<ItsPart, Uint8Array>>;
  /** Elements that never become known. */
  private readonly never = {
    own: new Set<Attribute>(),
    shared: new Set<Attribute>(),
    pe: new Set<PePart>(),
    its: new Set<ItsPart>(),
    forwards: false,
    lpis: false,
  };
  /** Bits of GICD_CTLR that are unknown. */
  private ctlr: number;
  /** By PE: the LPIs whose pending state is known, while that of all others is unknown. */
  private readonly lpis: (ReadonlySet<number> & Set<number>)[];
  private readonly lpisUnknown: Uint8Array;
  /** By PE: nothing has been heard of LPIs since the PE was signalled nothing. */
  private readonly lpisQuiet: Uint8Array;
  /** Interrupts that were not competing when a PE was signalled nothing, and that nothing has happened to since. */
  private readonly ownQuiet: Uint8Array;
  private readonly sharedQuiet: readonly Uint8Array[];
  /**
   * By PE: a priority that the priority mask is known not to mask (-1 if there is none). Active priorities that are
   * unknown are not more urgent than this.
   */
  readonly passes: Int16Array;
  readonly activeFrom: Uint16Array;
  /** LPIs whose configuration byte is known only as far as the order of acknowledges reveals it. */
  readonly ordered = new Set<number>();
  /** A command was executed, or a message sent, whose outcome is not in the source. */
  private doubts = false;
  /** By PE: LPIs whose configuration such a command may have made the Redistributor read again. */
  private readonly lostConfigs: readonly Set<number>[];
  /** LPIs whose configuration byte software has rewritten since. */
  readonly rewritten = new Set<number>();
  /** LPIs whose pending state the current stimulus moves, and between which PEs. */
  readonly moves: { readonly intid: number; readonly from: number; readonly to: number }[] = [];
  private everUnknown: boolean;

  constructor(state: GicState, start: Start, missing: ReadonlySet<Missing>) {
    this.state = state;
    this.start = start;
    this.missing = missing;
    const all = start === 'mid-life' ? 1 : 0;
    const { peCount, itsCount } = state;
    const make = <K extends string>(names: readonly K[], length: number) =>
      Object.fromEntries(names.map((name) => [name, new Uint8Array(length).fill(all)])) as Record<
        K,
        Uint8Array
      >;
    this.own = make(ATTRIBUTES, 32 * state.ppiWords * peCount);
    this.shared = make(ATTRIBUTES, state.espiBase + state.espiCount);
    this.pes = make(PE_PARTS, peCount);
    this.itss = make(ITS_PARTS, itsCount);
    this.ctlr = all === 1 ? GICD_CTLR_STATE : 0;
    this.lpis = Array.from({ length: peCount }, () => new Set<number>());
    this.lpisUnknown = new Uint8Array(peCount).fill(all);
    this.lostConfigs = Array.from({ length: peCount }, () => new Set<number>());
    this.lpisQuiet = new Uint8Array(peCount);
    this.ownQuiet = new Uint8Array(32 * state.ppiWords * peCount);
    this.sharedQuiet = Array.from({ length: peCount }, () => new Uint8Array(this.shared.enable.length));
    this.passes = new Int16Array(peCount).fill(-1);
    this.activeFrom = new Uint16Array(peCount);
    this.everUnknown = all === 1 || missing.size > 0;
    for (const one of missing) this.want(one);
    // Nothing in the source says when a command is executed.
    if (missing.has('commands') && missing.has('GITS writes')) {
      this.never.lpis = true;
      this.lpisUnknown.fill(1);
    }
  }

  private want(missing: Missing): void {
    const { own, shared, pe, its, forwards, lpis } = WANTED[missing];
    const take = <K extends string>(
      names: readonly K[] | undefined,
      never: Set<K>,
      bits: Readonly<Record<K, Uint8Array>>,
    ) => {
      for (const name of names ?? []) {
        never.add(name);
        bits[name].fill(1);
      }
    };
    take(own, this.never.own, this.own);
    take(shared, this.never.shared, this.shared);
    take(pe, this.never.pe, this.pes);
    take(its, this.never.its, this.itss);
    if (forwards) {
      this.never.forwards = true;
      this.ctlr = GICD_CTLR_STATE;
    }
    if (lpis) {
      this.never.lpis = true;
      this.lpisUnknown.fill(1);
    }
  }

  /** Another state was loaded, so nothing is known. */
  forget(): void {
    for (const bits of [this.own, this.shared, this.pes, this.itss])
      for (const one of Object.values(bits) as Uint8Array[]) one.fill(1);
    this.ctlr = GICD_CTLR_STATE;
    for (let pe = 0; pe < this.state.peCount; pe++) this.setLpis(pe, true);
    this.touchAll();
    this.passes.fill(-1);
    this.activeFrom.fill(0);
    this.ordered.clear();
    this.everUnknown = true;
  }

  /** The GIC was reset, so everything is known except what missing stimuli may change. */
  reset(): void {
    this.doubts = false;
    this.rewritten.clear();
    for (const lost of this.lostConfigs) lost.clear();
    const { never } = this;
    const clear = <K extends string>(bits: Readonly<Record<K, Uint8Array>>, kept: ReadonlySet<K>) => {
      for (const name of Object.keys(bits) as K[]) if (!kept.has(name)) bits[name].fill(0);
    };
    clear(this.own, never.own);
    clear(this.shared, never.shared);
    clear(this.pes, never.pe);
    clear(this.itss, never.its);
    if (!never.forwards) this.ctlr = 0;
    for (let pe = 0; pe < this.state.peCount; pe++) this.setLpis(pe, false);
    this.touchAll();
    this.passes.fill(-1);
    this.activeFrom.fill(0);
    this.ordered.clear();
  }

  /** Whether anything is, or has been, unknown. If not, there is nothing to learn. */
  get any(): boolean {
    return this.everUnknown;
  }

  /**
   * Whether stimuli are missing, so that state may change at any moment. Missing commands change state when an ITS
   * executes them.
   */
  get isVolatile(): boolean {
    return this.missing.size > (this.missing.has('commands') ? 1 : 0);
  }

  // ---- SGIs, PPIs and SPIs ---------------------------------------------------------------------------------

  private index(pe: number, intid: number): number {
    return isPrivate(intid) ? privateIndex(this.state, pe, intid) : sharedIndex(this.state, intid);
  }

  isUnknown(attribute: Attribute, pe: number, intid: number): boolean {
    return (isPrivate(intid) ? this.own : this.shared)[attribute][this.index(pe, intid)] === 1;
  }

  /**
   * An attribute of an interrupt is known from here on, unless the stimuli that change it are missing from the source.
   */
  know(attribute: Attribute, pe: number, intid: number): void {
    const own = isPrivate(intid);
    if ((own ? this.never.own : this.never.shared).has(attribute)) return;
    (own ? this.own : this.shared)[attribute][this.index(pe, intid)] = 0;
  }

  /** An attribute of an interrupt is unknown from here on. */
  lose(attribute: Attribute, pe: number, intid: number): void {
    (isPrivate(intid) ? this.own : this.shared)[attribute][this.index(pe, intid)] = 1;
  }

  /** Something happened to an interrupt that may make it compete again. */
  touch(pe: number, intid: number): void {
    const index = this.index(pe, intid);
    if (isPrivate(intid)) this.ownQuiet[index] = 0;
    else for (const quiet of this.sharedQuiet) quiet[index] = 0;
  }

  /** Something happened that may make any interrupt compete. */
  touchAll(): void {
    this.ownQuiet.fill(0);
    for (const quiet of this.sharedQuiet) quiet.fill(0);
    this.lpisQuiet.fill(0);
  }

  /** A PE was signalled nothing, so nothing competes there. */
  quiet(pe: number): void {
    const { ppiWords } = this.state;
    if (this.never.own.size === 0) this.ownQuiet.fill(1, 32 * ppiWords * pe, 32 * ppiWords * (pe + 1));
    if (this.never.shared.size === 0) this.sharedQuiet[pe]!.fill(1);
    if (!this.never.lpis) this.lpisQuiet[pe] = 1;
  }

  /** Whether nothing has happened to an SGI, PPI or SPI since it was known not to be competing at a PE. */
  isQuiet(pe: number, intid: number): boolean {
    const index = this.index(pe, intid);
    return (isPrivate(intid) ? this.ownQuiet[index] : this.sharedQuiet[pe]![index]) === 1;
  }

  /** The bits of GICD_CTLR, of its group enables and E1NWF, that are unknown. */
  get unknownForwarding(): number {
    return this.ctlr;
  }

  knowForwarding(bits = GICD_CTLR_STATE): void {
    if (!this.never.forwards) this.ctlr &= ~bits;
  }

  // ---- PEs and ITSs ----------------------------------------------------------------------------------------

  isPartUnknown(part: PePart, pe: number): boolean {
    return this.pes[part][pe] === 1;
  }

  /** Whether a part is unknown for some PE. */
  isPartUnknownOfAny(part: PePart): boolean {
    return this.pes[part].includes(1);
  }

  knowPart(part: PePart, pe: number): void {
    if (pe >= 0 && pe < this.state.peCount && !this.never.pe.has(part)) this.pes[part][pe] = 0;
  }

  forgetPart(part: PePart, pe: number): void {
    this.pes[part][pe] = 1;
  }

  isItsUnknown(part: ItsPart, its: number): boolean {
    return its < this.state.itsCount && this.itss[part][its] === 1;
  }

  knowIts(part: ItsPart, its: number): void {
    if (its < this.state.itsCount && !this.never.its.has(part)) this.itss[part][its] = 0;
  }

  // ---- LPIs ------------------------------------------------------------------------------------------------

  /** Whether it is unknown if an LPI is pending on a PE. */
  isLpiUnknown(pe: number, intid: number): boolean {
    return this.lpisUnknown[pe] === 1 && (this.never.lpis || !this.lpis[pe]!.has(intid));
  }

  /** Whether no unknown LPI can have become pending since the PE was last signalled nothing. */
  areLpisQuiet(pe: number): boolean {
    return this.lpisQuiet[pe] === 1;
  }

  knowLpi(pe: number, intid: number): void {
    if (this.lpisUnknown[pe] === 1) this.lpis[pe]!.add(intid);
  }

  /** The pending state of an LPI moves, with what is known about it. */
  moveLpi(from: number, to: number, intid: number): void {
    this.moves.push({ intid, from, to });
    if (this.isLpiUnknown(from, intid)) this.lpis[to]!.delete(intid);
    this.knowLpi(from, intid);
    // If it is pending, the Redistributor has read its configuration at this moment.
    this.rewritten.delete(intid);
  }

  /** Which LPIs are pending on a PE is known, or unknown, from here on. */
  setLpis(pe: number, isUnknown: boolean): void {
    this.lpis[pe]!.clear();
    this.lpisUnknown[pe] = isUnknown || this.never.lpis ? 1 : 0;
    this.lpisQuiet[pe] = 0;
    if (isUnknown) this.everUnknown = true;
  }

  /**
   * From here on it is unknown which LPIs are pending on any PE, because of a command or a message that is not in the
   * source.
   */
  doubtLpis(): void {
    this.doubts = true;
    for (let pe = 0; pe < this.state.peCount; pe++) this.setLpis(pe, true);
  }

  /** Whether anything is unknown because of a command or a message. */
  get isDoubtful(): boolean {
    return this.doubts;
  }

  /** A Redistributor may have read an LPI's configuration again. */
  loseConfig(pe: number, intid: number): void {
    this.lostConfigs[pe]!.add(intid);
  }

  isConfigLost(pe: number, intid: number): boolean {
    return this.lostConfigs[pe]!.has(intid);
  }

  knowConfig(pe: number, intid: number): void {
    this.lostConfigs[pe]!.delete(intid);
  }

  /** Something happened to LPIs: those whose state is unknown may compete. */
  touchLpis(): void {
    this.lpisQuiet.fill(0);
  }
}
