// Imports JSON lines (docs/import.md), the format for any logger: a header line with the configuration, or a trace that
// has it, and then one record per line. Infers nothing.
import {
  checkedBy,
  type GicConfig,
  GicTraceError,
  type Gicv5Config,
  gicConfigSchema,
  gicv5ConfigSchema,
} from '@gictrace/core';
import { RECORDS, RecordBatch } from '@gictrace/core/record';
import * as z from 'zod/mini';
import { eachLine } from '../common/lines.ts';
import { openSource } from '../common/source.ts';
import { LineFault, parseRecord } from './parse.ts';
import { JSONL_VERSION } from './write.ts';

const OBSERVABLES: ReadonlySet<string> = new Set(
  Object.entries(RECORDS).flatMap(([name, kind]) => (kind.class === 'observable' ? [name] : [])),
);
const shape = {
  gictrace: z.number(),
  clock: z.optional(z.strictObject({ name: z.string(), unitNs: z.number().check(z.positive()) })),
  source: z.optional(z.string()),
  shows: z.optional(
    z.array(
      z.string().check(z.refine((name) => OBSERVABLES.has(name), 'expected names of kinds of observables')),
    ),
  ),
  reserved: z.optional(z.boolean()),
  learnt: z.optional(z.boolean()),
};
const headerSchema = z.strictObject({ ...shape, config: gicConfigSchema });
const gicv5HeaderSchema = z.strictObject({ ...shape, config: gicv5ConfigSchema });
const ofGicv5 = z.object({ config: z.object({ architecture: z.literal(5) }) });
type AnyConfig = GicConfig | Gicv5Config;

export interface JsonlHeader {
  readonly config: AnyConfig;
  readonly clock: { readonly name: string; readonly unitNs: number };
  /** The source of the lines, if the header names it. */
  readonly source: string | undefined;
  /** Kinds of observables that the source records; all if undefined. */
  readonly shows: readonly string[] | undefined;
  /** Whether the source records that an access reached a reserved location. */
  readonly reserved: boolean;
  /** Whether the lines already contain what can be learnt about commands that are not in the source. */
  readonly learnt: boolean;
}

export interface JsonlSink {
  begin(header: JsonlHeader): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  progress?(lines: number): void;
}

const HINT = 'docs/import.md has the format';

/**
 * Imports JSON lines (`-`: standard input; .gz, .xz and .zst are decompressed). `config` replaces a header.
 * @throws GicTraceError `input`, with the line, for anything that is not a record.
 */
export async function importJsonl(
  path: string,
  sink: JsonlSink,
  config?: AnyConfig,
  source: AsyncIterable<Buffer> = openSource(path),
): Promise<{ readonly lines: number; readonly records: number }> {
  const name = path === '-' ? 'standard input' : path;
  const batch = new RecordBatch(1);
  let lines = 0;
  let records = 0;
  let peCount = 0;
  const begin = (header: JsonlHeader) => {
    peCount = header.config.pes.length;
    sink.begin(header);
  };
  const fail = (what: string): never => {
    throw new GicTraceError('input', what, { path: name, line: lines }, HINT);
  };
  const object = (text: string): { readonly [key: string]: unknown } => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return fail(`is not JSON: ${(error as Error).message}`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('is no JSON object');
    return value as { readonly [key: string]: unknown };
  };
  try {
    await eachLine(
      source,
      (bytes, from, to) => {
        lines++;
        const text = bytes.toString('utf8', from, to).trim();
        if (text === '') return;
        const value = object(text);
        if ('gictrace' in value) {
          if (peCount > 0) fail('is a header, but records or another header came before');
          begin(headerOf(value, fail, config));
          return;
        }
        if (peCount === 0) {
          if (config === undefined)
            fail('is a record, but no header with the configuration of the GIC came before');
          begin({
            config: config!,
            clock: { name: 'not recorded', unitNs: 1 },
            source: undefined,
            shows: undefined,
            reserved: true,
            learnt: false,
          });
        }
        batch.clear();
        try {
          parseRecord(value, peCount, lines, batch);
        } catch (error) {
          if (error instanceof LineFault) fail(error.message);
          throw error;
        }
        records++;
        sink.record(batch, 0);
        if ((lines & 0xffff) === 0) sink.progress?.(lines);
      },
      HINT,
    );
  } catch (error) {
    if (error instanceof GicTraceError && error.place.path === undefined)
      throw new GicTraceError(error.code, error.message, { path: name, ...error.place }, error.hint);
    throw error;
  }
  if (peCount === 0) throw new GicTraceError('input', 'has no line', { path: name }, HINT);
  return { lines, records };
}

function headerOf(
  value: { readonly [key: string]: unknown },
  fail: (what: string) => never,
  config: AnyConfig | undefined,
): JsonlHeader {
  if (value.gictrace !== JSONL_VERSION)
    fail(`is a header of version ${JSON.stringify(value.gictrace)}; this gictrace reads ${JSONL_VERSION}`);
  const result = checkedBy(ofGicv5, value).ok
    ? checkedBy(gicv5HeaderSchema, value)
    : checkedBy(headerSchema, value);
  if (!result.ok) return fail(`is a header that is wrong at ${result.path || 'its root'}: ${result.message}`);
  const { clock, source, shows, reserved, learnt } = result.value;
  return {
    config: config ?? result.value.config,
    clock: clock ?? { name: 'not recorded', unitNs: 1 },
    source,
    shows,
    reserved: reserved ?? true,
    learnt: learnt ?? false,
  };
}
