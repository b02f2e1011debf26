// The header and the footer of a trace: their schemas, checked with zod when a trace is read. Not performance-critical.
import {
  checkedBy,
  GicTraceError,
  type Gicv5Config,
  gicConfigSchema,
  gicv5ConfigSchema,
} from '@gictrace/core';
import { RECORDS, type RecordName } from '@gictrace/core/record';
import * as z from 'zod/mini';
import { canonical, pack, unpackJson } from './msgpack.ts';

/** The most blocks to which the devices of a scenario can be connected; with ITSs, the most ITSs. */
export const BLOCKS_MAX = 4;

const json = z.unknown();
const count = z.int().check(z.gte(0));
const loss = z.strictObject({
  /** What the source does not contain, or what the importer left out. */
  what: z.string(),
  /** How often; null if unknown. */
  count: z.nullable(count),
});

const shape = {
  /** What wrote the trace. */
  writer: z.strictObject({ name: z.string(), version: z.string() }),
  /** The source of the times. */
  clock: z.strictObject({ name: z.string(), unitNs: z.number().check(z.positive()) }),
  /** The source of the records: its kind, its base name, and where each part of the configuration came from. */
  source: z.strictObject({
    kind: z.string(),
    name: z.string(),
    provenance: z.record(z.string(), z.string()),
  }),
  /** Losses that were known before the first record. */
  losses: z.array(loss),
  /** The layout of the stored states (core's STATE_VERSION). Absent in format version 1, whose states have layout 1. */
  stateVersion: z.optional(z.int().check(z.gte(1))),
  /** The seed of a generated trace; null if there is none. */
  seed: z.nullable(z.string()),
  /** What else is known of the trace. The options that gictrace uses have a type; others may have any value. */
  options: z.catchall(
    z.object({
      /** See {@link SHOWS}, {@link TELLS_RESERVED}, {@link START}, {@link MISSING} and {@link blocksOf}. */
      shows: z.optional(z.readonly(z.array(z.string()))),
      reserved: z.optional(z.boolean()),
      start: z.optional(z.string()),
      missing: z.optional(z.readonly(z.array(z.string()))),
      blocks: z.optional(z.int().check(z.gte(1), z.lte(BLOCKS_MAX))),
    }),
    json,
  ),
};
export const headerSchema = z.strictObject({ ...shape, config: gicConfigSchema });
const gicv5HeaderSchema = z.strictObject({ ...shape, config: gicv5ConfigSchema });

/** The header of a trace of a GICv3 or GICv4, which is what every function expects that does not say otherwise. */
export type TraceHeader = z.infer<typeof headerSchema>;
/** The header of a trace of a GICv5. */
export type Gicv5TraceHeader = Omit<TraceHeader, 'config'> & { config: Gicv5Config };
export type AnyTraceHeader = TraceHeader | Gicv5TraceHeader;

/** Whether a trace is one of a GICv5. */
export function isGicv5Header(header: AnyTraceHeader): header is Gicv5TraceHeader {
  return header.config.architecture === 5;
}

/** The number of blocks to which the devices of the recorded scenario are connected; with ITSs, the number of ITSs. */
export function blocksOf({ options }: Pick<TraceHeader, 'options'>): number {
  return options.blocks ?? 1;
}

/** The option of the header with the kinds of observables that the source contains; if absent, all. */
export const SHOWS = 'shows';

/** The kinds of observables that the source of a trace contains; undefined if it contains all. */
export function sourceShows({ options }: Pick<TraceHeader, 'options'>): readonly RecordName[] | undefined {
  return options[SHOWS]?.filter(
    (name): name is RecordName =>
      Object.hasOwn(RECORDS, name) && RECORDS[name as RecordName].class === 'observable',
  );
}

/** The option of the header with labels that the user gave the trace: a text for each name. */
export const LABELS = 'labels';

