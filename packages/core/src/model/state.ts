// The state of a GIC: typed arrays in one buffer (so that a snapshot is a copy), the sparse sets of LPIs, and guest memory.
// This file has only state: `apply` alone changes it, and the units make the decisions.
import { createHash } from 'node:crypto';
import type { GicConfig } from '../config.ts';
import { invariant } from '../errors.ts';
import { type Profile, profileNamed } from '../profile/index.ts';
import {
  fieldReader,
  GICD,
  GICR,
  GITS,
  mask,
  packFields,
  SPECIAL_FIRST,
  SPURIOUS,
  SYSREGS,
} from '../spec/index.ts';
import { Arena } from './arena.ts';
import { GuestMemory } from './memory.ts';
import { joined, memoryParts, SnapshotReader } from './snapshot.ts';
import { planVirtual, type VirtualState } from './virtual-state.ts';

const CTLR_DS = mask(GICD.GICD_CTLR, 'DS');
const TYPER_ESPI = mask(GICD.GICD_TYPER, 'ESPI');
const TYPER_NMI = mask(GICD.GICD_TYPER, 'NMI');
const TYPER_SECURITY_EXTN = mask(GICD.GICD_TYPER, 'SecurityExtn');
const TYPER_LPIS = mask(GICD.GICD_TYPER, 'LPIS');
const TYPER_RSS = mask(GICD.GICD_TYPER, 'RSS');
const CTLR_CES = mask(GICR.GICR_CTLR, 'CES');
const CTLR_IR = mask(GICR.GICR_CTLR, 'IR');
const itLinesNumber = fieldReader(GICD.GICD_TYPER, 'ITLinesNumber');
const espiRange = fieldReader(GICD.GICD_TYPER, 'ESPI_range');
const ppiNum = fieldReader(GICR.GICR_TYPER, 'PPInum');

/** The layout of what `save` writes. A stored state of another layout can neither be restored nor compared. */
export const STATE_VERSION = 5;
/** The priority when idle. */
export const IDLE = 0xff;
/** In place of the configuration of an LPI: it was read from memory that is unknown. */
export const CONFIG_UNKNOWN = 256;
/** Like CONFIG_UNKNOWN, but memory may have changed since, so contents that become known later do not apply to it. */
export const CONFIG_LOST = 257;
/** Added to the configuration byte of an LPI that is overlooked (`overlooksPending`), which is then not signalled. */
export const CONFIG_OVERLOOKED = 512;

/**
 * Bitmaps with one bit per interrupt: those of the Distributor (SPIs, extended SPIs), and `ppiWords` words per PE. See
 * intid.ts.
 */
export interface IrqBits {
  readonly group: Uint32Array;
  readonly grpmod: Uint32Array;
  readonly enable: Uint32Array;
  /** The pending latch, which does not include the level of a level-sensitive input. */
  readonly pending: Uint32Array;
  readonly active: Uint32Array;
  readonly level: Uint32Array;
  readonly edge: Uint32Array;
  /** Non-maskable. */
  readonly nmi: Uint32Array;
  /** Pending and not signalled, under profiles with `overlooksPending`. */
  readonly overlooked: Uint32Array;
}

const bitmapNames = [
  'group',
  'grpmod',
  'enable',
  'pending',
  'active',
  'level',
  'edge',
  'nmi',
  'overlooked',
] as const;

/** A 64-bit value of a configuration as two words, low word first. */
function wordsOf(value: string | number): [number, number] {
  const word = BigInt(value);
  return [Number(word & 0xffff_ffffn), Number(word >> 32n)];
}

/** ICC_CTLR_EL1 after reset: A3V, IDbits and PRIbits (IHI 0069, "ICC_CTLR_EL1"). */
export function ctlrReset(config: GicConfig): number {
  const { gicd, gicr } = config;
  return Number(
    packFields(SYSREGS.ICC_CTLR_EL1, {
      A3V: 1,
      IDbits: config.intidBits === 24 ? 1 : 0,
      PRIbits: config.priorityBits,
      RSS: gicd.typer & TYPER_RSS ? 1 : 0,
      ExtRange: gicd.typer & TYPER_ESPI || extendedPpiWords(gicr.typer) > 0 ? 1 : 0,
    }),
  );
}

