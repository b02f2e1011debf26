// The scenario language: what a file may say, checked with zod. Names are of the file's own devices.
import { z } from 'zod';

const pe = z.number().int().min(0).max(255);
const vpe = z.number().int().min(0).max(0xffff);
/** `device/vector`. */
const vector = z.string().regex(/^[A-Za-z][\w-]*\/\d{1,4}$/, 'is not DEVICE/VECTOR, such as nic/0');
const device = z.string();

export const deviceSchema = z.strictObject({
  /** DeviceID, 16 bits. */
  id: z.number().int().min(0).max(0xffff),
  vectors: z.number().int().min(1).max(2048),
  /** MultiMSI: one message for all vectors, which differ in its low bits. The vectors are a power of two. */
  kind: z.enum(['msi-x', 'multi-msi']).default('msi-x'),
});

const vectorStep = (verb: string) => z.strictObject({ [verb]: vector });
const toPe = (verb: string) => z.strictObject({ [verb]: vector, pe });
const vpeStep = (verb: string) => z.strictObject({ [verb]: vpe });
const vpeToPe = (verb: string) => z.strictObject({ [verb]: vpe, pe });

/** Verbs of a step, and what each takes; `repeat` and `interleave` hold steps of their own. */
const VERBS: Readonly<Record<string, z.ZodType>> = {
  online: z.strictObject({ online: z.array(pe).min(1) }),
  alloc: z.strictObject({ alloc: device }),
  activate: toPe('activate'),
  mask: vectorStep('mask'),
  unmask: vectorStep('unmask'),
  set_affinity: toPe('set_affinity'),
  set_pending: vectorStep('set_pending'),
  clear_pending: vectorStep('clear_pending'),
  deactivate: vectorStep('deactivate'),
  free: z.strictObject({ free: device }),
  fire: vectorStep('fire'),
  forge: z.strictObject({ forge: vector, by: device }),
  vpe_map: vpeToPe('vpe_map'),
  vpe_unmap: vpeStep('vpe_unmap'),
  vpe_schedule: vpeToPe('vpe_schedule'),
  vpe_deschedule: vpeToPe('vpe_deschedule'),
  vpe_move: vpeToPe('vpe_move'),
  doorbell_invalidate: vpeStep('doorbell_invalidate'),
  doorbell_clear: vpeStep('doorbell_clear'),
  doorbell_set: vpeStep('doorbell_set'),
  repeat: z.strictObject({
    repeat: z.number().int().min(1).max(1_000_000),
    get steps() {
      return z.array(stepSchema);
    },
  }),
  interleave: z.strictObject({
    get interleave() {
      return z.array(z.array(stepSchema).min(1)).min(2);
    },
    /** Draws which list goes on; the same seed gives the same order. */
    seed: z.number().int().min(0).max(0xffff_ffff),
  }),
};
export const VERB_NAMES: readonly string[] = Object.keys(VERBS);

export type Step = Readonly<Record<string, unknown>>;

/** One verb and what it takes: the message says which verb it is about. */
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
  machine: z.strictObject({ pes: z.number().int().min(1).max(256) }),
  devices: z.record(z.string().regex(/^[A-Za-z][\w-]*$/), deviceSchema).default({}),
  steps: z.array(stepSchema).min(1),
});
export type ScenarioFile = z.infer<typeof scenarioSchema>;
