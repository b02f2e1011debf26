// Finds the frames of a GIC by the reads with which software probes them. Linux reads PIDR2 of each frame to see whether
// a GICv3 or GICv4 is there. For a host the log names the function that reads it. For a guest the next access to the
// frame tells which frame it is: GICD_TYPER follows in a Distributor, GICR_TYPER in a Redistributor, GITS_CTLR in an ITS.
import { functionName } from './events.ts';
import { type Found, type FrameName, GITS_BYTES, type ItsRange } from './frames.ts';

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
const FRAME_BYTES = 0x1_0000n;
const TYPER = 8n;
const TYPER_LAST = 0x10n;
const STRIDE = 0x2_0000n;
/** Frames that were probed and of which nothing more is known, at a time. */
const PENDING_MAX = 64;
/** Pages of 64 KB of which it is remembered that they were accessed, for one guest. */
const PAGES_MAX = 65_536;

interface ItsProbe {
  readonly base: bigint;
  /** The place in the kernel from which the probing function was called; undefined if the log does not show it. */
  readonly site: string | undefined;
  readonly line: number;
  /** Its GITS_TYPER was read. */
  hasTyper: boolean;
}

function isGic(pidr2: bigint): boolean {
  const architecture = (pidr2 >> 4n) & 0xfn;
  return architecture === 3n || architecture === 4n;
}

/** Finds the frames of a host. */
export class HostFrames {
  private gicd: bigint | undefined;
  private readonly gicr: bigint[] = [];
  private readonly probes: ItsProbe[] = [];

  /** A register was read. `callers`: the functions that read it. */
  read(address: bigint, value: bigint, callers: readonly string[], line: number): void {
    const its = this.probes.findLast(({ base }) => address >= base && address < base + GITS_BYTES);
    if (its !== undefined && address - its.base === TYPER) its.hasTyper = true;
    if ((address & 0xffffn) !== PIDR2 || !isGic(value)) return;
    const base = address - PIDR2;
    for (let k = 0; k < callers.length; k++) {
      const name = functionName(callers[k]!);
      const frame = Object.hasOwn(PROBES, name) ? PROBES[name] : undefined;
      if (frame === 'GICD') this.gicd ??= base;
      else if (frame === 'GICR' && !this.gicr.some((one) => base >= one && base < one + STRIDE * 512n))
        this.gicr.push(base);
      else if (frame === 'GITS' && !this.probes.some((one) => one.line === line))
        this.probes.push({ base, site: k > 0 ? callers[k - 1] : undefined, line, hasTyper: false });
    }
  }

  get found(): Found {
    return { gicd: this.gicd, gicr: this.gicr, its: this.its() };
  }

  /**
   * Linux from 6.6 on maps each ITS twice, from two places: first to disable it, then to use it. The first mapping ends
   * before the second begins, and its addresses are then used for something else. Both passes go through the ITSs in
   * the same order.
   */
  private its(): ItsRange[] {
    const passes: ItsProbe[][] = [];
    for (const probe of this.probes) {
      const pass = passes.find(
        (list) => isOnePass(list[0]!, probe) && !list.some(({ base }) => base === probe.base),
      );
      if (pass === undefined) passes.push([probe]);
      else pass.push(probe);
    }
    const ranges: ItsRange[] = [];
    passes.forEach((pass, n) => {
      const next = passes[n + 1]?.[0]?.line ?? Number.POSITIVE_INFINITY;
      pass.forEach(({ base, line }, its) => {
        // A pass before the last unmaps each ITS before it maps the next.
        const to =
          n === passes.length - 1 ? Number.POSITIVE_INFINITY : Math.min(pass[its + 1]?.line ?? next, next);
        ranges.push({ base, its, from: line, to });
      });
    });
    return ranges;
  }
}

/** Whether two ITSs were mapped from one place in the kernel. If the log does not show places, a pass reads GITS_TYPER or not. */
function isOnePass(one: ItsProbe, other: ItsProbe): boolean {
  if (one.site !== undefined && other.site !== undefined) return one.site === other.site;
  return one.hasTyper === other.hasTyper;
}

/** Finds the frames of a guest. */
export class GuestFrames {
  private gicd: bigint | undefined;
  private readonly gicr: bigint[] = [];
  private readonly its: ItsRange[] = [];
  /** Frames of which PIDR2 was read, and what has not been decided yet. */
  private readonly pending = new Set<bigint>();
  /** A Redistributor that would be the next one of a region that is not certain yet, and the first of that region. */
  private chain: { readonly first: bigint; readonly next: bigint; readonly number: number } | undefined;
  /** Pages of 64 KB that were accessed. */
  readonly pages = new Set<bigint>();

