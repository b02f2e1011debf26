// Minimizes a trace: from the stimuli of a trace to the few that still show what is to be kept, with what the reference
// simulator does with them as the recording.
import type { GicConfig } from '@gictrace/core';
import type { Backend } from '@gictrace/core/backend';
import { type Divergence, KIND, RECORD_WORDS, RecordBatch } from '@gictrace/core/record';
import { type TraceHeader, TraceReader } from '@gictrace/recorder';
import { type Foresight, foreseeTrace } from '../backends/qemu/foresight.ts';
import { MAINTENANCE_INTID } from '../backends/qemu/machine.ts';
import { NOTHING } from '../verbatim/divergences.ts';
import { BackendReplay } from '../verbatim/on-backend.ts';
import { VerbatimReplay } from '../verbatim/on-simulator.ts';
import { sourceOptions } from '../verbatim/re-recorded-trace.ts';
import {
  BackendTest,
  type DivergenceTest,
  type OtherSimulator,
  PropertyTest,
  type Shown,
  SimulatorTest,
} from './divergence-test.ts';
import {
  doesNotDiverge,
  doesNotShow,
  type Minimization,
  type MinimizeOptions,
  type Property,
  TestCount,
  wholeOf,
} from './minimization.ts';
import { irregularQueues } from './queues.ts';
import { READS, type Readable, readableOf } from './readable.ts';
import { reduce } from './reduce.ts';
import { minimizeToScenario } from './scenario.ts';
import { signatureOf } from './signature.ts';
import { type Selection, type Single, TraceStimuli } from './stimuli.ts';
import { type Reference, recordAll, type Setting, type Test } from './test.ts';
import { simplify } from './values.ts';

/** Tests that a minimization makes at most. */
const TESTS_MAX = 20_000;

/** What must be kept. */
export type Keep =
  | {
      /** The simulator, with the profile of the trace, and another implementation differ as they do on the trace. */
      readonly what: 'divergence';
      readonly other: OtherSimulator | { readonly open: (foresight: Foresight) => Backend };
    }
  | Property;

export interface Minimized extends Minimization<GicConfig, TraceHeader> {
  readonly setting: Setting;
  /** The same with a read at its end whose value differs, if there is none yet; null if no read shows it. */
  readonly readable: () => Promise<Readable | null>;
}

/**
 * Minimizes a trace file.
 * @throws GicTraceError `trace` if it cannot be read, `usage` if it does not show what is to be kept.
 */
export async function minimizeTrace(
  path: string,
  keep: Keep,
  options: MinimizeOptions = {},
): Promise<Minimized> {
  const reader = TraceReader.open(path);
  try {
    const original = keep.what === 'divergence' ? await firstDivergence(reader, keep.other) : null;
    if (keep.what === 'divergence' && original === null) throw doesNotDiverge(path);
    const { header } = reader;
    const drivesMaintenance = isOfQemu(header);
    const stimuli = TraceStimuli.read(
      reader,
      original?.record,
      (batch, i) => drivesMaintenance && isMaintenanceLine(batch, i),
    );
    const base: Setting = {
      config: header.config,
      ...(drivesMaintenance ? { maintenanceIntid: MAINTENANCE_INTID } : {}),
      isRamZero: true,
      isInRam: true,
      irregularQueues: irregularQueues(stimuli),
    };
    const all = wholeOf(stimuli);
    const settings: Setting[] = [
      base,
      { ...base, isInRam: false },
      { ...base, isRamZero: false, isInRam: false },
    ].flatMap((one): Setting[] =>
      keep.what === 'property' ? [one] : [one, { ...one, allow: ['eoi-order'] }],
    );
    for (const setting of settings) {
      const test = await testOf(keep, setting, reader, all, original);
      if (test === undefined) continue;
      const scenario = () => minimizeToScenario(path, keep, original, options);
      return await minimized(stimuli, test, setting, { header, original, options, keep, scenario });
    }
    throw doesNotShow(
      path,
      original,
      'gictrace replay shows where they differ; --on names another implementation',
    );
  } finally {
    reader.close();
  }
}

/** The test, if the whole list passes it in this setting. */
async function testOf(
  keep: Keep,
  setting: Setting,
  reader: TraceReader,
  all: Selection,
  original: Divergence | null,
): Promise<Test | undefined> {
  if (keep.what === 'property') {
    const test = new PropertyTest(
      setting,
      (reference: Reference, isExact) => keep.holds(reference.recording.batches, setting.config, isExact),
      keep.isSlow,
    );
    return (await test.holds(all, 0, true)) ? test : undefined;
  }
  const { sourceShows, sourceTellsReserved } = sourceOptions(reader.header);
  const test = comparing(keep.other, setting, {
    ...(sourceShows === undefined ? {} : { sourceShows }),
    ...(sourceTellsReserved === undefined ? {} : { sourceTellsReserved }),
  });
  const divergence = await test.divergenceOf(all);
  if (divergence === null || signatureOf(divergence, false) !== signatureOf(original!, false))
    return undefined;
  test.keep(divergence);
  return test;
}

