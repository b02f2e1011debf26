// The state of a GICv5 with one IRS: typed arrays in one buffer (so that a snapshot is a copy), the LPIs whose state the IRS
// has, and guest memory. This file has only state: `apply` alone changes it, and the units make the decisions. Only the
// Non-secure interrupt domain exists: no implementation with another one is to be had.
import { createHash } from 'node:crypto';
import type { Gicv5Config } from '../config-gicv5.ts';
import { invariant } from '../errors.ts';
import { Arena } from '../model/arena.ts';
import { GuestMemory } from '../model/memory.ts';
import { joined, memoryParts, SnapshotReader } from '../model/snapshot.ts';
import { DOMAINS } from '../spec/gicv5/index.ts';
import { ItsState } from './its-state.ts';
import { PendingLpis } from './pending-lpis.ts';
import { type Gicv5Profile, gicv5ProfileNamed } from './profiles.ts';

/** The layout of what `save` writes. */
export const GICV5_STATE_VERSION = 1;
/** The priority of no interrupt. */
export const IDLE = 0xff;
/** The one interrupt domain that the model has. */
export const NON_SECURE = DOMAINS.indexOf('NS');
/** PPIs of a PE. */
export const PPIS = 128;
export const PPI_WORDS = PPIS / 32;
const NOTHING_SELECTED = 0xffff_ffff;
/** ICC_CR0_EL1.LINK and LINK_IDLE: the CPU interface is connected to its IRS. */
const CR0_LINKED = 6;

/** Bitmaps over the SPIs of the IRS, or `PPI_WORDS` words per PE. */
export interface Gicv5IrqBits {
  readonly enable: Uint32Array;
  readonly pending: Uint32Array;
  readonly active: Uint32Array;
  readonly level: Uint32Array;
  /** Handling mode: 1 is Level. */
  readonly handling: Uint32Array;
}

const NAMES = ['enable', 'pending', 'active', 'level', 'handling'] as const;
const SPI_RANGE_BITS = 0x1ff_ffff;
const SPI_BASE_BITS = 0xff_ffff;

export class Gicv5State {
  readonly config: Gicv5Config;
  readonly profile: Gicv5Profile;
  readonly peCount: number;
  /** The PE of each IAFFID; the first one if several have the same. */
  readonly peByIaffid: ReadonlyMap<number, number>;
  /** The first SPI of the IRS, and their number (IRS_IDR7, IRS_IDR6). */
  readonly spiBase: number;
  readonly spiCount: number;
  /** ICC_PPI_HMR<n>_EL1 as words: the handling mode of PPIs is fixed. */
  readonly ppiHandling: Uint32Array;
  private readonly arena = new Arena();

  readonly irsCr0: Uint32Array;
  readonly irsCr1: Uint32Array;
  /** Low and high word. */
  readonly istBaser: Uint32Array;
  readonly istCfgr: Uint32Array;
  /** The ID of the selected SPI; all ones if none has been selected since the reset. */
  readonly spiSelr: Uint32Array;
  readonly peSelr: Uint32Array;
  /** The IST as it became valid: valid, ID bits, bits that index a level 2 table, bytes of an entry, two levels, base. */
  readonly ist: Uint32Array;

  readonly spi: Gicv5IrqBits;
  /** Trigger mode: 1 is Level. */
  readonly spiTrigger: Uint32Array;
  readonly spiPriority: Uint8Array;
  /** IAFFID in bits 15:0, routing mode in bit 16. */
  readonly spiTarget: Uint32Array;

  readonly ppi: Gicv5IrqBits;
  /** 128 bytes per PE: ICC_PPI_PRIORITYR<n>_EL1. */
  readonly ppiPriority: Uint8Array;
  readonly cr0: Uint32Array;
  readonly pcr: Uint32Array;
  /** Active priorities: bit n for priority n. */
  readonly apr: Uint32Array;
  /** Low and high word per PE. */
  readonly icsr: Uint32Array;

  /** What the IRS forwards to each PE, the best PPI of each PE, and what the PE is signalled. */
  readonly irsIntid: Uint32Array;
  readonly irsPriority: Uint8Array;
  readonly ppiIntid: Uint32Array;
  readonly ppiBest: Uint8Array;
  /** IRQ, FIQ and NMI in bits 0 to 2. */
  readonly signal: Uint8Array;

