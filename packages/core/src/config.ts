// The configuration of a GIC: what its identity registers say, and its place in the address map. The header of a trace
// contains it, the model is built from it, and importers derive it from the identity registers in their source.
import * as z from 'zod/mini';
import { ADDRESSES } from './spec/addresses.ts';

/** The most PEs of a GIC. */
export const PES_MAX = 512;

/** An integer within a range, both ends included. */
const within = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));

/** A 64-bit value as text: `0x` and up to 16 lower-case hex digits. */
const hex64 = z
  .string()
  .check(z.regex(/^0x[0-9a-f]{1,16}$/, 'expected 0x and up to 16 lower-case hex digits'));
const u32 = within(0, 0xffff_ffff);
/** A physical address: below 2^52. */
const pa = within(0, ADDRESSES - 1);

const gicShape = z.strictObject({
  /** Name of the profile: every IMPLEMENTATION DEFINED choice (`core/profile`). */
  profile: z.string().check(z.minLength(1)),
  /** GICv3 or GICv4 (GICD_PIDR2.ArchRev). */
  architecture: z.union([z.literal(3), z.literal(4)]),
  /** The PEs in order of their Redistributors; `affinity` packs Aff3.Aff2.Aff1.Aff0, one byte each. At most PES_MAX. */
  pes: z.array(z.strictObject({ affinity: u32 })).check(z.minLength(1), z.maxLength(PES_MAX)),
  /** The values that GICD_TYPER, GICD_IIDR and GICD_PIDR2 read. */
  gicd: z.strictObject({ typer: u32, iidr: u32, pidr2: u32 }),
  /** Bits 31:0 of GICR_TYPER without Processor_Number and Last, which follow from the PE's place; GICR_IIDR; GICR_PIDR2. */
  gicr: z.strictObject({ typer: u32, iidr: u32, pidr2: u32 }),
  /** For each ITS: GITS_TYPER, GITS_IIDR, GITS_PIDR2, and the fixed part of each GITS_BASER<n> (Type, Entry_Size). */
  its: z
    .array(z.strictObject({ typer: hex64, iidr: u32, pidr2: u32, baser: z.array(hex64).check(z.length(8)) }))
    .check(z.maxLength(16)),
  /** Implemented priority bits of the physical CPU interface: 4 to 8. */
  priorityBits: within(4, 8),
  /** Implemented INTID bits of the CPU interface: 16 or 24 (ICC_CTLR_EL1.IDbits). */
  intidBits: z.union([z.literal(16), z.literal(24)]),
  /**
   * The value of ICH_VTR_EL2, which describes the virtual CPU interface. If absent, it is that of QEMU's Cortex-A57: four
   * list registers and five priority bits.
   */
  vtr: z.optional(u32),
  /**
   * All interrupts reset to Group 1 instead of Group 0. This happens with two Security states if something outside the
   * source plays the part of firmware, as QEMU does when it boots a kernel directly.
   */
  resetNonSecure: z.optional(z.boolean()),
  /** Physical base addresses: of the Distributor, of each PE's Redistributor, of each ITS. */
  addresses: z.strictObject({ gicd: pa, gicr: z.array(pa), its: z.array(pa) }),
});

/** The identity of a GIC and its place in the address map. There is an address for each Redistributor and for each ITS. */
export const gicConfigSchema = gicShape.check(
  z.refine(({ pes, addresses }) => addresses.gicr.length === pes.length, {
    error: 'expected one address for each PE',
    path: ['addresses', 'gicr'],
  }),
  z.refine(({ its, addresses }) => addresses.its.length === its.length, {
    error: 'expected one address for each ITS',
    path: ['addresses', 'its'],
  }),
);

/** See {@link gicConfigSchema}. */
export type GicConfig = z.infer<typeof gicConfigSchema>;