/** The number of words for extended PPIs of a PE: GICR_TYPER.PPInum, whose values above 2 are reserved. */
function extendedPpiWords(gicrTyper: number): number {
  return Math.min(ppiNum(gicrTyper), 2);
}

/** The minimum binary point of Group 0 and Secure Group 1; for Non-secure Group 1 it is one more. */
export function leastBinaryPoint(config: GicConfig): number {
  return 7 - Math.min(config.priorityBits, 7);
}

/** Bits of `nmiActive`: ICC_AP1R0_EL1.NMI of both Security states. */
export const NMI_NON_SECURE = 1;
export const NMI_SECURE = 2;
/** ICH_AP1R0_EL2.NMI and, if the profile has it, ICC_AP0R0_EL1.NMI. Neither is part of the physical running priority. */
export const NMI_VIRTUAL = 4;
export const NMI_GROUP0 = 8;

export class GicState {
  readonly config: GicConfig;
  readonly profile: Profile;
  /** Number of PEs, of ITSs, and of INTIDs below 1020 (a multiple of 32). */
  readonly peCount: number;
  readonly itsCount: number;
  readonly irqCount: number;
  /** Words of SGIs, PPIs and extended PPIs that each PE has. */
  readonly ppiWords: number;
  /** Index in `spi` of the first extended SPI, and their number. */
  readonly espiBase: number;
  readonly espiCount: number;
  /** The PE of each affinity; the first one if several have the same. */
  readonly peByAffinity: ReadonlyMap<number, number>;
  /** The right shift from a group priority to its active-priority bit. There are at most 128 preemption levels. */
  readonly preemptionShift: number;
  /** GICD_TYPER.NMI. */
  readonly hasNmi: boolean;
  private readonly arena: Arena;

  /** GICD_CTLR. */
  readonly gicdCtlr: Uint32Array;
  readonly spi: IrqBits;
  readonly spiPriority: Uint8Array;
  readonly spiNsacr: Uint8Array;
  readonly routeLow: Uint32Array;
  readonly routeHigh: Uint32Array;

  /** SGIs, PPIs and extended PPIs: `ppiWords` words per PE. */
  readonly ppi: IrqBits;
  /** 32 × `ppiWords` bytes per PE. */
  readonly ppiPriority: Uint8Array;
  readonly ppiNsacr: Uint8Array;
  readonly gicrCtlr: Uint32Array;
  readonly gicrWaker: Uint32Array;
  /** Low and high word for each PE. */
  readonly propbaser: Uint32Array;
  readonly pendbaser: Uint32Array;

  readonly pmr: Uint32Array;
  readonly bpr0: Uint32Array;
  /** For Non-secure Group 1, which is the only Group 1 with one Security state. The same holds for ctlr, igrpen1 and ap1r. */
  readonly bpr1: Uint32Array;
  readonly ctlr: Uint32Array;
  readonly igrpen0: Uint32Array;
  readonly igrpen1: Uint32Array;
  /** Active priorities, four words per PE. */
  readonly ap0r: Uint32Array;
  readonly ap1r: Uint32Array;

  /** The Secure instances of ICC_BPR1_EL1, ICC_CTLR_EL1, ICC_IGRPEN1_EL1 and ICC_AP1R<n>_EL1. */
  readonly bpr1S: Uint32Array;
  readonly ctlrS: Uint32Array;
  readonly igrpen1S: Uint32Array;
  readonly ap1rS: Uint32Array;
  /** The bits of ICC_CTLR_EL3 that it does not share with the instances of ICC_CTLR_EL1. */
  readonly ctlrEl3: Uint32Array;
  /** Which NMIs are active: NMI_NON_SECURE, NMI_SECURE, NMI_VIRTUAL, NMI_GROUP0. */
  readonly nmiActive: Uint8Array;
  /** The state in which the PE executes, as far as it is known: an index into SECURITY_STATES. */
  readonly security: Uint8Array;
  /** SCR_EL3.FIQ of the PE; 1 until it is known to be 0. */
  readonly fiqRouted: Uint8Array;
  readonly gicdStatusr: Uint32Array;
  readonly gicrStatusr: Uint32Array;

