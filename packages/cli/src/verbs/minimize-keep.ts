// The predicates of `gictrace minimize --keep`: from text to what must be kept.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkIntidOf, GicTraceError } from '@gictrace/core';
import { CHECKS, Checker, type CheckName } from '@gictrace/core/check';
import { GICV5_MUTATIONS, plantGicv5Mutation } from '@gictrace/core/gicv5';
import type { RecordBatch } from '@gictrace/core/record';
import { anyIntidText, INTID_FORM, intidNamed } from '@gictrace/core/spec';
import { MUTATIONS, plantMutation } from '@gictrace/core/testing';
import { loadTraceFiles, QueryDatabase } from '@gictrace/query';
import { type AnyTraceHeader, sourceFacts, TraceReader, TraceWriter } from '@gictrace/recorder';
import { ProcessBackend, QemuBackend, qemuVersion } from '@gictrace/replayer';
import { type Check, type Gicv5Keep, type Keep, type Property, shapeOf } from '@gictrace/replayer/minimize';
import { VERSION } from '../context.ts';
import { isQemu, qemuOptions } from './on-qemu.ts';
import { EXEC, profileOf } from './replay.ts';

export interface KeepOptions {
  readonly keep: string;
  readonly on?: string;
  readonly plant?: string;
  readonly timeout?: number;
  readonly exit?: number;
}

export interface Kept<K = Keep> {
  readonly keep: K;
  readonly check: Check;
  /** In words: `diverges on qemu`. */
  readonly words: string;
}

const FORMS = 'diverges, finding:RULE, lost:INTID, sql:SELECT…, command:COMMAND';

/** What `--keep` asks for. @throws GicTraceError `usage` if it is none of {@link FORMS}, or what it names does not exist. */
export const keptOf = (path: string, options: KeepOptions): Kept => keptBy(diverging, path, options);
/** The same for a trace of a GICv5. */
export const gicv5KeptOf = (path: string, options: KeepOptions): Kept<Gicv5Keep> =>
  keptBy(gicv5Diverging, path, options);

function keptBy<K>(
  divergingOf: (path: string, options: KeepOptions) => Kept<K>,
  path: string,
  options: KeepOptions,
): Kept<K | Property> {
  const { keep } = options;
  const colon = keep.indexOf(':');
  const form = colon < 0 ? keep : keep.slice(0, colon);
  const rest = keep.slice(colon + 1).trim();
  if (colon >= 0 && rest === '')
    throw new GicTraceError('usage', `--keep ${keep} names nothing`, {}, `give ${FORMS}`);
  if (form !== 'diverges' && (options.on !== undefined || options.plant !== undefined))
    throw new GicTraceError('usage', '--on and --plant are for --keep diverges');
  if (form !== 'command' && options.exit !== undefined)
    throw new GicTraceError('usage', '--exit is for --keep command:COMMAND');
  if (colon < 0 ? form === 'diverges' : true)
    switch (form) {
      case 'diverges':
        if (colon < 0) return divergingOf(path, options);
        break;
      case 'finding':
        return finding(path, rest);
      case 'lost': {
        const intid = intidNamed(rest);
        if (intid === undefined)
          throw new GicTraceError('usage', `--keep lost: takes ${INTID_FORM}, not '${rest}'`);
        checkIntidOf(headerOf(path).config.architecture, intid);
        return answering(
          `SELECT 1 FROM lost WHERE INTID = ${intid} AND class <> 'vLPI'`,
          `loses ${anyIntidText(intid)}`,
        );
      }
      case 'sql':
        return answering(rest, `gives a row for ${rest}`);
      case 'command':
        return running(path, rest, options.exit);
    }
  throw new GicTraceError('usage', `--keep does not know '${keep}'`, {}, `give ${FORMS}`);
}

/** A divergence of another simulator: there is no other implementation of a GICv5 on which a trace can be replayed. */
function gicv5Diverging(path: string, { on = 'simulator', plant, timeout }: KeepOptions): Kept<Gicv5Keep> {
  if (isQemu(on) || on.startsWith(EXEC))
    throw new GicTraceError(
      'usage',
      'is a trace of a GICv5, whose divergences are minimized on simulators only',
      { path },
      'give --on simulator@PROFILE',
    );
  if (timeout !== undefined)
    throw new GicTraceError('usage', '--timeout is for other programs', {}, 'give --on simulator@PROFILE');
  if (plant !== undefined && !Object.hasOwn(GICV5_MUTATIONS, plant))
    throw new GicTraceError(
      'usage',
      `no fault '${plant}' of a GICv5`,
      {},
      'gictrace fuzz --gic 5 --plant list prints the faults',
    );
  const { profile = headerOf(path).config.profile } = profileOf(on);
  return {
    words: `diverges on ${on}${plant === undefined ? '' : ` with the fault ${plant}`}`,
    check: { what: 'divergence', on, profile, ...(plant === undefined ? {} : { plant }) },
    keep: {
      what: 'divergence',
      profile,
      ...(plant === undefined ? {} : { machine: (machine) => plantGicv5Mutation(machine, plant) }),
    },
  };
}

