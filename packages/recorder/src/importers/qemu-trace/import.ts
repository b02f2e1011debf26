// Imports a trace log of QEMU: lines → tokens → groups → records, with the configuration decided on the way and
// what the log does not say inferred. Streams: memory does not grow with the log.
import { type GicConfig, type GicState, GicTraceError, RecordBatch } from '@gictrace/core';
import { Identity, type ImportOptions, type KnownMachine, type Provenance } from '../common/identity.ts';
import type { ImportStats } from '../common/import-stats.ts';
import { Inference } from '../common/infer.ts';
import { eachLine } from '../common/lines.ts';
import { Losses } from '../common/losses.ts';
import { withinRange } from '../common/range.ts';
import { openSource } from '../common/source.ts';
import { Assembler } from './assemble.ts';
import { GIC_PREFIX } from './events.ts';
import { eventNames, newToken, tokenize } from './tokenize.ts';

/** Lines that are looked at for the GIC's configuration before records go out. */
const LINES_HELD = 300_000;
/** Records from one snapshot to the next, about. */
const SNAPSHOT_RECORDS = 65_536;
const HELD_BATCH = 16_384;
/** A log without a line about a GIC in its first so many lines is another tool's. */
const FOREIGN_MAX = 200_000;

export interface ImportSink {
  /** The configuration is decided: records follow. */
  begin(config: GicConfig, provenance: Provenance): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  /** The state that holds before the next record; called now and then, on a boundary between stimuli. */
  snapshot?(state: GicState): void;
  /** Called now and then with the number of lines read. */
  progress?(lines: number): void;
}

/**
 * Imports a log (`-`: standard input; .gz, .xz and .zst are read as they are). `source`: its bytes, where they come from
 * elsewhere than the path, which names it then. `machine`: what is known of the GIC when its configuration is decided.
 * @throws GicTraceError `input` if it cannot be read or is no QEMU trace log.
 */
export async function importQemu(
  path: string,
  options: ImportOptions,
  sink: ImportSink,
  source: AsyncIterable<Buffer> = openSource(path),
  machine: () => KnownMachine = () => ({}),
): Promise<ImportStats> {
  const name = path === '-' ? 'standard input' : path;
  const identity = new Identity();
  const losses = new Losses();
  const token = newToken();
  let lines = 0;
  let known = 0;
  let records = 0;
  let inference: Inference | undefined;
  const held = new HeldGroups();
  let peCount = 0;
  let lastSnapshot = 0;

  const take = (batch: RecordBatch) => {
    if (identity.highestPe >= peCount)
      throw new GicTraceError(
        'input',
        `PE ${identity.highestPe} appears, but ${peCount} PEs were counted before`,
        { path: name, line: lines },
        `give --pes ${identity.highestPe + 1}`,
      );
    inference!.take(withinRange(batch));
    if (sink.snapshot !== undefined && records - lastSnapshot >= SNAPSHOT_RECORDS) {
      lastSnapshot = records;
      sink.snapshot(inference!.state);
    }
  };
  const decide = () => {
    const { config, provenance } = identity.decide(options, machine());
    peCount = config.pes.length;
    inference = new Inference(config, (batch, i) => {
      records++;
      sink.record(batch, i);
    });
    sink.begin(config, provenance);
    held.release(take);
  };
  const assembler = new Assembler(identity, losses, {
    group(batch) {
      if (inference !== undefined) {
        take(batch);
        return;
      }
      held.add(batch);
    },
  });

  await eachLine(source, (bytes, from, to) => {
    lines++;
    tokenize(bytes, from, to, token);
    if (token.kind !== undefined) {
      known++;
      assembler.line(token, lines);
      if (inference === undefined && (identity.complete || lines >= LINES_HELD)) decide();
    } else if (to > from) {
      const word = bytes.toString('latin1', token.nameFrom, Math.min(token.nameTo, token.nameFrom + 60));
      if (word.startsWith(GIC_PREFIX)) losses.add(`event ${word}: not read`);
      else losses.add('lines of other events or of the guest');
      if (known === 0 && lines > FOREIGN_MAX) throw notALog(name, 'in its first lines');
    }
    if ((lines & 0xffff) === 0) sink.progress?.(lines);
  }).catch((error: unknown) => {
    if (error instanceof GicTraceError && error.place.path === undefined)
      throw new GicTraceError(error.code, error.message, { path: name }, error.hint);
    throw error;
  });
  if (lines === 0)
    throw new GicTraceError('input', 'is empty', { path: name }, 'record with qemu -trace "gicv3_*" -D FILE');
  if (known === 0) throw notALog(name, '');
  if (assembler.malformed > 0)
    losses.add(`lines cut or malformed, the first at line ${assembler.firstMalformed}`, assembler.malformed);
  if (inference === undefined) {
    assembler.end();
    decide();
  } else assembler.end();

  const events: Record<string, number> = {};
  eventNames.forEach((event, index) => {
    if (assembler.counts[index]! > 0) events[event] = assembler.counts[index]!;
  });
  return { lines, records, events, losses: Object.fromEntries(losses.counts) };
}

function notALog(path: string, where: string): GicTraceError {
  return new GicTraceError(
    'input',
    `has no line of a gicv3_ event${where ? ` ${where}` : ''}: it is not a QEMU trace log of a GICv3`,
    { path },
    'record with qemu -trace "gicv3_*" -trace "memory_region_ops_*" -D FILE',
  );
}

/** Groups that wait for the configuration: records in large batches, and where each group ends. */
class HeldGroups {
  private batches: RecordBatch[] = [];
  private sizes: number[] = [];

  add(group: RecordBatch): void {
    this.sizes.push(group.count);
    for (let i = 0; i < group.count; i++) {
      let last = this.batches.at(-1);
      if (last === undefined || last.full) {
        last = new RecordBatch(HELD_BATCH);
        this.batches.push(last);
      }
      last.copy(group, i);
    }
  }

  /** Gives the groups out as they came, and forgets them. */
  release(take: (group: RecordBatch) => void): void {
    const group = new RecordBatch(this.sizes.reduce((a, b) => Math.max(a, b), 1));
    let at = 0;
    for (const size of this.sizes) {
      group.clear();
      for (let k = 0; k < size; k++, at++)
        group.copy(this.batches[Math.floor(at / HELD_BATCH)]!, at % HELD_BATCH);
      take(group);
    }
    this.batches = [];
    this.sizes = [];
  }
}