  /** What the PE is signalled: the highest-priority pending interrupt and the interrupt lines. */
  readonly hppiIntid: Uint32Array;
  readonly hppiGroup: Uint8Array;
  readonly hppiPriority: Uint8Array;
  readonly fiq: Uint8Array;
  readonly irq: Uint8Array;

  /** GITS_TYPER of each ITS, from the configuration: low and high word. It is constant and therefore not saved. */
  readonly gitsTyper: Uint32Array;
  readonly gitsCtlr: Uint32Array;
  readonly cbaser: Uint32Array;
  readonly cwriter: Uint32Array;
  readonly creadr: Uint32Array;
  /** Eight pairs of words per ITS. */
  readonly baser: Uint32Array;

  /** The pending LPIs of each PE, and the configuration bytes that its Redistributor has cached. */
  readonly lpiPending: Set<number>[];
  readonly lpiConfig: Map<number, number>[];
  /** The virtual CPU interfaces and the resident vPEs. */
  readonly virtual: VirtualState;
  readonly memory = new GuestMemory();

  constructor(config: GicConfig) {
    const profile = profileNamed(config.profile);
    this.config = config;
    this.profile = profile;
    const pes = config.pes.length;
    const itss = config.its.length;
    const irqs = Math.min(SPECIAL_FIRST, 32 * (itLinesNumber(config.gicd.typer) + 1));
    this.peCount = pes;
    this.itsCount = itss;
    this.peByAffinity = new Map(config.pes.map(({ affinity }, pe) => [affinity, pe] as const).reverse());
    this.irqCount = irqs;
    const spiWords = Math.ceil(irqs / 32);
    this.ppiWords = 1 + extendedPpiWords(config.gicr.typer);
    this.espiBase = 32 * spiWords;
    this.espiCount = config.gicd.typer & TYPER_ESPI ? 32 * (espiRange(config.gicd.typer) + 1) : 0;
    this.preemptionShift = 8 - Math.min(config.priorityBits, 7);
    this.hasNmi = (config.gicd.typer & TYPER_NMI) !== 0;
    const arena = new Arena();
    this.arena = arena;
    const words = (length: number) => arena.words(length);
    const bytes = (length: number) => arena.bytes(length);
    const shared = this.espiBase + this.espiCount;
    const own = this.ppiWords * pes;
    const plan = {
      gicdCtlr: words(1),
      spi: bitmapNames.map(() => words(shared / 32)),
      routeLow: words(shared),
      routeHigh: words(shared),
      ppi: bitmapNames.map(() => words(own)),
      gicrCtlr: words(pes),
      gicrWaker: words(pes),
      propbaser: words(2 * pes),
      pendbaser: words(2 * pes),
      pmr: words(pes),
      bpr0: words(pes),
      bpr1: words(pes),
      ctlr: words(pes),
      igrpen0: words(pes),
      igrpen1: words(pes),
      ap0r: words(4 * pes),
      ap1r: words(4 * pes),
      hppiIntid: words(pes),
      gitsCtlr: words(itss),
      cbaser: words(2 * itss),
      cwriter: words(itss),
      creadr: words(itss),
      baser: words(16 * itss),
      bpr1S: words(pes),
      ctlrS: words(pes),
      igrpen1S: words(pes),
      ap1rS: words(4 * pes),
      ctlrEl3: words(pes),
      gicdStatusr: words(1),
      gicrStatusr: words(pes),
      spiPriority: bytes(shared),
      spiNsacr: bytes(shared),
      ppiPriority: bytes(32 * own),
      ppiNsacr: bytes(32 * own),
      nmiActive: bytes(pes),
      security: bytes(pes),
      fiqRouted: bytes(pes),
      hppiGroup: bytes(pes),
      hppiPriority: bytes(pes),
      fiq: bytes(pes),
      irq: bytes(pes),
    };
    const virtual = planVirtual(arena, pes);
    arena.allocate();
    const bits = (slots: { get(): Uint32Array }[]): IrqBits => ({
      group: slots[0]!.get(),
      grpmod: slots[1]!.get(),
      enable: slots[2]!.get(),
      pending: slots[3]!.get(),
      active: slots[4]!.get(),
      level: slots[5]!.get(),
      edge: slots[6]!.get(),
      nmi: slots[7]!.get(),
      overlooked: slots[8]!.get(),
    });
    this.gicdCtlr = plan.gicdCtlr.get();
    this.spi = bits(plan.spi);
    this.ppi = bits(plan.ppi);
    this.routeLow = plan.routeLow.get();
    this.routeHigh = plan.routeHigh.get();
    this.gicrCtlr = plan.gicrCtlr.get();
    this.gicrWaker = plan.gicrWaker.get();
    this.propbaser = plan.propbaser.get();
    this.pendbaser = plan.pendbaser.get();
    this.pmr = plan.pmr.get();
    this.bpr0 = plan.bpr0.get();
    this.bpr1 = plan.bpr1.get();
    this.ctlr = plan.ctlr.get();
    this.igrpen0 = plan.igrpen0.get();
    this.igrpen1 = plan.igrpen1.get();
    this.ap0r = plan.ap0r.get();
    this.ap1r = plan.ap1r.get();
    this.bpr1S = plan.bpr1S.get();
    this.ctlrS = plan.ctlrS.get();
    this.igrpen1S = plan.igrpen1S.get();
    this.ap1rS = plan.ap1rS.get();
    this.ctlrEl3 = plan.ctlrEl3.get();
    this.gicdStatusr = plan.gicdStatusr.get();
    this.gicrStatusr = plan.gicrStatusr.get();
    this.nmiActive = plan.nmiActive.get();
    this.security = plan.security.get();
    this.fiqRouted = plan.fiqRouted.get();
    this.hppiIntid = plan.hppiIntid.get();
    this.gitsTyper = Uint32Array.from(config.its.flatMap(({ typer }) => wordsOf(typer)));
    this.gitsCtlr = plan.gitsCtlr.get();
    this.cbaser = plan.cbaser.get();
    this.cwriter = plan.cwriter.get();
    this.creadr = plan.creadr.get();
    this.baser = plan.baser.get();
    this.spiPriority = plan.spiPriority.get();
    this.spiNsacr = plan.spiNsacr.get();
    this.ppiPriority = plan.ppiPriority.get();
    this.ppiNsacr = plan.ppiNsacr.get();
    this.hppiGroup = plan.hppiGroup.get();
    this.hppiPriority = plan.hppiPriority.get();
    this.fiq = plan.fiq.get();
    this.irq = plan.irq.get();
    this.virtual = virtual.get();
    this.lpiPending = Array.from({ length: pes }, () => new Set<number>());
    this.lpiConfig = Array.from({ length: pes }, () => new Map<number, number>());
    this.reset();
  }

