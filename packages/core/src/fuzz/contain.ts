// Keeps the tables of a generated guest inside its RAM, because what happens on accesses outside memory depends on the
// machine and not on the GIC. Addresses are moved into the gigabyte from 0x40000000. Some reserved bits stay zero too.
import type { GicConfig } from '../config.ts';
import {
  FRAMES,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  takenOrEnded,
} from '../record/index.ts';
import {
  commandName,
  firstIntidOf,
  frameMap,
  GICD,
  GICR,
  GITS,
  ITS_COMMANDS,
  LPI_FIRST,
  mask,
  maskHigh,
  type OperandSpec,
  SYSREGS,
} from '../spec/index.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const GICD_FRAME = FRAMES.indexOf('GICD');
const GICR_FRAME = FRAMES.indexOf('GICR');
const GITS_FRAME = FRAMES.indexOf('GITS');
/** Bits 51:32 of an address, in the high word. */
const HIGH_ADDRESS = maskHigh(GICR.GICR_PROPBASER, 'Physical_Address');
/** With pages of 64 KB these bits of GITS_BASER<n> are bits 51:48 of the address. */
const BASER_HIGHEST = mask(GITS.GITS_BASER.views['64 KB pages'], 'Physical_Address_51_48');
const ITLINES = mask(GICD.GICD_TYPER, 'ITLinesNumber');
const DS = mask(GICD.GICD_CTLR, 'DS');
const SECURITY_EXTN = mask(GICD.GICD_TYPER, 'SecurityExtn');
const VALID = maskHigh(GICR.GICR_VPENDBASER, 'Valid');
const ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');
const VPT_ADDRESS = mask(GICR.GICR_VPENDBASER, 'Physical_Address');
/** GITS_CBASER.Size except its two lowest bits. */
const MANY_QUEUE_PAGES = mask(GITS.GITS_CBASER, 'Size') & ~3;
/** GICR_VPROPBASER.IDbits of 16 and more. */
const MANY_ID_BITS = 0x10;
/** Bits 7:5 of doubleword 3 of VMAPP, above VPT_size. */
const VMAPP_RES0 = 0xe0;

/** Reserved locations of GICD, of RD_base and of the VLPI frame. */
const GICD_RESERVED = 0x8ff8;
const RD_RESERVED = 0x8ff8;
const VLPI_RESERVED = 0x2_0ff8;
const gicd = frameMap(GICD, 0x1_0000);
/** INTIDs below those of LPIs and extended ranges. */
const INTIDS = 1024;
const POINTER_BITS = mask(GITS.GITS_CWRITER, 'Offset', 'Retry');
const POINTERS: readonly number[] = [GITS.GITS_CWRITER.offset, GITS.GITS_CREADR.offset];

/**
 * Whether a register is for SPIs that GICD_TYPER hides: QEMU's virt has 256 SPIs, but in 7.2 GICD_TYPER.ITLinesNumber
 * says 224.
 */
function isHidden(offset: number): boolean {
  const index = gicd.find(offset);
  if (index < 0) return false;
  const first = firstIntidOf(gicd.specs[index]!, gicd.element(index, offset));
  return first !== undefined && first >= 256 && first < 288;
}

/** State of the generated guest that decides what software may not do next, such as moving tables in use. */
export class InUse {
  /** GICD_TYPER.ITLinesNumber is 7, as in QEMU 7.2. */
  readonly hidesSpis: boolean;
  /** Whether the GIC has two Security states, or had them until software set GICD_CTLR.DS. */
  readonly twoStates: boolean;
  /** SPIs whose input lines are high, and SPIs that may be enabled. */
  readonly raised = new Set<number>();
  readonly enabledSpis = new Uint8Array(INTIDS);
  /** PEs with a resident vPE, and PEs with LPIs enabled. */
  readonly resident = new Set<number>();
  readonly enabled = new Set<number>();
  /** By PE: the low word of the virtual pending table that its GICR_VPENDBASER names. */
  readonly vpts = new Map<number, number>();

  constructor({ gicd }: GicConfig) {
    this.hidesSpis = (gicd.typer & ITLINES) === 7;
    this.twoStates = (gicd.typer & SECURITY_EXTN) !== 0;
  }
}

const { GICR_CTLR, GICR_PROPBASER, GICR_PENDBASER, GICR_VPROPBASER, GICR_VPENDBASER } = GICR;

/** The INTIDs that an access reaches in a register array of the Distributor with `bits` bits per interrupt. */
function* touched(
  register: { readonly offset: number },
  bits: number,
  offset: number,
  width: number,
): Generator<number> {
  const from = Math.max(0, ((offset - register.offset) * 8) / bits);
  const to = Math.min(INTIDS, ((offset + width - register.offset) * 8) / bits);
  for (let intid = from; intid < to; intid++) yield intid;
}

