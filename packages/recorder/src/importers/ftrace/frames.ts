// The frames of a GIC among the addresses that a log prints: from options, from the reads with which software probes
// them (find-frames.ts), or from a map of memory that virtual machine monitors use. The addresses of a kernel's own
// accesses are virtual: 64 bits.

export type FrameName = 'GICD' | 'GICR' | 'GITS';

export interface FrameOptions {
  /** Addresses as the log prints them. */
  readonly gicd?: bigint;
  /** Address of the first Redistributor of each region, and the number of Redistributors in the region, if given. */
  readonly gicr?: readonly { readonly base: bigint; readonly count?: number }[];
  readonly gits?: readonly bigint[];
  /** Bytes from one Redistributor to the next; from GICR_TYPER if absent. */
  readonly gicrStride?: number;
  /** Number of PEs, and therefore of Redistributors. */
  readonly pes?: number;
}

export interface Place {
  readonly frame: FrameName;
  /** Index of the Redistributor, or of the ITS. */
  readonly instance: number;
  readonly offset: number;
}

/** Where an ITS is in a part of the log. */
export interface ItsRange {
  readonly base: bigint;
  readonly its: number;
  /** The lines in which it is there: from this one to the one before `to`. */
  readonly from: number;
  readonly to: number;
}

/** What was found, in place of what options do not give. */
export interface Found {
  readonly gicd: bigint | undefined;
  readonly gicr: readonly bigint[];
  readonly its: readonly ItsRange[];
}

const GICD_BYTES = 0x1_0000n;
export const GITS_BYTES = 0x2_0000n;
/** GITS_TRANSLATER, from the base of an ITS. */
export const TRANSLATER = 0x1_0040n;
const GICR_TYPER = 8;
const TYPER_VLPIS = 2n;
const TYPER_LAST = 0x10n;
const STRIDES = { physical: 0x2_0000, virtual: 0x4_0000 } as const;
const REGION_MAX = 512;

interface Region {
  readonly base: bigint;
  /** Number of Redistributors that the region is known to have. */
  count: number;
  readonly fixed: boolean;
}

export class Frames {
  private readonly gicd: bigint | undefined;
  private readonly regions: Region[];
  private readonly its: readonly ItsRange[];
  private stride: number | undefined;

  constructor({ gicd, gicr, gits, gicrStride, pes }: FrameOptions, found: Found) {
    this.gicd = gicd ?? found.gicd;
    this.its = gits?.map((base, its) => ({ base, its, from: 0, to: Number.POSITIVE_INFINITY })) ?? found.its;
    this.stride = gicrStride;
    const regions: NonNullable<FrameOptions['gicr']> = gicr ?? found.gicr.map((base) => ({ base }));
    this.regions = regions.map(({ base, count }) => {
      // What software is seen to use is counted.
      const given = count ?? (gicr !== undefined && gicr.length === 1 ? pes : undefined);
      return { base, count: given ?? 1, fixed: given !== undefined };
    });
  }

  /** The base address of the Distributor, if known. */
  get distributor(): bigint | undefined {
    return this.gicd;
  }

  /** The number of ITSs. */
  get itsCount(): number {
    return this.its.reduce((count, { its }) => Math.max(count, its + 1), 0);
  }

  /** The base address of an ITS where it is last. */
  itsBase(its: number): bigint | undefined {
    return this.its.findLast((range) => range.its === its)?.base;
  }

  /** The ITS to whose GITS_TRANSLATER an address belongs; -1 for another address. */
  itsOfMessage(address: bigint): number {
    return this.its.find(({ base }) => address === base + TRANSLATER)?.its ?? -1;
  }

  /** The base of the n-th Redistributor. */
  redistributor(n: number): bigint | undefined {
    let left = n;
    for (const { base, count } of this.regions) {
      if (left < count) return base + BigInt(left * this.strideNow);
      left -= count;
    }
    return undefined;
  }

  /** The frame and offset of an address that line `line` prints. */
  find(address: bigint, line: number): Place | undefined {
    const { gicd } = this;
    if (gicd !== undefined && address >= gicd && address < gicd + GICD_BYTES)
      return { frame: 'GICD', instance: 0, offset: Number(address - gicd) };
    for (const { base, its, from, to } of this.its)
      if (line >= from && line < to && address >= base && address < base + GITS_BYTES)
        return { frame: 'GITS', instance: its, offset: Number(address - base) };
    let first = 0;
    for (const { base, count } of this.regions) {
      const stride = BigInt(this.strideNow);
      if (address >= base && address < base + stride * BigInt(count)) {
        const far = address - base;
        return { frame: 'GICR', instance: first + Number(far / stride), offset: Number(far % stride) };
      }
      first += count;
    }
    return undefined;
  }

  /** Notes that a register was read. Learns from GICR_TYPER how many Redistributors a region has. */
  read(address: bigint, value: bigint, line: number): void {
    const place = this.find(address, line);
    if (place?.frame !== 'GICR' || place.offset !== GICR_TYPER) return;
    if (this.stride === undefined && place.instance === 0)
      this.stride = value & TYPER_VLPIS ? STRIDES.virtual : STRIDES.physical;
    // Software walks a region until Last, so another Redistributor follows any that does not have it set.
    const next = address - BigInt(GICR_TYPER) + BigInt(this.strideNow);
    const region = this.regions.findLast(({ base }) => next > base);
    if (region === undefined || region.fixed || (value & TYPER_LAST) !== 0n) return;
    const count = Number((next - region.base) / BigInt(this.strideNow)) + 1;
    if (count > region.count && count <= REGION_MAX) region.count = count;
  }

  /** A PE exists, so its Redistributor does: the last region reaches that far unless it is known to end before. */
  reach(pe: number): void {
    const last = this.regions.at(-1);
    if (last === undefined || last.fixed || pe >= REGION_MAX) return;
    const before = this.regions.slice(0, -1).reduce((sum, { count }) => sum + count, 0);
    if (pe - before + 1 > last.count) last.count = pe - before + 1;
  }

  private get strideNow(): number {
    return this.stride ?? STRIDES.physical;
  }
}