  /** Whether there is only one Security state (GICD_CTLR.DS). */
  get singleSecurity(): boolean {
    return (this.gicdCtlr[0]! & CTLR_DS) !== 0;
  }

  /**
   * Whether the CPU interfaces have only one Security state: those of a GIC that never had two, and by profile those of a GIC
   * in which software has set GICD_CTLR.DS.
   */
  get singleSecurityOfPes(): boolean {
    return this.singleSecurity && !(this.profile.pesKeepSecurity && this.canHaveTwoStates);
  }

  /** Whether the GIC has two Security states until software sets GICD_CTLR.DS. */
  private get canHaveTwoStates(): boolean {
    return (this.config.gicd.typer & TYPER_SECURITY_EXTN) !== 0;
  }

  /** Resets everything as at power-on. Nothing is known about guest memory. */
  reset(): void {
    new Uint8Array(this.arena.buffer).fill(0);
    this.resetUnits();
    this.memory.clear();
  }

  /** Resets everything except guest memory and, if the profile keeps them, the levels of input lines. */
  resetUnits(): void {
    const { config, profile } = this;
    const levels = profile.resetKeepsLines ? [this.spi.level.slice(), this.ppi.level.slice()] : undefined;
    new Uint8Array(this.arena.buffer).fill(0);
    if (levels !== undefined) {
      this.spi.level.set(levels[0]!);
      this.ppi.level.set(levels[1]!);
    }
    if (config.resetNonSecure || profile.resetsToGroup1) {
      this.spi.group.fill(0xffff_ffff, 1);
      this.ppi.group.fill(0xffff_ffff);
    }
    if (profile.spisResetToEdge) this.spi.edge.fill(0xffff_ffff, 1);
    // Legacy operation is not implemented: affinity routing is always on.
    this.gicdCtlr[0] = this.canHaveTwoStates
      ? mask(GICD.GICD_CTLR, 'ARE', 'ARE_NS')
      : mask(GICD.GICD_CTLR, 'ARE', 'DS');
    const lpis = (config.gicd.typer & TYPER_LPIS) !== 0;
    const minimum = leastBinaryPoint(config);
    for (let pe = 0; pe < this.peCount; pe++) {
      this.ppi.edge[pe * this.ppiWords] = 0xffff;
      if (profile.sgisResetEnabled) this.ppi.enable[pe * this.ppiWords] = 0xffff;
      this.gicrCtlr[pe] = lpis ? (profile.ctlrCes ? CTLR_CES : 0) | (profile.ctlrIr ? CTLR_IR : 0) : 0;
      this.gicrWaker[pe] = profile.wakerReset;
      this.bpr0[pe] = minimum;
      this.bpr1[pe] = minimum + 1;
      this.ctlr[pe] = ctlrReset(config);
      this.bpr1S[pe] = minimum;
      this.ctlrS[pe] = ctlrReset(config);
      this.fiqRouted[pe] = 1;
      this.hppiIntid[pe] = SPURIOUS;
      this.hppiPriority[pe] = IDLE;
      this.lpiPending[pe]!.clear();
      this.lpiConfig[pe]!.clear();
    }
    this.virtual.reset(config);
    config.its.forEach((its, index) => {
      this.gitsCtlr[index] = mask(GITS.GITS_CTLR, 'Quiescent');
      its.baser.forEach((value, n) => {
        this.baser.set(wordsOf(value), 16 * index + 2 * n);
      });
    });
  }

