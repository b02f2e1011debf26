// The messages of the adapter protocol, as docs/adapter.md describes them: their types, and the encoding and decoding of
// configurations, capabilities and records. It knows no process.
import { checkedBy, type GicConfig, gicConfigSchema } from '@gictrace/core';
import type { Capabilities } from '@gictrace/core/backend';
import {
  fieldWords,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  type RecordClass,
  type RecordKind,
  type RecordName,
  STIMULI_BELOW,
  wordLimits,
} from '@gictrace/core/record';
import { WireError, type WireReader, type WireValue, type WireWriter } from './wire.ts';

/** The version of the protocol. */
export const PROTOCOL_VERSION = 1;

/** The first value of each message, in both directions. The answer to a message begins with the same value. */
export const MESSAGES = { hello: 0, reset: 1, batch: 2, snapshot: 3, restore: 4, bye: 5, failed: 6 } as const;

/** The first value of a response. All other items of an answer begin with the id of their record kind. */
export const RESPONSES = { done: 0, reserved: 1, skipped: 2 } as const;

/** Most stimuli in a batch. */
export const BATCH_STIMULI_MAX = 512;

/** The number of words of a record, by kind; -1 if there is no such kind. */
export const WORDS_OF = new Int8Array(256).fill(-1);
/** The largest value of each word, by kind. */
export const LIMITS: (readonly number[] | undefined)[] = new Array(256).fill(undefined);
for (const kind of Object.values(RECORDS) as RecordKind[]) {
  WORDS_OF[kind.id] = kind.fields.reduce((sum, field) => sum + fieldWords(field.type), 0);
  LIMITS[kind.id] = wordLimits(kind);
}

// ---- hello ---------------------------------------------------------------------------------------------------

export interface Hello {
  readonly capabilities: Capabilities;
  /** Why stimuli are skipped: answers name a reason by its index. */
  readonly reasons: readonly string[];
}

export function writeHello(
  out: WireWriter,
  name: string,
  version: string,
  protocol = PROTOCOL_VERSION,
): void {
  out.array(2);
  out.uint(MESSAGES.hello);
  out.value({ protocol, name, version });
}

export function writeHelloOf(out: WireWriter, { capabilities, reasons }: Hello): void {
  const { name, version, stimuli, observables, events, reserved, settled, snapshots } = capabilities;
  out.array(2);
  out.uint(MESSAGES.hello);
  out.value({
    protocol: PROTOCOL_VERSION,
    name,
    version,
    stimuli,
    observables,
    events,
    reserved,
    ...(settled === true ? { settled } : {}),
    snapshots,
    reasons,
  });
}

type Map = { readonly [key: string]: WireValue };

function isMap(value: WireValue | undefined): value is Map {
  return typeof value === 'object' && !Array.isArray(value);
}

/** Parses an adapter's hello. @throws WireError that says what is wrong. */
export function parseHello(value: WireValue): Hello {
  if (!isMap(value)) throw new WireError('a hello without its map');
  if (value.protocol !== PROTOCOL_VERSION)
    throw new WireError(
      `version ${String(value.protocol)} of the protocol; this gictrace speaks ${PROTOCOL_VERSION}`,
    );
  const text = (key: string): string => {
    const member = value[key];
    if (typeof member !== 'string' || member === '') throw new WireError(`a hello without its ${key}`);
    return member;
  };
  const kinds = (key: string, wanted: RecordClass): RecordName[] => {
    const list = value[key] ?? [];
    if (!Array.isArray(list)) throw new WireError(`a hello whose ${key} are no array`);
    return (list as readonly WireValue[]).map((name) => {
      if (typeof name !== 'string' || !Object.hasOwn(RECORDS, name))
        throw new WireError(`a hello whose ${key} name '${String(name)}', which is no kind of record`);
      if (RECORDS[name as RecordName].class !== wanted || name === 'source.conflict')
        throw new WireError(`a hello whose ${key} name '${name}', which is not one`);
      return name as RecordName;
    });
  };
  const reasons = value.reasons ?? [];
  if (!Array.isArray(reasons) || reasons.some((reason) => typeof reason !== 'string' || reason === ''))
    throw new WireError('a hello whose reasons are no array of texts');
  const snapshots = value.snapshots ?? 0;
  if (typeof snapshots !== 'number') throw new WireError('a hello whose snapshots are no number');
  const stimuli = kinds('stimuli', 'stimulus');
  // Otherwise nothing would be replayed and everything would seem to be fine. This also detects a program that echoes its
  // input.
  if (stimuli.length === 0) throw new WireError('a hello that names no stimuli');
  return {
    capabilities: {
      name: text('name'),
      version: text('version'),
      stimuli,
      observables: kinds('observables', 'observable'),
      events: kinds('events', 'event'),
      reserved: value.reserved === true,
      ...(value.settled === true ? { settled: true } : {}),
      snapshots,
    },
    reasons: reasons as readonly string[],
  };
}

// ---- reset ---------------------------------------------------------------------------------------------------

