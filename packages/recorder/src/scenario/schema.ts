// The scenario language: the contents of a scenario file, checked with zod. Names are those of the file's own devices.
import { PROFILE_ALIASES, PROFILES } from '@gictrace/core/profile';
import { ALLOCATIONS, DEVICE_KINDS, MIGRATED_PARTS } from '@gictrace/core/record';
import { z } from 'zod';
import { BLOCKS_MAX } from '../trace/header.ts';

const pe = z.number().int().min(0).max(255);
const pes = z.array(pe).min(1);
const vpe = z.number().int().min(0).max(0xffff);
const times = z.number().int().min(1).max(1_000_000);
/** `device/vector`. */
const vector = z.string().regex(/^[A-Za-z][\w-]*\/\d{1,4}$/, 'is not DEVICE/VECTOR, such as nic/0');
const device = z.string();
const VECTORS_MAX = 4096;

export const deviceSchema = z.strictObject({
  /** DeviceID, 16 bits. */
  id: z.number().int().min(0).max(0xffff),
  vectors: z.number().int().min(1).max(VECTORS_MAX),
  /**
   * With MultiMSI there is one message for all vectors, which differ in its low bits; their number is a power of two. A
   * device that masks itself sends no messages while masked.
   */
  kind: z.enum(DEVICE_KINDS).default('msi-x'),
  /** The block to which it is connected; with ITSs, the ITS. */
  block: z
    .number()
    .int()
    .min(0)
    .max(BLOCKS_MAX - 1)
    .default(0),
  /** Its vectors are shut down with their PE, and started with it; others move. */
  managed: z.boolean().default(false),
});

const vectorStep = (verb: string) => z.strictObject({ [verb]: vector });
const toPe = (verb: string) => z.strictObject({ [verb]: vector, pe });
const vpeStep = (verb: string) => z.strictObject({ [verb]: vpe });
const vpeToPe = (verb: string) => z.strictObject({ [verb]: vpe, pe });

/** The verbs of a step and their arguments; `repeat` and `interleave` contain steps of their own. */
const VERBS: Readonly<Record<string, z.ZodType>> = {
  probe: z.strictObject({ probe: z.literal(true) }),
  reboot: z.strictObject({ reboot: z.literal(true) }),
  online: z.strictObject({ online: pes }),
  offline: z.strictObject({ offline: pes }),
  busy: z.strictObject({ busy: pes, steps: times }),
  alloc: z.strictObject({ alloc: device }),
  activate: toPe('activate'),
  mask: vectorStep('mask'),
  unmask: vectorStep('unmask'),
  set_affinity: toPe('set_affinity'),
  set_pending: vectorStep('set_pending'),
  clear_pending: vectorStep('clear_pending'),
  retrigger: vectorStep('retrigger'),
  deactivate: vectorStep('deactivate'),
  free: z.strictObject({ free: device }),
  fire: vectorStep('fire'),
  storm: z.strictObject({ storm: vector, times }),
  forge: z.strictObject({ forge: vector, by: device }),
  fail: z.strictObject({ fail: z.enum(ALLOCATIONS), nth: times.default(1) }),
  migrate: z.strictObject({
    migrate: z.strictObject({ without: z.enum(MIGRATED_PARTS).default('nothing') }),
  }),
  vm_alloc: z.strictObject({ vm_alloc: vpe, vpes: z.number().int().min(1).max(512) }),
  vpe_map: vpeToPe('vpe_map'),
  vpe_unmap: vpeStep('vpe_unmap'),
  vpe_schedule: vpeToPe('vpe_schedule'),
  vpe_deschedule: vpeToPe('vpe_deschedule'),
  vpe_block: vpeToPe('vpe_block'),
  vpe_unblock: vpeToPe('vpe_unblock'),
  vpe_move: vpeToPe('vpe_move'),
  vlpi_map: z.strictObject({ vlpi_map: vector, vpe }),
  doorbell_invalidate: vpeStep('doorbell_invalidate'),
  doorbell_mask: vpeStep('doorbell_mask'),
  doorbell_unmask: vpeStep('doorbell_unmask'),
  doorbell_clear: vpeStep('doorbell_clear'),
  doorbell_set: vpeStep('doorbell_set'),
  doorbell_release: vpeStep('doorbell_release'),
  repeat: z.strictObject({
    repeat: times,
    get steps() {
      return z.array(stepSchema);
    },
  }),
  interleave: z.strictObject({
    get interleave() {
      return z.array(z.array(stepSchema).min(1)).min(2);
    },
    /** Decides which list is next. The same seed gives the same order. */
    seed: z.number().int().min(0).max(0xffff_ffff),
  }),
};
export const VERB_NAMES: readonly string[] = Object.keys(VERBS);

/** The verb of a step. Some words, such as `vpe`, are verbs in one step and arguments in another. */
export function verbOf(step: Step): string | undefined {
  return VERB_NAMES.find((verb) => Object.hasOwn(step, verb));
}

export type Step = Readonly<Record<string, unknown>>;

/** A step: one verb and its arguments. The error message names the verb. */
const stepSchema: z.ZodType<Step> = z.record(z.string(), z.unknown()).superRefine((step, context) => {
  const verbs = Object.keys(step).filter((key) => Object.hasOwn(VERBS, key));
  if (verbs.length !== 1) {
    const message =
      verbs.length === 0
        ? `has no verb; verbs: ${VERB_NAMES.join(', ')}`
        : `has ${verbs.length} verbs (${verbs.join(', ')}): one a step`;
    context.addIssue({ code: 'custom', message });
    return;
  }
  const checked = VERBS[verbs[0]!]!.safeParse(step);
  if (!checked.success) for (const issue of checked.error.issues) context.addIssue({ ...issue } as never);
});

export const scenarioSchema = z.strictObject({
  scenario: z.string(),
  machine: z.strictObject({
    pes: z.number().int().min(1).max(256),
    /** The number of blocks to which devices are connected; for designs with an ITS, the number of ITSs. */
    blocks: z.number().int().min(1).max(BLOCKS_MAX).default(1),
    /** Profile of the simulator, instead of each design's own. */
    profile: z
      .enum([...Object.keys(PROFILES), ...Object.keys(PROFILE_ALIASES)] as [string, ...string[]])
      .optional(),
  }),
  devices: z.record(z.string().regex(/^[A-Za-z][\w-]*$/), deviceSchema).default({}),
  steps: z.array(stepSchema).min(1),
});
export type ScenarioFile = z.infer<typeof scenarioSchema>;
/** A scenario as a person writes it: values that have a default may be left out. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
