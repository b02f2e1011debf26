// One ITS as Linux's driver sets it up and uses it: its_reset_one, its_probe_one, its_alloc_tables and
// its_alloc_table_entry of drivers/irqchip/irq-gic-v3-its.c, with the accesses that they make, in their order. The kernel
// has pages of 4 KB.
import { GITS, mask, packFields, unpackField } from '../spec/index.ts';
import type { Bus } from './bus.ts';
import { QUEUE_PAGES } from './command-queue.ts';

const BASER = GITS.GITS_BASER.views['64 KB pages'];
const BASERS = 8;
const QUIESCENT = mask(GITS.GITS_CTLR, 'Quiescent');
const ENABLED = mask(GITS.GITS_CTLR, 'Enabled');
/** GITS_CTLR.ImDe, which Linux sets on an ITS that has vLPIs. */
const IMDE = mask(GITS.GITS_CTLR, 'ImDe');
/** Inner shareable, cacheable with read-allocate and write-allocate. */
export const CACHED = { Shareability: 1, InnerCache: 7 } as const;

/** What a table contains, as GITS_BASER<n>.Type says. */
export const TABLES = { devices: 1, vPEs: 2, collections: 4 } as const;
type TableType = (typeof TABLES)[keyof typeof TABLES];
/** vPEIDs have 16 bits (ITS_MAX_VPEID_BITS). */
const VPEID_BITS = 16;
const LEVEL1_ENTRY_BYTES = 8;

const KERNEL_PAGE = 4096;
/** Bytes of the smallest block of 2^n pages that is not smaller than `bytes` (get_order). */
const blockOf = (bytes: number): number => {
  let block = KERNEL_PAGE;
  while (block < bytes) block *= 2;
  return block;
};

interface Table {
  /** The value of GITS_BASER<n>. */
  readonly baser: bigint;
  readonly base: number;
  readonly pageBytes: number;
  readonly entryBytes: number;
  readonly indirect: boolean;
  /** Pages of the second level that exist. */
  readonly pages: Set<number>;
}

/** Page sizes from the largest on, with their encodings in GITS_BASER<n>.Page_Size. */
const PAGE_SIZES = [
  [0x1_0000, 2],
  [0x4000, 1],
  [0x1000, 0],
] as const;

export class ItsNode {
  readonly typer: bigint;
  private readonly bus: Bus;
  private readonly its: number;
  private readonly tables = new Map<number, Table>();

  /** Probes an ITS that has been reset, allocates its tables and its queue, and enables it. */
  private constructor(bus: Bus, its: number) {
    this.bus = bus;
    this.its = its;
    quiesce(bus, its);
    this.typer = bus.read('GITS_TYPER', its);
    // GITS_TYPER.VMAPP means GICv4.1.
    if (unpackField(GITS.GITS_TYPER, 'VMAPP', this.typer) === 1) bus.read('GITS_MPIDR', its);
    bus.read('GITS_IIDR', its);
    this.allocateTables();
    const Physical_Address = bus.openQueue(its);
    bus.write(
      'GITS_CBASER',
      its,
      packFields(GITS.GITS_CBASER, { Valid: 1, Physical_Address, Size: QUEUE_PAGES, ...CACHED }),
    );
    bus.read('GITS_CBASER', its);
    bus.write('GITS_CWRITER', its, 0n);
    const ctlr = bus.read('GITS_CTLR', its);
    bus.write('GITS_CTLR', its, (ctlr | ENABLED | (this.isVirtual ? IMDE : 0)) >>> 0);
  }

  /** Resets all ITSs, since they may share tables, and then probes each. */
  static probeAll(bus: Bus, count: number): readonly ItsNode[] {
    for (let its = 0; its < count; its++) {
      quiesce(bus, its);
      for (let n = 0; n < BASERS; n++) bus.write('GITS_BASER', its, 0n, n);
    }
    return Array.from({ length: count }, (_, its) => new ItsNode(bus, its));
  }

  /** GITS_TYPER.Virtual. */
  get isVirtual(): boolean {
    return unpackField(GITS.GITS_TYPER, 'Virtual', this.typer) === 1;
  }
  /** GITS_TYPER.PTA: commands name a Redistributor by its address. Otherwise by GICR_TYPER.Processor_Number. */
  get targetsAreAddresses(): boolean {
    return unpackField(GITS.GITS_TYPER, 'PTA', this.typer) === 1;
  }
  /** Bytes of an interrupt translation entry. */
  get ittEntryBytes(): number {
    return unpackField(GITS.GITS_TYPER, 'ITT_entry_size', this.typer);
  }
  /** The highest DeviceID. */
  get lastDevice(): number {
    return 2 ** unpackField(GITS.GITS_TYPER, 'Devbits', this.typer) - 1;
  }
  /** GITS_BASER<n> of the vPE table; 0 if there is none. */
  get vpeBaser(): bigint {
    return this.tables.get(TABLES.vPEs)?.baser ?? 0n;
  }

