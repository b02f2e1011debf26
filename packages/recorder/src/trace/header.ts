// The header and the footer of a trace: their shapes, checked with zod where bytes come in. Nothing hot.
import { checkedBy, GicTraceError, gicConfigSchema } from '@gictrace/core';
import { RECORDS, type RecordName } from '@gictrace/core/record';
import * as z from 'zod/mini';
import { canonical, pack, unpack } from './msgpack.ts';

const json = z.unknown();
const count = z.int().check(z.gte(0));
const loss = z.strictObject({
  /** What the source does not tell or the importer left out. */
  what: z.string(),
  /** How often; null where that is not known. */
  count: z.nullable(count),
});

export const headerSchema = z.strictObject({
  /** What wrote the trace. */
  writer: z.strictObject({ name: z.string(), version: z.string() }),
  config: gicConfigSchema,
  /** Where the times come from. */
  clock: z.strictObject({ name: z.string(), unitNs: z.number().check(z.positive()) }),
  /** What the records come from: kind of source, its base name, and where each part of the configuration came from. */
  source: z.strictObject({
    kind: z.string(),
    name: z.string(),
    provenance: z.record(z.string(), z.string()),
  }),
  /** Losses that were known before the first record. */
  losses: z.array(loss),
  /** Layout of the stored states (core's STATE_VERSION). Absent in version 1 of the format, whose states are of layout 1. */
  stateVersion: z.optional(z.int().check(z.gte(1))),
  /** Seed of a generated trace; null where there is none. */
  seed: z.nullable(z.string()),
  options: z.record(z.string(), json),
});
export type TraceHeader = z.infer<typeof headerSchema>;

/** The option by which a header says which kinds of observables its source shows; all where it is absent. */
export const SHOWS = 'shows';

/** The kinds of observables that the source of a trace shows; undefined where it shows all. */
export function sourceShows({ options }: TraceHeader): readonly RecordName[] | undefined {
  const kinds = options[SHOWS];
  if (!Array.isArray(kinds)) return undefined;
  return kinds.filter(
    (name): name is RecordName =>
      typeof name === 'string' &&
      Object.hasOwn(RECORDS, name) &&
      RECORDS[name as RecordName].class === 'observable',
  );
}

/** The option by which a header says that its source does not tell whether an access reached a reserved location: false. */
export const TELLS_RESERVED = 'reserved';

/** Whether the source of a trace tells that an access reached a reserved location. */
export function sourceTellsReserved({ options }: TraceHeader): boolean {
  return options[TELLS_RESERVED] !== false;
}

/** The option by which a header says how its source begins: with the reset of the GIC where it is absent. */
export const START = 'start';

/** Whether the source of a trace begins while the GIC is in use, so that its state is unknown until the source shows it. */
export function startsInMidLife({ options }: TraceHeader): boolean {
  return options[START] === 'mid-life';
}

/** The option by which a header names the sorts of stimuli that were at work and that its source has no line of. */
export const MISSING = 'missing';

/** Sorts of stimuli that the source of a trace lacks. */
export function missingStimuli({ options }: TraceHeader): readonly string[] {
  const names = options[MISSING];
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === 'string') : [];
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
  const result = checkedBy(schema, unpack(raw));
  if (result.ok) return result.value;
  throw new GicTraceError(
    'trace',
    `the ${what} is malformed at ${result.path || 'its root'}: ${result.message}`,
  );
}

export function encodeMap(value: TraceHeader | TraceFooter): Buffer {
  return Buffer.from(pack(canonical(value)));
}

export function decodeHeader(raw: Uint8Array): TraceHeader {
  return parse(headerSchema, raw, 'header');
}

export function decodeFooter(raw: Uint8Array): TraceFooter {
  return parse(footerSchema, raw, 'footer');
}
