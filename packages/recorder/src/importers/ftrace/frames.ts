// Locates the frames of a GIC among the addresses that a log prints: from options, or by the reads with which Linux
// probes them. The addresses of a kernel's own accesses are virtual: 64 bits.

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

/** Linux functions that read the PIDR2 of a frame to check whether it exists. Some are inlined into their caller. */
const PROBES: { readonly [name: string]: FrameName } = {
  gic_validate_dist_version: 'GICD',
  gic_of_init: 'GICD',
  gic_acpi_init: 'GICD',
  gic_iterate_rdists: 'GICR',
  gic_populate_rdist: 'GICR',
  its_map_one: 'GITS',
  its_probe_one: 'GITS',
  its_probe: 'GITS',
};
const PIDR2 = 0xffe8n;
const GICD_BYTES = 0x1_0000n;
const GITS_BYTES = 0x2_0000n;
const GICR_TYPER = 8;
const TYPER_VLPIS = 2n;
const TYPER_LAST = 0x10n;
const STRIDES = { physical: 0x2_0000, virtual: 0x4_0000 } as const;

interface Region {
  readonly base: bigint;
  /** Number of Redistributors that the region is known to have. */
  count: number;
  readonly fixed: boolean;
}

export class Frames {
  private gicd: bigint | undefined;
  private readonly regions: Region[];
  private readonly gits: bigint[];
  private stride: number | undefined;
  /** Frames that were found in the text. */
  readonly found: FrameName[] = [];

  constructor({ gicd, gicr = [], gits = [], gicrStride, pes }: FrameOptions) {
    this.gicd = gicd;
    this.gits = [...gits];
    this.stride = gicrStride;
    this.regions = gicr.map(({ base, count }) => {
      const given = count ?? (gicr.length === 1 ? pes : undefined);
      return { base, count: given ?? 1, fixed: given !== undefined };
    });
  }

  get known(): boolean {
    return this.gicd !== undefined || this.regions.length > 0 || this.gits.length > 0;
  }

  /** The base addresses of the Distributor and of each ITS, where known. */
  get bases(): { readonly gicd: bigint | undefined; readonly gits: readonly bigint[] } {
    return { gicd: this.gicd, gits: this.gits };
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

  /** The frame and offset of an address. */
  find(address: bigint): Place | undefined {
    const { gicd } = this;
    if (gicd !== undefined && address >= gicd && address < gicd + GICD_BYTES)
      return { frame: 'GICD', instance: 0, offset: Number(address - gicd) };
    for (let its = 0; its < this.gits.length; its++) {
      const base = this.gits[its]!;
      if (address >= base && address < base + GITS_BYTES)
        return { frame: 'GITS', instance: its, offset: Number(address - base) };
    }
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

  /** Notes that a register was read, and by which functions if the text names them. Learns frames from it. */
  read(address: bigint, value: bigint, functions: readonly string[]): void {
    if ((address & 0xffffn) === PIDR2) this.probe(address - PIDR2, value, functions);
    const place = this.find(address);
    if (place?.frame !== 'GICR' || place.offset !== GICR_TYPER) return;
    if (this.stride === undefined && place.instance === 0)
      this.stride = value & TYPER_VLPIS ? STRIDES.virtual : STRIDES.physical;
    // Software walks a region until Last, so another Redistributor follows any that does not have it set.
    const region = this.regions.at(-1)!;
    const next = address - BigInt(GICR_TYPER) + BigInt(this.strideNow);
    if (!region.fixed && (value & TYPER_LAST) === 0n && next >= region.base) {
      const count = Number((next - region.base) / BigInt(this.strideNow)) + 1;
      if (count > region.count && count <= 512) region.count = count;
    }
  }

  private probe(base: bigint, value: bigint, functions: readonly string[]): void {
    const architecture = (value >> 4n) & 0xfn;
    if (architecture !== 3n && architecture !== 4n) return;
    for (const name of functions) {
      const frame = Object.hasOwn(PROBES, name) ? PROBES[name] : undefined;
      if (frame === undefined || this.find(base + PIDR2) !== undefined) continue;
      if (frame === 'GICD' && this.gicd === undefined) this.gicd = base;
      else if (frame === 'GICR') this.regions.push({ base, count: 1, fixed: false });
      else if (frame === 'GITS') this.gits.push(base);
      else continue;
      if (!this.found.includes(frame)) this.found.push(frame);
    }
  }

  private get strideNow(): number {
    return this.stride ?? STRIDES.physical;
  }
}

/** The names of the functions that made the access according to the line, without offsets and suffixes. */
export function functionsOf(text: string): string[] {
  return [...text.matchAll(/([A-Za-z_]\w*)(?:\.\w+)*\+0x[0-9a-f]+/g)].map(([, name]) => name!);
}
