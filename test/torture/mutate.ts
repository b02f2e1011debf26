// Makes hostile traces out of good ones. Most mutants pass the checks of the reader (checksums, digests, ranges of fields)
// and say what no machine does, since everything behind the reader has to cope with them. A seed decides everything.
import { RECORD_WORDS, RECORDS, RecordBatch, type RecordKind, wordLimits } from '@gictrace/core/record';
import { decodeChunk, encodeChunk } from '../../packages/recorder/src/trace/columns.ts';
import { CHUNK_RECORDS_MAX, FRAME_TYPES } from '../../packages/recorder/src/trace/constants.ts';
import { type Data, type Parts, putTogether, takeApart } from './container.ts';
import type { Random } from './random.ts';
import { number, spoil } from './values.ts';

const KINDS = Object.values(RECORDS) as readonly RecordKind[];
const limits = new Map(KINDS.map((kind) => [kind.id, wordLimits(kind)]));
const FLAGS_MAX = 256;
const PES_MAX = 512;

/** A value for word `k` of a record of a kind. */
function wordFor(kind: number, k: number, random: Random): number {
  const most = limits.get(kind)![k]!;
  const value = number(random);
  return most === 0xffff_ffff ? value : value % (most + 1);
}

/** Decodes the records of a frame, has them changed, and encodes them again. */
function edit(parts: Parts, random: Random, change: (batch: RecordBatch) => RecordBatch | undefined): void {
  const chunks = parts.parts.filter((part) => part.type === FRAME_TYPES.records);
  if (chunks.length === 0) return;
  const part = random.pick(chunks);
  const batch = new RecordBatch(CHUNK_RECORDS_MAX);
  decodeChunk(part.raw, part.count, batch, PES_MAX);
  const out = change(batch) ?? batch;
  part.raw = encodeChunk(out);
  part.count = out.count;
}

function peCount({ header }: Parts): number {
  const { pes } = (header.config ?? {}) as { pes?: unknown };
  return Array.isArray(pes) ? Math.min(PES_MAX, Math.max(1, pes.length)) : 1;
}

/** Changes some fields of some records. */
function values(parts: Parts, random: Random): void {
  edit(parts, random, (batch) => {
    for (let n = 1 + random.below(12); n > 0; n--) {
      const i = random.below(batch.count);
      const kind = batch.kind[i]!;
      const words = limits.get(kind)!.length;
      if (words > 0) {
        const k = random.below(words);
        const at = i * RECORD_WORDS + k;
        const flipped = (batch.words[at]! ^ (1 << random.below(32))) >>> 0;
        batch.words[at] =
          random.chance(0.3) && flipped <= limits.get(kind)![k]! ? flipped : wordFor(kind, k, random);
      }
      if (random.chance(0.2))
        batch.pe[i] = random.below(random.chance(0.9) ? peCount(parts) + 1 : PES_MAX + 1) - 1;
      if (random.chance(0.1)) batch.flags[i] = random.below(FLAGS_MAX);
      if (random.chance(0.1)) batch.rule[i] = random.below(FLAGS_MAX);
      if (random.chance(0.1)) batch.cause[i] = number(random);
      if (random.chance(0.1)) batch.line[i] = number(random);
      if (random.chance(0.1))
        batch.timeNs[i] = random.pick([Number.NaN, 0, -1, 2 ** 52, -(2 ** 52), number(random)]);
    }
    return undefined;
  });
}

/** A chunk of records of a few kinds with any values. */
function records(parts: Parts, random: Random): void {
  const ids = Array.from({ length: 1 + random.below(6) }, () => random.pick(KINDS).id);
  const pes = peCount(parts);
  edit(parts, random, (old) => {
    const count = 1 + random.below(400);
    const keeps = random.chance(0.5) ? old.count : 0;
    const batch = new RecordBatch(keeps + count);
    for (let i = 0; i < keeps; i++) batch.copy(old, i);
    for (let n = 0; n < count; n++) {
      const kind = random.pick(ids);
      const i = batch.push(kind, random.below(pes + 1) - 1, Number.NaN);
      limits.get(kind)!.forEach((_most, k) => {
        batch.words[i * RECORD_WORDS + k] = wordFor(kind, k, random);
      });
    }
    return batch;
  });
}

/** Records that are missing, doubled or in another order. */
function order(parts: Parts, random: Random): void {
  edit(parts, random, (old) => {
    const picks: number[] = [];
    const [from, to] = [random.below(old.count), random.below(old.count)].sort((a, b) => a - b) as [
      number,
      number,
    ];
    const how = random.pick(['drop', 'double', 'swap', 'thin'] as const);
    for (let i = 0; i < old.count; i++) {
      const isIn = i >= from && i <= to;
      if (how === 'drop' && isIn && to - from < old.count - 1) continue;
      if (how === 'thin' && isIn && random.chance(0.3) && picks.length > 0) continue;
      picks.push(how === 'swap' && isIn ? random.below(old.count) : i);
      if (how === 'double' && isIn) picks.push(i);
    }
    const batch = new RecordBatch(CHUNK_RECORDS_MAX);
    for (const i of picks.slice(0, CHUNK_RECORDS_MAX)) batch.copy(old, i);
    return batch;
  });
}