type Other = Extract<Keep, { what: 'divergence' }>['other'];

function comparing(other: Other, setting: Setting, shown: Shown): DivergenceTest {
  return 'open' in other
    ? new BackendTest(setting, other.open, shown)
    : new SimulatorTest(setting, other, shown);
}

async function minimized(
  stimuli: TraceStimuli,
  test: Test,
  setting: Setting,
  {
    header,
    original,
    options,
    keep,
    scenario,
  }: Pick<Minimized, 'header' | 'original' | 'scenario'> & { options: MinimizeOptions; keep: Keep },
): Promise<Minimized> {
  const count = new TestCount(stimuli, options, test.isSlow, TESTS_MAX);
  const reduced = await reduce(stimuli, test, count.max, count.tested);
  let small: Single;
  let own = setting;
  let kept: Test = test;
  if (options.isVerbatim) small = await simplify(reduced.selection, test, 0, count.tested);
  else {
    const fewer = await withFewerPes(reduced.selection, test, setting);
    own = fewer.setting;
    kept = fewer.test;
    small = await simplify(reduced.selection, kept, count.rest, count.tested);
  }
  const divergence = kept instanceof PropertyTest ? null : await (kept as DivergenceTest).divergenceOf(small);
  const reference = recordAll(own, small);
  // What only the other implementation shows is found at the next stimulus, so there must be one.
  if (divergence?.recorded.startsWith(NOTHING)) reference.end();
  return {
    ...{ config: own.config, setting: own, stimuli: small, recording: reference.recording.batches },
    ...{ of: stimuli.length, tests: count.tests, isMinimal: reduced.isMinimal, divergence, original, header },
    scenario,
    readable: () =>
      readableOf(own, small, keep.what === 'property' ? undefined : comparing(keep.other, own, READS)),
  };
}

/** Takes away the PEs behind the last that is used, if that changes nothing. */
async function withFewerPes(
  stimuli: Selection,
  test: Test,
  setting: Setting,
): Promise<{ test: Test; setting: Setting }> {
  const { config } = setting;
  const one = new RecordBatch(1);
  let last = 0;
  for (let n = 0; n < stimuli.length; n++) {
    one.clear();
    stimuli.copyTo(one, n);
    last = Math.max(last, one.pe[0]!);
    if ((one.kind[0] === KIND['mmio.read'] || one.kind[0] === KIND['mmio.write']) && one.words[0] === 1)
      last = Math.max(last, one.words[1]!);
  }
  for (let pes = last + 1; pes < config.pes.length; pes++) {
    const fewer: Setting = {
      ...setting,
      config: {
        ...config,
        pes: config.pes.slice(0, pes),
        addresses: { ...config.addresses, gicr: config.addresses.gicr.slice(0, pes) },
      },
    };
    const own = test.on(fewer);
    if (await own.holds(stimuli, 0, true)) return { test: own, setting: fewer };
  }
  return { test, setting };
}

/** The first divergence of the recording on an implementation. */
async function firstDivergence(
  reader: TraceReader,
  other: OtherSimulator | { readonly open: (foresight: Foresight) => Backend },
): Promise<Divergence | null> {
  const { config } = reader.header;
  const options = { ...sourceOptions(reader.header), stopAtFirst: true, allow: ['eoi-order'] as const };
  if ('open' in other) {
    const backend = other.open(foreseeTrace(reader.path));
    try {
      const replay = new BackendReplay(config, backend, await backend.reset(config), options);
      for (const { batch } of reader.batches()) {
        await replay.take(batch);
        if (replay.stopped) break;
      }
      return (await replay.finish()).first;
    } finally {
      await backend.close();
    }
  }
  const replay = new VerbatimReplay(
    { ...config, profile: other.profile },
    { ...options, ...(other.machine === undefined ? {} : { machine: other.machine }) },
  );
  for (const { batch } of reader.batches()) {
    replay.take(batch);
    if (replay.stopped) break;
  }
  return replay.finish().first;
}

/** Whether QEMU's virt machine was recorded, which drives the line of the maintenance interrupt by itself. */
function isOfQemu({ source, config }: TraceHeader): boolean {
  return source.kind.includes('qemu') || config.profile.startsWith('qemu');
}

function isMaintenanceLine(batch: RecordBatch, i: number): boolean {
  return (
    batch.kind[i] === KIND['wire.set'] &&
    batch.pe[i]! >= 0 &&
    batch.words[i * RECORD_WORDS] === MAINTENANCE_INTID
  );
}
