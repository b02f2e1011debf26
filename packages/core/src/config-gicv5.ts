// The configuration of a GICv5: what its identification registers say, and its place in the address map. A trace of a GICv5
// has it in its header in place of a `GicConfig`; `architecture` tells the two apart.
import * as z from 'zod/mini';
import { PES_MAX } from './config.ts';
import { ADDRESSES } from './spec/addresses.ts';

const within = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));
const u32 = within(0, 0xffff_ffff);
/** A physical address: below 2^52. */
const pa = within(0, ADDRESSES - 1);
const hex64 = z
  .string()
  .check(z.regex(/^0x[0-9a-f]{1,16}$/, 'expected 0x and up to 16 lower-case hex digits'));

const irs = z.strictObject({
  /** IRS_IDR0 to IRS_IDR7; IRS_IDR0 without INT_DOM, which is that of each frame. */
  idr: z.array(u32).check(z.length(8)),
  iidr: u32,
  aidr: u32,
  /** The frames: the interrupt domain (0 Secure, 1 Non-secure, 2 EL3, 3 Realm), the address of the configuration frame, and of the SETLPI frame if there is one (IRS_IDR0.SETLPI). */
  frames: z
    .array(z.strictObject({ domain: within(0, 3), address: pa, setlpi: z.optional(pa) }))
    .check(z.minLength(1), z.maxLength(4)),
});

const its = z.strictObject({
  /** ITS_IDR0 to ITS_IDR2; ITS_IDR0 without INT_DOM, which is that of each frame. */
  idr: z.array(u32).check(z.length(3)),
  iidr: u32,
  aidr: u32,
  /** The frames by interrupt domain: the configuration frame, and that to which devices write. */
  frames: z
    .array(z.strictObject({ domain: within(0, 3), address: pa, translate: pa }))
    .check(z.minLength(1), z.maxLength(4)),
});

const iwb = z.strictObject({
  idr0: u32,
  iidr: u32,
  aidr: u32,
  /** The ITS to which it is connected, and the DeviceID of its events. */
  its: within(0, 15),
  deviceId: u32,
  frames: z
    .array(z.strictObject({ domain: within(0, 3), address: pa }))
    .check(z.minLength(1), z.maxLength(4)),
});

const shape = z.strictObject({
  /** Name of the profile: every IMPLEMENTATION DEFINED choice. */
  profile: z.string().check(z.minLength(1)),
  architecture: z.literal(5),
  /** The PEs; `affinity` packs Aff3.Aff2.Aff1.Aff0, one byte each, and `iaffid` is what ICC_IAFFIDR_EL1 reads. */
  pes: z
    .array(z.strictObject({ affinity: u32, iaffid: within(0, 0xffff) }))
    .check(z.minLength(1), z.maxLength(PES_MAX)),
  irs: z.array(irs).check(z.minLength(1), z.maxLength(16)),
  its: z.optional(z.array(its).check(z.maxLength(16))),
  iwb: z.optional(z.array(iwb).check(z.maxLength(16))),
  /** The CPU interfaces: ICC_IDR0_EL1, and ICC_PPI_HMR0_EL1 and ICC_PPI_HMR1_EL1. */
  cpuif: z.strictObject({ idr0: u32, hmr: z.array(hex64).check(z.length(2)) }),
});

/** The identity of a GICv5. No two PEs have the same IAFFID, and no IRS two frames of one domain. */
export const gicv5ConfigSchema = shape.check(
  z.refine(({ pes }) => new Set(pes.map(({ iaffid }) => iaffid)).size === pes.length, {
    error: 'expected an IAFFID of its own for each PE',
    path: ['pes'],
  }),
  z.refine(
    (config) =>
      config.irs.every(({ frames }) => new Set(frames.map(({ domain }) => domain)).size === frames.length),
    { error: 'expected one frame for each domain of an IRS', path: ['irs'] },
  ),
  z.refine(({ its, iwb }) => (iwb ?? []).every((one) => one.its < (its?.length ?? 0)), {
    error: 'expected an IWB to be connected to an ITS that exists',
    path: ['iwb'],
  }),
);

/** See {@link gicv5ConfigSchema}. */
export type Gicv5Config = z.infer<typeof gicv5ConfigSchema>;