  /** Writes GITS_BASER<n> and returns what it reads as. */
  private rewrite(n: number, value: bigint): bigint {
    this.bus.write('GITS_BASER', this.its, value, n);
    return this.bus.read('GITS_BASER', this.its, n);
  }

  /** Finds the largest page size that GITS_BASER<n> accepts, in bytes. @throws if it accepts none. */
  private pageBytes(n: number): number {
    for (const [bytes, encoding] of PAGE_SIZES) {
      const before = this.bus.read('GITS_BASER', this.its, n);
      const Page_Size = unpackField(BASER, 'Page_Size', before);
      const cleared = before & ~packFields(BASER, { Page_Size });
      const after = this.rewrite(n, cleared | packFields(BASER, { Page_Size: encoding }));
      if (unpackField(BASER, 'Page_Size', after) === encoding) return bytes;
    }
    throw new Error('invariant: GITS_BASER accepts no page size');
  }

  /** Whether a table for IDs of `bits` bits has two levels, and how many bytes the memory at its base has. */
  private levels(n: number, pageBytes: number, bits: number): { indirect: boolean; bytes: number } {
    const entry = unpackField(BASER, 'Entry_Size', this.bus.read('GITS_BASER', this.its, n));
    const whole = entry * 2 ** bits;
    if (whole > 2 * pageBytes) {
      const after = this.rewrite(n, packFields(BASER, { ...CACHED, Entry_Size: 1, Size: 1, Indirect: 1 }));
      if (unpackField(BASER, 'Indirect', after) === 1) {
        const pages = 2 ** (bits - Math.log2(blockBelow(pageBytes / entry)));
        return { indirect: true, bytes: Math.max(blockOf(LEVEL1_ENTRY_BYTES * pages), blockOf(pageBytes)) };
      }
    }
    return { indirect: false, bytes: Math.max(blockOf(whole), blockOf(pageBytes)) };
  }

  private allocateTables(): void {
    const { bus, its } = this;
    for (let n = 0; n < BASERS; n++) {
      const type = unpackField(BASER, 'Type', bus.read('GITS_BASER', its, n));
      if (type === 0) continue;
      const pageBytes = this.pageBytes(n);
      const bits = { [TABLES.devices]: Math.log2(this.lastDevice + 1), [TABLES.vPEs]: VPEID_BITS }[type];
      const { indirect, bytes } =
        bits === undefined ? { indirect: false, bytes: blockOf(pageBytes) } : this.levels(n, pageBytes, bits);
      const entryBytes = unpackField(BASER, 'Entry_Size', bus.read('GITS_BASER', its, n));
      const base = bus.memory(bytes);
      const baser = packFields(BASER, {
        ...CACHED,
        Valid: 1,
        Indirect: indirect ? 1 : 0,
        Type: type,
        Entry_Size: entryBytes,
        Page_Size: PAGE_SIZES.find(([size]) => size === pageBytes)![1],
        Size: bytes / pageBytes,
        Physical_Address_47_16: base,
      });
      this.tables.set(type, {
        baser: this.rewrite(n, baser),
        base,
        pageBytes,
        entryBytes,
        indirect,
        pages: new Set(),
      });
    }
  }

  /** Makes sure that a table has memory for an entry. A page of the second level is allocated when it is first needed. */
  allocateEntry(type: TableType, id: number): void {
    const table = this.tables.get(type);
    if (table === undefined || !table.indirect) return;
    const page = Math.floor(id / Math.floor(table.pageBytes / table.entryBytes));
    if (table.pages.has(page)) return;
    table.pages.add(page);
    const memory = BigInt(this.bus.memory(table.pageBytes)) | (1n << 63n);
    this.bus.store(table.base + LEVEL1_ENTRY_BYTES * page, memory, LEVEL1_ENTRY_BYTES);
  }
}

/** Reads what an ITS is, and disables it and waits until it is quiescent unless it is so already. */
function quiesce(bus: Bus, its: number): void {
  bus.read('GITS_PIDR', its, PIDR2);
  const ctlr = bus.read('GITS_CTLR', its);
  if ((ctlr & QUIESCENT) !== 0 && (ctlr & ENABLED) === 0) return;
  bus.write('GITS_CTLR', its, (ctlr & ~(ENABLED | IMDE)) >>> 0);
  bus.poll('GITS_CTLR', its, (value) => (value & QUIESCENT) !== 0);
}
/** The element of GITS_PIDR that is GITS_PIDR2, at 0xffe8. */
const PIDR2 = (0xffe8 - GITS.GITS_PIDR.offset) / 4;

/** The greatest power of two that is not above n. */
function blockBelow(n: number): number {
  return 2 ** Math.floor(Math.log2(n));
}