  /** An access by the guest; a read has its value. */
  take(address: bigint, width: number, isWrite: boolean, value: bigint): void {
    const page = address & ~0xffffn;
    const offset = address - page;
    if (this.pages.size < PAGES_MAX) this.pages.add(page);
    if (this.pending.size > 0 && this.pending.has(page) && offset !== PIDR2)
      this.decide(page, offset, width, isWrite);
    if (isWrite) return;
    if (offset === PIDR2 && width === 4 && isGic(value)) {
      if (!this.isKnown(page) && this.pending.size < PENDING_MAX) this.pending.add(page);
    } else if (offset === TYPER && width === 8) this.typer(page, value);
  }

  get found(): Found {
    return { gicd: this.gicd, gicr: this.gicr, its: this.its };
  }

  private isKnown(page: bigint): boolean {
    return page === this.gicd || this.gicr.includes(page) || this.its.some(({ base }) => base === page);
  }

  private decide(page: bigint, offset: bigint, width: number, isWrite: boolean): void {
    this.pending.delete(page);
    if (isWrite) return;
    if (offset === 4n && width === 4) this.gicd ??= page;
    else if (offset === TYPER) this.region(page);
    else if (offset === 0n && width === 4)
      this.its.push({ base: page, its: this.its.length, from: 0, to: Number.POSITIVE_INFINITY });
  }

  /**
   * Software that does not probe finds its own Redistributor by GICR_TYPER, one after the other. They are numbered, and
   * so is the PE in Affinity for the first 16, so that a chain of two is certain.
   */
  private typer(page: bigint, value: bigint): void {
    const number = Number((value >> 8n) & 0xffffn);
    const isNumbered = BigInt.asUintN(4, value >> 32n) === BigInt(number & 0xf) && value >> 32n < 0x1000n;
    const { chain } = this;
    if (chain !== undefined && page === chain.next && number === chain.number && isNumbered)
      this.region(chain.first);
    if (this.gicr.length > 0) this.chain = undefined;
    else if (number === 0 && isNumbered && (value & TYPER_LAST) === 0n)
      this.chain = { first: page, next: page + STRIDE, number: 1 };
  }

  private region(page: bigint): void {
    if (!this.gicr.some((one) => page >= one && page < one + STRIDE * 512n)) this.gicr.push(page);
  }
}

/** Maps of memory with a GICv3 that virtual machine monitors give their guests. */
const MAPS: readonly { readonly of: string; readonly frames: (pes: number) => Found }[] = [
  {
    of: "QEMU's virt machine",
    frames: () => ({ gicd: 0x800_0000n, gicr: [0x80a_0000n], its: [whole(0x808_0000n)] }),
  },
  {
    // Redistributors end where the Distributor begins, and the ITS ends where they begin.
    of: 'kvmtool, Firecracker and crosvm',
    frames: (pes) => {
      const gicr = 0x3fff_0000n - BigInt(pes) * STRIDE;
      return { gicd: 0x3fff_0000n, gicr: [gicr], its: [whole(gicr - GITS_BYTES)] };
    },
  },
];

function whole(base: bigint): ItsRange {
  return { base, its: 0, from: 0, to: Number.POSITIVE_INFINITY };
}

/**
 * The map in which a guest accessed a Distributor and a Redistributor, and nothing that was found contradicts it. `pages`
 * are the pages of 64 KB that it accessed, `pes` its number of vCPUs.
 */
export function knownMap(
  pages: ReadonlySet<bigint>,
  found: Found,
  pes: number,
): { readonly of: string; readonly found: Found } | undefined {
  for (const { of, frames } of MAPS) {
    const map = frames(pes);
    if (!pages.has(map.gicd!) || !(pages.has(map.gicr[0]!) || pages.has(map.gicr[0]! + FRAME_BYTES)))
      continue;
    if (found.gicd !== undefined && found.gicd !== map.gicd) continue;
    if (found.gicr.length > 0 && found.gicr[0] !== map.gicr[0]) continue;
    const its = found.its.length > 0 ? found.its : map.its.filter(({ base }) => pages.has(base));
    return { of, found: { gicd: map.gicd, gicr: found.gicr.length > 0 ? found.gicr : map.gicr, its } };
  }
  return undefined;
}