  /** The sparse sets by PE, for physical LPIs and for vLPIs. */
  private sparse(): readonly (readonly [Set<number>[], Map<number, number>[]])[] {
    return [
      [this.lpiPending, this.lpiConfig],
      [this.virtual.pending, this.virtual.config],
    ];
  }

  /** The state as bytes. Equal states give equal bytes. */
  save(): Uint8Array {
    const chunks: Uint8Array[] = [new Uint8Array(this.arena.buffer.slice(0))];
    for (const [pendings, configurations] of this.sparse())
      for (let pe = 0; pe < this.peCount; pe++) {
        const pending = [...pendings[pe]!].sort((a, b) => a - b);
        const configs = [...configurations[pe]!].sort((a, b) => a[0] - b[0]).flat();
        const words = Uint32Array.from([pending.length, ...pending, configs.length, ...configs]);
        chunks.push(new Uint8Array(words.buffer));
      }
    return joined([...chunks, ...memoryParts(this.memory)]);
  }

  /** Restores a state that `save` wrote for a GIC of the same configuration. */
  restore(bytes: Uint8Array): void {
    const fixed = this.arena.buffer.byteLength;
    invariant(bytes.length >= fixed, 'a snapshot of another configuration');
    new Uint8Array(this.arena.buffer).set(bytes.subarray(0, fixed));
    const reader = new SnapshotReader(bytes, fixed);
    const { word } = reader;
    for (const [pendings, configurations] of this.sparse())
      for (let pe = 0; pe < this.peCount; pe++) {
        const pending = pendings[pe]!;
        const configs = configurations[pe]!;
        pending.clear();
        configs.clear();
        for (let n = word(); n > 0; n--) pending.add(word());
        for (let n = word(); n > 0; n -= 2) configs.set(word(), word());
      }
    reader.memory(this.memory);
    invariant(reader.isAtEnd, 'a snapshot of another configuration');
  }

  /** SHA-256 of the state, in hex. */
  digest(): string {
    return createHash('sha256').update(this.save()).digest('hex');
  }
}