/**
 * Lets an SPI whose input line is high be configured only while it is disabled, because anything else is UNPREDICTABLE
 * (IHI 0069, "GICD_ICFGR<n>").
 */
function keepConfiguration(
  w: Uint32Array,
  at: number,
  reachesAll: boolean,
  { raised, enabledSpis }: InUse,
): void {
  const [offset, width, low] = [w[at + 2]!, w[at + 3]!, w[at + 4]!];
  for (const intid of touched(GICD.GICD_ISENABLER, 1, offset, width)) enabledSpis[intid] = 1;
  // Writes of other widths, or of Non-secure software, may leave the SPI enabled, so they do not count as disabling it.
  if (width === 4 && offset % 4 === 0 && reachesAll)
    for (const intid of touched(GICD.GICD_ICENABLER, 1, offset, width))
      if ((low >>> (intid & 31)) & 1) enabledSpis[intid] = 0;
  for (const intid of touched(GICD.GICD_ICFGR, 2, offset, width))
    if (raised.has(intid) && enabledSpis[intid]) w[at + 2] = GICD_RESERVED;
}

/** Turns a write that would move tables in use into a write to a reserved location. */
function keepTables(batch: RecordBatch, i: number, inUse: InUse): void {
  const { resident, enabled } = inUse;
  const w = batch.words;
  const at = i * RECORD_WORDS;
  const [pe, offset, width] = [w[at + 1]!, w[at + 2]!, w[at + 3]!];
  const register = offset & ~7;
  if (offset === GICR_CTLR.offset && width === 4) {
    if (w[at + 4]! & ENABLE_LPIS) enabled.add(pe);
    else enabled.delete(pe);
  }
  if (register === GICR_PROPBASER.offset || register === GICR_PENDBASER.offset) {
    if (enabled.has(pe)) w[at + 2] = RD_RESERVED;
  } else if (register === GICR_VPROPBASER.offset) {
    if (resident.has(pe)) w[at + 2] = VLPI_RESERVED;
  } else if (register === GICR_VPENDBASER.offset) keepResidency(w, at, inUse);
}

/** Keeps one vPE from becoming resident on two PEs, which is UNPREDICTABLE (IHI 0069, "GICR_VPENDBASER"). */
function keepResidency(w: Uint32Array, at: number, { resident, vpts }: InUse): void {
  const [pe, offset, width] = [w[at + 1]!, w[at + 2]!, w[at + 3]!];
  const isLow = offset === GICR_VPENDBASER.offset && width >= 4;
  const isHigh = width === 8 || (width === 4 && !isLow);
  if (!isLow && !isHigh) return;
  const table = isLow ? (inRam(w[at + 4]!) & VPT_ADDRESS) >>> 0 : (vpts.get(pe) ?? 0);
  const valid = isHigh ? (w[at + (width === 8 ? 5 : 4)]! & VALID) !== 0 : resident.has(pe);
  const elsewhere = [...resident].some((other) => other !== pe && vpts.get(other) === table);
  if (valid && elsewhere) {
    w[at + 2] = VLPI_RESERVED;
    return;
  }
  // While the table is in use, writing another address does not change it.
  if (!(valid && resident.has(pe))) vpts.set(pe, table);
  if (valid) resident.add(pe);
  else resident.delete(pe);
}

const inRam = (low: number): number => ((low & 0x3fff_ffff) | 0x4000_0000) >>> 0;
const withoutHigh = (high: number): number => (high & ~HIGH_ADDRESS) >>> 0;

const holders: readonly (readonly [number, number, number])[] = [
  [GICR_FRAME, GICR.GICR_PROPBASER.offset, 8],
  [GICR_FRAME, GICR.GICR_PENDBASER.offset, 8],
  [GICR_FRAME, GICR.GICR_VPROPBASER.offset, 8],
  [GICR_FRAME, GICR.GICR_VPENDBASER.offset, 8],
  [GITS_FRAME, GITS.GITS_CBASER.offset, 8],
  [GITS_FRAME, GITS.GITS_BASER.offset, 64],
];

const BINARY_POINT = mask(SYSREGS.ICC_BPR0_EL1, 'BinaryPoint');
/** Bits of a system register that may be written; the others are RES0, but QEMU does not ignore them. */
const KEPT: Readonly<Record<number, number>> = {
  [SYSREGS.ICC_BPR0_EL1.encoding]: BINARY_POINT,
  [SYSREGS.ICC_BPR1_EL1.encoding]: BINARY_POINT,
  [SYSREGS.ICV_BPR0_EL1.encoding]: BINARY_POINT,
  [SYSREGS.ICV_BPR1_EL1.encoding]: BINARY_POINT,
  // Traps are excluded, because they concern the PE and not the GIC.
  [SYSREGS.ICH_HCR_EL2.encoding]: ~mask(SYSREGS.ICH_HCR_EL2, 'TC', 'TALL0', 'TALL1', 'TSEI', 'TDIR'),
};