function diverging(path: string, { on = 'simulator', plant, timeout }: KeepOptions): Kept {
  const words = `diverges on ${on}${plant === undefined ? '' : ` with the fault ${plant}`}`;
  const isSimulator = !isQemu(on) && !on.startsWith(EXEC);
  if (plant !== undefined && !isSimulator)
    throw new GicTraceError('usage', '--plant is for a simulator', {}, 'give --on simulator');
  if (plant !== undefined && !Object.hasOwn(MUTATIONS, plant))
    throw new GicTraceError(
      'usage',
      `no fault '${plant}'`,
      {},
      'gictrace fuzz --plant list prints the faults',
    );
  if (timeout !== undefined && isSimulator)
    throw new GicTraceError('usage', '--timeout is for other programs', {}, 'give --on exec:COMMAND or qemu');
  if (isSimulator) {
    const own = headerOf(path).config.profile;
    const { profile = own } = profileOf(on);
    return {
      words,
      check: {
        ...{ what: 'divergence', on, profile },
        ...(plant === undefined ? {} : { plant }),
      },
      keep: {
        what: 'divergence',
        other: {
          profile,
          ...(plant === undefined ? {} : { machine: (machine) => plantMutation(machine, plant) }),
        },
      },
    };
  }
  const check: Check = { what: 'divergence', on };
  if (isQemu(on)) {
    const own = qemuOptions(on, timeout);
    qemuVersion(own.command);
    return {
      ...{ words, check },
      keep: {
        what: 'divergence',
        other: {
          open: (foresight) => new QemuBackend({ ...own, foresight: { ...foresight, unwatched: false } }),
        },
      },
    };
  }
  const command = on.slice(EXEC.length).trim();
  if (command === '') throw new GicTraceError('usage', 'exec: without a command', {}, 'give exec:COMMAND');
  const timeoutMs = timeout === undefined ? {} : { timeoutMs: 1000 * timeout };
  return {
    ...{ words, check },
    keep: {
      what: 'divergence',
      other: { open: () => new ProcessBackend({ command, version: VERSION, ...timeoutMs }) },
    },
  };
}

function headerOf(path: string): AnyTraceHeader {
  const reader = TraceReader.openAny(path);
  reader.close();
  return reader.header;
}

/** A finding of `check`: of the same rule and about the same as the first in the trace. */
function finding(path: string, rule: string): Kept<Property> {
  if (!Object.hasOwn(CHECKS, rule))
    throw new GicTraceError(
      'usage',
      `no check is called '${rule}'`,
      {},
      `checks: ${Object.keys(CHECKS).join(', ')}`,
    );
  const facts = sourceFacts(headerOf(path));
  const findings = (batches: Iterable<RecordBatch>, config: AnyTraceHeader['config']) => {
    const checker = new Checker(config, facts);
    for (const batch of batches) checker.take(batch);
    return checker.finish().filter((one) => one.rule === (rule as CheckName));
  };
  const reader = TraceReader.openAny(path);
  const batches = function* () {
    for (const { batch } of reader.batches()) yield batch;
  };
  const [first] = findings(batches(), reader.header.config);
  reader.close();
  const shape = ({ pe, text }: { pe: number; text: string }, isExact: boolean) =>
    `${isExact ? pe : ''} ${shapeOf(text, isExact)}`;
  return {
    words: `has a finding of ${rule}`,
    check: { what: 'finding', rule },
    keep: {
      what: 'property',
      isSlow: false,
      holds: async (recording, config, isExact) =>
        first !== undefined &&
        findings(recording, config).some((one) => shape(one, isExact) === shape(first, isExact)),
    },
  };
}

/** A query that returns a row. */
function answering(sql: string, words: string): Kept<Property> {
  return {
    words,
    check: { what: 'sql', sql },
    keep: {
      what: 'property',
      isSlow: true,
      holds: (recording, config) =>
        inFolder(recording, config, async (folder, trace) => {
          const path = join(folder, 'small.db');
          await loadTraceFiles(path, [trace]);
          const db = new QueryDatabase(path);
          try {
            for (const _row of db.ask(sql).rows) return true;
            return false;
          } finally {
            db.close();
          }
        }),
    },
  };
}

/** A command that exits with the same code as for the whole trace, or with a given one. */
function running(path: string, command: string, exit?: number): Kept<Property> {
  const run = (trace: string) => {
    const { status, error } = spawnSync('sh', ['-c', line(command, trace)], { stdio: 'ignore' });
    if (error !== undefined || status === null)
      throw new GicTraceError('backend', `the command was ended: ${command}`);
    return status;
  };
  const code = exit ?? run(path);
  if (exit === undefined && (code === 126 || code === 127))
    throw new GicTraceError('usage', `the command cannot be run: ${command}`, {}, `its exit code is ${code}`);
  return {
    words: `makes ${command} exit with ${code}`,
    check: { what: 'command', command: line(command, '{}'), code },
    keep: {
      what: 'property',
      isSlow: true,
      holds: (recording, config) =>
        inFolder(recording, config, async (_folder, trace) => run(trace) === code),
    },
  };
}

/** The command line for a trace: `{}` stands for it, and it comes last if there is none. */
function line(command: string, trace: string): string {
  const word = trace === '{}' ? trace : `'${trace.replaceAll("'", "'\\''")}'`;
  return command.includes('{}') ? command.replaceAll('{}', word) : `${command} ${word}`;
}

/** Writes a recording as a trace into a folder of its own, which is removed afterwards. */
async function inFolder(
  recording: readonly RecordBatch[],
  config: AnyTraceHeader['config'],
  use: (folder: string, trace: string) => Promise<boolean>,
): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'gictrace-minimize-'));
  try {
    const trace = join(folder, 'small.gictrace');
    const writer = new TraceWriter(trace, {
      writer: { name: 'gictrace', version: VERSION },
      config,
      clock: { name: 'none', unitNs: 1 },
      source: { kind: 'minimized', name: 'small', provenance: {} },
      losses: [],
      seed: null,
      options: {},
    } as AnyTraceHeader);
    for (const batch of recording) writer.append(batch);
    writer.close({ meta: {} });
    return await use(folder, trace);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