/** The labels of a trace, by name. */
export function labelsOf({ options }: Pick<TraceHeader, 'options'>): Readonly<Record<string, string>> {
  const labels = options[LABELS];
  if (typeof labels !== 'object' || labels === null) return {};
  return Object.fromEntries(
    Object.entries(labels).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/** The option of the header that is false if the source does not say whether an access was to a reserved location. */
export const TELLS_RESERVED = 'reserved';

/** Whether the source of a trace says whether an access was to a reserved location. */
export function sourceTellsReserved({ options }: Pick<TraceHeader, 'options'>): boolean {
  return options[TELLS_RESERVED] !== false;
}

/** The option of the header that says how the source begins; if absent, with the reset of the GIC. */
export const START = 'start';

/** Whether the source of a trace begins while the GIC is in use, so that its state is unknown at first. */
export function startsInMidLife({ options }: Pick<TraceHeader, 'options'>): boolean {
  return options[START] === 'mid-life';
}

/** The option of the header with the sorts of stimuli that occurred, but for which the source has no lines. */
export const MISSING = 'missing';

/** The sorts of stimuli that the source of a trace lacks. */
export function missingStimuli({ options }: Pick<TraceHeader, 'options'>): readonly string[] {
  return options[MISSING] ?? [];
}

const chunk = z.tuple([
  /** Byte offset of the frame, first record, records, earliest and latest time in ns (null: none known), PEs as hex bits. */
  count,
  count,
  count,
  z.nullable(z.number()),
  z.nullable(z.number()),
  z.string(),
]);
const snapshot = z.tuple([
  /** Byte offset of the frame, the record before which the state holds, the state's digest. */
  count,
  count,
  z.string(),
]);
export const footerSchema = z.strictObject({
  records: count,
  chunks: z.array(chunk),
  snapshots: z.array(snapshot),
  /** Records by kind and by rule. */
  kinds: z.record(z.string(), count),
  rules: z.record(z.string(), count),
  contentDigest: z.string(),
  semanticDigest: z.string(),
  losses: z.array(loss),
  meta: z.record(z.string(), json),
});
export type TraceFooter = z.infer<typeof footerSchema>;
export type ChunkEntry = z.infer<typeof chunk>;

function parse<T>(schema: z.ZodMiniType<T>, raw: Uint8Array, what: string): T {
  const result = checkedBy(schema, unpackJson(raw));
  if (result.ok) return result.value;
  throw new GicTraceError(
    'trace',
    `the ${what} is malformed at ${result.path || 'its root'}: ${result.message}`,
  );
}

export function encodeMap(value: AnyTraceHeader | TraceFooter): Buffer {
  return Buffer.from(pack(canonical(value)));
}

/** Whether the configuration in a header is that of a GICv5, whatever else is in it. */
const ofGicv5 = z.object({ config: z.object({ architecture: z.literal(5) }) });

export function decodeHeader(raw: Uint8Array): AnyTraceHeader {
  const isGicv5 = checkedBy(ofGicv5, unpackJson(raw)).ok;
  return isGicv5 ? parse(gicv5HeaderSchema, raw, 'header') : parse(headerSchema, raw, 'header');
}

export function decodeFooter(raw: Uint8Array): TraceFooter {
  return parse(footerSchema, raw, 'footer');
}

/** The part of a header that says what the source contains. */
export interface SourceHeader {
  readonly source: { readonly kind: string };
  readonly options?: TraceHeader['options'] | undefined;
}

/** What the checks must know about the source of a trace, so that they find nothing in state that it does not contain. */
export function sourceFacts({ source, options = {} }: SourceHeader): {
  readonly fromReset: boolean;
  readonly allReads: boolean;
  readonly physicalAddresses: boolean;
  readonly missing: readonly string[];
} {
  // A log may lack any sort of lines, and a log of a host may begin at any time.
  const isFtrace = source.kind.includes('ftrace');
  return {
    fromReset: !isFtrace && options[START] !== 'mid-life',
    allReads: !isFtrace && !source.kind.includes('qemu'),
    // The rwmmio events of a host name virtual addresses.
    physicalAddresses: !isFtrace,
    missing: missingStimuli({ options }),
  };
}