export function writeReset(out: WireWriter, config: GicConfig, compared?: readonly RecordName[]): void {
  out.array(2);
  out.uint(MESSAGES.reset);
  out.value({
    profile: config.profile,
    architecture: config.architecture,
    affinities: config.pes.map((pe) => pe.affinity),
    gicd_typer: config.gicd.typer,
    gicd_iidr: config.gicd.iidr,
    gicd_pidr2: config.gicd.pidr2,
    gicr_typer: config.gicr.typer,
    gicr_iidr: config.gicr.iidr,
    gicr_pidr2: config.gicr.pidr2,
    its: config.its.map(({ typer, iidr, pidr2, baser }) => ({
      typer: BigInt(typer),
      iidr,
      pidr2,
      baser: baser.map(BigInt),
    })),
    priority_bits: config.priorityBits,
    intid_bits: config.intidBits,
    ...(config.vtr === undefined ? {} : { vtr: config.vtr }),
    gicd_base: config.addresses.gicd,
    gicr_bases: config.addresses.gicr,
    its_bases: config.addresses.its,
    ...(compared === undefined ? {} : { compared }),
  });
}

/** Parses the configuration in a reset. @throws WireError if it is not a configuration. */
export function parseReset(value: WireValue): GicConfig {
  if (!isMap(value)) throw new WireError('a reset without its map');
  const list = (of: WireValue | undefined): readonly WireValue[] => (Array.isArray(of) ? of : []);
  const hex = (of: WireValue | undefined): string =>
    typeof of === 'number' || typeof of === 'bigint' ? `0x${of.toString(16)}` : '';
  const result = checkedBy(gicConfigSchema, {
    profile: value.profile,
    architecture: value.architecture,
    pes: list(value.affinities).map((affinity) => ({ affinity })),
    gicd: { typer: value.gicd_typer, iidr: value.gicd_iidr, pidr2: value.gicd_pidr2 },
    gicr: { typer: value.gicr_typer, iidr: value.gicr_iidr, pidr2: value.gicr_pidr2 },
    its: list(value.its).map((its) =>
      isMap(its)
        ? { typer: hex(its.typer), iidr: its.iidr, pidr2: its.pidr2, baser: list(its.baser).map(hex) }
        : its,
    ),
    priorityBits: value.priority_bits,
    intidBits: value.intid_bits,
    ...(value.vtr === undefined ? {} : { vtr: value.vtr }),
    addresses: { gicd: value.gicd_base, gicr: list(value.gicr_bases), its: list(value.its_bases) },
  });
  if (result.ok) return result.value;
  throw new WireError(`a reset whose ${result.path} is wrong: ${result.message}`);
}

// ---- records -------------------------------------------------------------------------------------------------

export function writeBatch(out: WireWriter, number: number, stimuli: RecordBatch): void {
  out.array(3);
  out.uint(MESSAGES.batch);
  out.uint(number);
  out.array(stimuli.count);
  for (let i = 0; i < stimuli.count; i++) writeRecord(out, stimuli, i);
}

/** Writes a record: kind, PE plus 1, flags, and the words of the kind. */
export function writeRecord(out: WireWriter, batch: RecordBatch, i: number): void {
  const kind = batch.kind[i]!;
  const words = WORDS_OF[kind]!;
  out.array(3 + words);
  out.uint(kind);
  out.uint(batch.pe[i]! + 1);
  out.uint(batch.flags[i]!);
  const at = i * RECORD_WORDS;
  for (let k = 0; k < words; k++) out.uint(batch.words[at + k]!);
}

/** The most bytes that an item takes. */
export const ITEM_BYTES_MAX = 3 + 5 * (3 + RECORD_WORDS);

/** Appends a shown record to `batch`. Its array of `length` values has been begun, and its kind has been read. */
export function readShown(
  reader: WireReader,
  length: number,
  kind: number,
  peCount: number,
  batch: RecordBatch,
): void {
  const words = kind < 256 ? WORDS_OF[kind]! : -1;
  if (words < 0 || kind < STIMULI_BELOW) throw new WireError(`${kind}, which is no kind that can be shown`);
  if (length !== 3 + words)
    throw new WireError(`a record of kind ${kind} with ${length - 3} words, which has ${words}`);
  const pe = reader.uint();
  if (pe > peCount) throw new WireError(`a record of PE ${pe - 1}, where there are ${peCount}`);
  const flags = reader.uint();
  if ((flags & ~RECORD_FLAGS.valueUnknown) !== 0)
    throw new WireError(`a shown record with the flags 0x${flags.toString(16)}`);
  const i = batch.push(kind, pe - 1, Number.NaN);
  batch.flags[i] = flags;
  const limits = LIMITS[kind]!;
  for (let k = 0; k < words; k++) {
    const word = reader.uint();
    if (word > limits[k]!)
      throw new WireError(`a record of kind ${kind} whose word ${k} is ${word}: more than it can hold`);
    batch.words[i * RECORD_WORDS + k] = word;
  }
}