  /** The ISTE of each LPI whose state the IRS has, by ID. The others are in guest memory. */
  readonly lpis = new Map<number, number>();
  readonly pendingLpis = new PendingLpis();
  /** The ITSs and IWBs; most configurations have none. */
  readonly its: ItsState;
  readonly memory = new GuestMemory();

  constructor(config: Gicv5Config) {
    const irs = config.irs[0];
    invariant(irs !== undefined, 'a GICv5 without an IRS');
    this.config = config;
    this.profile = gicv5ProfileNamed(config.profile);
    this.peCount = config.pes.length;
    this.peByIaffid = new Map(config.pes.map(({ iaffid }, pe) => [iaffid, pe] as const).reverse());
    this.spiBase = irs.idr[7]! & SPI_BASE_BITS;
    this.spiCount = irs.idr[6]! & SPI_RANGE_BITS;
    this.ppiHandling = Uint32Array.from(
      config.cpuif.hmr.flatMap((text) => [Number(BigInt(text) & 0xffff_ffffn), Number(BigInt(text) >> 32n)]),
    );
    const { arena } = this;
    const pes = this.peCount;
    const spiWords = Math.ceil(this.spiCount / 32);
    const words = (length: number) => arena.words(length);
    const bytes = (length: number) => arena.bytes(length);
    const plan = {
      ...{ irsCr0: words(1), irsCr1: words(1), istBaser: words(2), istCfgr: words(1) },
      ...{ spiSelr: words(1), peSelr: words(1), ist: words(IST_WORDS) },
      spi: NAMES.map(() => words(spiWords)),
      ...{ spiTrigger: words(spiWords), spiTarget: words(this.spiCount) },
      ppi: NAMES.map(() => words(PPI_WORDS * pes)),
      ...{ cr0: words(pes), pcr: words(pes), apr: words(pes), icsr: words(2 * pes) },
      ...{ irsIntid: words(pes), ppiIntid: words(pes) },
      ...{ spiPriority: bytes(this.spiCount), ppiPriority: bytes(PPIS * pes) },
      ...{ irsPriority: bytes(pes), ppiBest: bytes(pes), signal: bytes(pes) },
    };
    const its = ItsState.in(arena, config);
    arena.allocate();
    this.its = its();
    const bits = (slots: readonly { get(): Uint32Array }[]): Gicv5IrqBits => ({
      enable: slots[0]!.get(),
      pending: slots[1]!.get(),
      active: slots[2]!.get(),
      level: slots[3]!.get(),
      handling: slots[4]!.get(),
    });
    this.irsCr0 = plan.irsCr0.get();
    this.irsCr1 = plan.irsCr1.get();
    this.istBaser = plan.istBaser.get();
    this.istCfgr = plan.istCfgr.get();
    this.spiSelr = plan.spiSelr.get();
    this.peSelr = plan.peSelr.get();
    this.ist = plan.ist.get();
    this.spi = bits(plan.spi);
    this.spiTrigger = plan.spiTrigger.get();
    this.spiTarget = plan.spiTarget.get();
    this.ppi = bits(plan.ppi);
    this.cr0 = plan.cr0.get();
    this.pcr = plan.pcr.get();
    this.apr = plan.apr.get();
    this.icsr = plan.icsr.get();
    this.irsIntid = plan.irsIntid.get();
    this.ppiIntid = plan.ppiIntid.get();
    this.spiPriority = plan.spiPriority.get();
    this.ppiPriority = plan.ppiPriority.get();
    this.irsPriority = plan.irsPriority.get();
    this.ppiBest = plan.ppiBest.get();
    this.signal = plan.signal.get();
    this.reset();
  }

  /** The index of an SPI in the arrays, or -1 if the IRS does not have it. */
  spiIndex(id: number): number {
    const index = id - this.spiBase;
    return index >= 0 && index < this.spiCount ? index : -1;
  }