/**
 * Changes record `i` of a batch so that it names no address outside RAM and moves no table in use (IHI 0069,
 * "GICR_PENDBASER", "GICR_VPROPBASER").
 */
export function contain(batch: RecordBatch, i: number, inUse: InUse): void {
  const w = batch.words;
  const at = i * RECORD_WORDS;
  const kept = batch.kind[i] === SYSREG_WRITE ? KEPT[w[at]!] : undefined;
  if (kept !== undefined) {
    w[at + 1] = (w[at + 1]! & kept) >>> 0;
    w[at + 2] = 0;
  }
  // QEMU deactivates LPIs too, in memory beyond its bitmap: see docs/findings.md.
  if (batch.kind[i] === SYSREG_WRITE && takenOrEnded(batch, i) >= LPI_FIRST)
    w[at + 1] = LPI_FIRST + (w[at + 1]! & 0xfff);
  if (batch.kind[i] === MMIO_WRITE || batch.kind[i] === MMIO_READ) {
    if (inUse.hidesSpis && w[at] === GICD_FRAME && isHidden(w[at + 2]!)) w[at + 2] = GICD_RESERVED;
  }
  if (batch.kind[i] === WIRE_SET) {
    if (w[at + 1]) inUse.raised.add(w[at]!);
    else inUse.raised.delete(w[at]!);
  }
  if (batch.kind[i] === MMIO_WRITE) {
    if (w[at] === GICR_FRAME) keepTables(batch, i, inUse);
    if (w[at] === GICD_FRAME) {
      const reachesAll = !inUse.twoStates || (batch.flags[i]! & RECORD_FLAGS.secure) !== 0;
      keepConfiguration(w, at, reachesAll, inUse);
      // QEMU does not look again at the priority of the best LPI: see docs/findings.md.
      if (inUse.enabled.size > 0 && w[at + 2] === GICD.GICD_CTLR.offset) w[at + 4] = w[at + 4]! & ~DS;
    }
    const offset = w[at + 2]!;
    // Reserved bits of the queue's pointers stay zero, because not every GIC ignores them.
    if (w[at] === GITS_FRAME && POINTERS.includes(offset)) {
      w[at + 4] = w[at + 4]! & POINTER_BITS;
      w[at + 5] = 0;
    }
    if (w[at] === GITS_FRAME && POINTERS.includes(offset - 4)) w[at + 4] = 0;
    const holder = holders.find(
      ([frame, from, bytes]) => frame === w[at] && offset >= from && offset < from + bytes,
    );
    if (holder === undefined) return;
    if (offset % 8 === 4) w[at + 4] = withoutHigh(w[at + 4]!);
    else {
      w[at + 4] = inRam(w[at + 4]!);
      // The queue stays short, because a comparison keeps only so many commands at once.
      if (holder[1] === GITS.GITS_CBASER.offset) w[at + 4] = (w[at + 4]! & ~MANY_QUEUE_PAGES) >>> 0;
      // With IDs of 32 bits, QEMU would search half a gigabyte.
      if (holder[1] === GICR.GICR_VPROPBASER.offset) w[at + 4] = (w[at + 4]! & ~MANY_ID_BITS) >>> 0;
      if (holder[1] === GITS.GITS_BASER.offset) w[at + 4] = (w[at + 4]! & ~BASER_HIGHEST) >>> 0;
      w[at + 5] = withoutHigh(w[at + 5]!);
    }
  } else if (batch.kind[i] === QUEUE_WRITE) {
    const name = commandName(w[at + 3]! & 0xff);
    if (name === undefined) return;
    // Reserved bits above VPT_size stay zero, because QEMU 7.2 takes them as part of VPT_size.
    if (name === 'VMAPP') w[at + 9] = (w[at + 9]! & ~VMAPP_RES0) >>> 0;
    for (const operand of ITS_COMMANDS[name].operands as readonly OperandSpec[]) {
      const word = at + 3 + 2 * operand.dw;
      if (operand.kind === 'pa') w[word] = inRam(w[word]!);
      // A processor number has 16 bits; the bits above are RES0.
      if (operand.kind === 'pa' || operand.name.startsWith('RDbase')) w[word + 1] = withoutHigh(w[word + 1]!);
    }
  }
}