/** Another GIC: many PEs or ITSs, another architecture, other addresses. */
function machine(parts: Parts, random: Random): void {
  const config = parts.header.config as Data & {
    pes: unknown[];
    its: Data[];
    addresses: { gicd: number; gicr: number[]; its: number[] };
    gicd: { typer: number };
    gicr: { typer: number };
  };
  const what = random.pick(['pes', 'its', 'architecture', 'addresses', 'typer', 'profile']);
  if (what === 'pes') {
    const n = random.pick([1, 2, 16, 64, 256, 512]);
    config.pes = Array.from({ length: n }, (_, pe) => ({
      affinity: random.chance(0.1) ? 0 : ((pe >> 4) << 8) | (pe & 15),
    }));
    config.addresses.gicr = Array.from({ length: n }, (_, pe) => 0x80a_0000 + pe * 0x4_0000);
  } else if (what === 'its') {
    const n = random.pick([0, 2, 16]);
    const one = config.its[0] ?? {
      typer: '0xffffffffffffffff',
      iidr: 0x43b,
      pidr2: 0x3b,
      baser: Array(8).fill('0x107000000000000'),
    };
    config.its = Array.from({ length: n }, () => ({
      ...one,
      ...(random.chance(0.5) ? { typer: '0xffffffffffffffff' } : {}),
    }));
    config.addresses.its = Array.from({ length: n }, (_, its) => 0x4000_0000 + its * 0x2_0000);
  } else if (what === 'architecture') config.architecture = 7 - (config.architecture as number);
  else if (what === 'addresses') {
    const place = () => random.pick([0, 2 ** 52 - 1, 2 ** 52 - 65_536, 0xffff_ffff, 8]);
    config.addresses.gicd = place();
    config.addresses.gicr = config.addresses.gicr.map(place);
  } else if (what === 'typer') {
    config.gicd.typer = random.chance(0.5) ? 0xffff_ffff : random.word();
    config.gicr.typer = random.chance(0.5) ? 0xffff_ffff : random.word();
  } else config.profile = random.pick(['architecture', 'kvm', 'hyperv', 'gic-600', 'qemu-7.2', 'qemu-virt']);
}

/** Bytes of a stored state. */
function state(parts: Parts, random: Random): void {
  const states = parts.parts.filter((part) => part.type === FRAME_TYPES.snapshot);
  if (states.length === 0) {
    parts.parts.push({
      type: FRAME_TYPES.snapshot,
      raw: Buffer.from(Array.from({ length: 100 }, () => random.below(256))),
      count: 0,
    });
    return;
  }
  const part = random.pick(states);
  const bytes = Buffer.from(part.raw);
  for (let n = 1 + random.below(6); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256);
  part.raw = random.chance(0.2) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

/** The frames themselves: doubled, dropped, with heads that lie. */
function frames(parts: Parts, random: Random): void {
  const i = random.below(parts.parts.length);
  const part = parts.parts[i]!;
  const how = random.pick(['double', 'drop', 'type', 'count', 'first', 'raw', 'stored', 'bytes'] as const);
  if (how === 'double') parts.parts.splice(i, 0, { ...part });
  else if (how === 'drop') parts.parts.splice(i, 1);
  else if (how === 'type') part.over = { type: random.below(256) };
  else if (how === 'count') part.over = { count: random.pick([0, 1, 65_536, 0xffff_ffff]) };
  else if (how === 'first') part.over = { firstRecord: random.pick([1, 2 ** 32 - 2, 2 ** 40]) };
  else if (how === 'raw') part.over = { rawLength: random.pick([0, 1, 0xffff_ffff, 2 ** 28]) };
  else if (how === 'stored') part.over = { storedLength: random.pick([0, 1, 0xffff_ffff]) };
  else {
    const bytes = Buffer.from(part.raw);
    bytes[random.below(bytes.length)] = random.below(256);
    part.raw = bytes;
  }
}

const EDITS = { values, records, order, machine, state, frames } as const;
/** How often each kind of mutant is made. Those that get furthest into gictrace are most. */
const PLAN = [
  ...['values', 'values', 'values', 'values', 'records', 'records', 'order', 'order'],
  ...['machine', 'machine', 'state', 'frames', 'header', 'config', 'footer', 'bytes'],
] as const;

/** A mutant of a trace, and what was done to it. */
export function mutate(good: Buffer, random: Random): { readonly bytes: Buffer; readonly what: string } {
  const parts = takeApart(good);
  const what: string[] = [];
  let spoilFooter = (_footer: Data): void => undefined;
  let cut: ((bytes: Buffer) => Buffer) | undefined;
  for (let n = random.chance(0.3) ? 2 : 1; n > 0; n--) {
    const how = random.pick(PLAN);
    what.push(how);
    try {
      if (how === 'header' || how === 'config') {
        const target = (how === 'header' ? parts.header : parts.header.config) as Data;
        for (let k = 1 + random.below(2); k > 0; k--) what.push(spoil(target, random));
      } else if (how === 'footer')
        spoilFooter = (footer) => {
          what.push(spoil(footer, random));
        };
      else if (how === 'bytes')
        cut = (bytes) => {
          const copy = Buffer.from(bytes);
          const at = random.below(copy.length);
          if (random.chance(0.4)) return copy.subarray(0, at);
          for (let k = 1 + random.below(5); k > 0; k--)
            copy[random.below(copy.length)] ^= 1 << random.below(8);
          return copy;
        };
      else EDITS[how as keyof typeof EDITS](parts, random);
    } catch {
      // An edit after another may find nothing that it can work on.
      what.push('(not possible)');
    }
  }
  let bytes: Buffer;
  try {
    bytes = putTogether(parts, spoilFooter);
  } catch {
    // A value that no trace can hold, such as a number that is not one.
    bytes = good.subarray(0, random.below(good.length));
    what.push('(cannot be stored: cut instead)');
  }
  return { bytes: cut === undefined ? bytes : cut(bytes), what: what.join(' ') };
}