  /** Resets everything as at power-on. Nothing is known about guest memory. */
  reset(): void {
    new Uint8Array(this.arena.buffer).fill(0);
    this.spiSelr[0] = NOTHING_SELECTED;
    for (let pe = 0; pe < this.peCount; pe++) this.resetHppi(pe);
    for (let pe = 0; pe < this.peCount; pe++) this.resetPe(pe, true);
    this.lpis.clear();
    this.pendingLpis.restart();
    this.its.clear();
    this.memory.clear();
  }

  /** A reset of the machine: everything but guest memory. `keepsHppi`: what the IRS forwards stays, as in QEMU. */
  resetMachine(keepsHppi: boolean): void {
    const intids = this.irsIntid.slice();
    const priorities = this.irsPriority.slice();
    new Uint8Array(this.arena.buffer).fill(0);
    this.spiSelr[0] = NOTHING_SELECTED;
    for (let pe = 0; pe < this.peCount; pe++) this.resetHppi(pe);
    if (keepsHppi) {
      this.irsIntid.set(intids);
      this.irsPriority.set(priorities);
    }
    for (let pe = 0; pe < this.peCount; pe++) this.resetPe(pe, true);
    this.lpis.clear();
    this.pendingLpis.clear();
    this.its.clear();
  }

  private resetHppi(pe: number): void {
    this.irsIntid[pe] = 0;
    this.irsPriority[pe] = IDLE;
  }

  /** Resets a CPU interface. `forgetsLines`: its level-sensitive PPIs are not pending, whatever their input lines. */
  resetPe(pe: number, forgetsLines: boolean): void {
    const from = pe * PPI_WORDS;
    for (let word = 0; word < PPI_WORDS; word++) {
      const at = from + word;
      this.ppi.enable[at] = 0;
      this.ppi.active[at] = 0;
      this.ppi.handling[at] = this.ppiHandling[word]!;
      this.ppi.pending[at] = forgetsLines ? 0 : this.ppi.level[at]! & this.ppiHandling[word]!;
    }
    this.ppiPriority.fill(0, pe * PPIS, (pe + 1) * PPIS);
    this.cr0[pe] = CR0_LINKED;
    this.pcr[pe] = 0;
    this.apr[pe] = 0;
    this.icsr.fill(0, 2 * pe, 2 * pe + 2);
    this.ppiIntid[pe] = 0;
    this.ppiBest[pe] = this.profile.resetPresentsPpi ? 0 : IDLE;
    this.signal[pe] = 0;
  }

  /** The state as bytes. Equal states give equal bytes. */
  save(): Uint8Array {
    const chunks: Uint8Array[] = [new Uint8Array(this.arena.buffer.slice(0))];
    const put = (array: Int32Array | Uint32Array) => {
      chunks.push(new Uint8Array(Uint32Array.of(array.length).buffer), new Uint8Array(array.buffer));
    };
    put(Uint32Array.from([...this.lpis].sort((a, b) => a[0] - b[0]).flat()));
    put(Int32Array.from(this.pendingLpis.save()));
    for (const words of this.its.save()) chunks.push(new Uint8Array(words.buffer));
    return joined([...chunks, ...memoryParts(this.memory)]);
  }

  /** Restores a state that `save` wrote for a GIC of the same configuration. */
  restore(bytes: Uint8Array): void {
    const fixed = this.arena.buffer.byteLength;
    invariant(bytes.length >= fixed, 'a snapshot of another configuration');
    new Uint8Array(this.arena.buffer).set(bytes.subarray(0, fixed));
    const reader = new SnapshotReader(bytes, fixed);
    const { word } = reader;
    this.lpis.clear();
    for (let n = word(); n > 0; n -= 2) this.lpis.set(word(), word());
    this.pendingLpis.restore(Int32Array.from({ length: word() }, word));
    this.its.restore(word);
    reader.memory(this.memory);
    invariant(reader.isAtEnd, 'a snapshot of another configuration');
  }

  /** SHA-256 of the state, in hex. */
  digest(): string {
    return createHash('sha256').update(this.save()).digest('hex');
  }
}

/** Words of `ist`. */
export const IST = {
  valid: 0,
  idBits: 1,
  indexBits: 2,
  entryBytes: 3,
  twoLevel: 4,
  low: 5,
  high: 6,
} as const;
const IST_WORDS = 7;
