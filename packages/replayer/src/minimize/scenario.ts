// Minimizes a trace to a scenario: the operations that it contains, or that are lifted from it, are done again by the driver of
// a design, and steps are left out as long as what is kept shows in what that driver does.
import { type GicConfig, GicTraceError, type Gicv5Config } from '@gictrace/core';
import { concernOf, DESIGNS } from '@gictrace/core/irqchip';
import { type Divergence, RecordBatch } from '@gictrace/core/record';
import {
  type AnyTraceHeader,
  blocksOf,
  parseScenario,
  type ScenarioInput,
  scenarioFromOperations,
  scenarioText,
  TraceReader,
} from '@gictrace/recorder';
import { foresee } from '../backends/qemu/foresight.ts';
import { replayed } from '../fuzz/differ.ts';
import { designOf } from '../translated/alignment.ts';
import { designNamed } from '../translated/designs.ts';
import { operationsOf } from '../translated/operations-of.ts';
import { scenarioRecords } from '../translated/scenario-records.ts';
import { OF_SPIS } from '../translated/spi-alignment.ts';
import { Gicv5Replay } from '../verbatim/gicv5.ts';
import { VerbatimReplay } from '../verbatim/on-simulator.ts';
import type { Gicv5Keep } from './gicv5.ts';
import type { MinimizeOptions } from './minimization.ts';
import type { Keep } from './minimize.ts';
import { shrink } from './shrink.ts';
import { signatureOf } from './signature.ts';

/** Tests at most: each runs the whole scenario. */
const TESTS_MAX = 5000;
const SLOW_TESTS_MAX = 500;
const CHUNK = 4096;
const RECORDED_ON = /^scenario on ([^@]*)/;

export interface ScenarioRepro {
  readonly scenario: ScenarioInput;
  /** The design whose driver shows it. */
  readonly design: string;
  /** The steps of the scenario of the whole trace. */
  readonly of: number;
  readonly tests: number;
  /** Whether no single step can be left out. */
  readonly isMinimal: boolean;
  /** The divergence of the scenario; null if a property is kept. */
  readonly divergence: Divergence | null;
}

/** Whether a scenario shows what is kept, and by which divergence. */
type Shown = { readonly divergence: Divergence | null } | undefined;

/**
 * Minimizes a trace to a scenario. What is kept is the same if its shape is: a driver of gictrace gives interrupts other
 * numbers. `original`: the divergence of the trace, if one is kept.
 * @throws GicTraceError `usage` if the operations of the trace do not show it.
 */
export async function minimizeToScenario(
  path: string,
  keep: Keep | Gicv5Keep,
  original: Divergence | null,
  options: MinimizeOptions = {},
): Promise<ScenarioRepro> {
  const { header, operations } = operationsAt(path);
  const { config } = header;
  const machine: ScenarioInput['machine'] = {
    pes: config.pes.length,
    ...(config.architecture === 5 ? {} : { profile: config.profile as never }),
    ...(blocksOf(header) === 1 ? {} : { blocks: blocksOf(header) }),
  };
  const whole = scenarioFromOperations('minimized', machine, operations);
  const designs = designsFor(header);
  const has = operations.some(({ op }) => concernOf(op) !== 'pes');
  for (const design of has ? designs : []) {
    const shows = showing(design, keep, original);
    if ((await shows(whole)) === undefined) continue;
    return reduced(whole, design, shows, keep.what === 'property' && keep.isSlow, options);
  }
  throw new GicTraceError(
    'usage',
    !has
      ? 'no scenario shows it: the trace contains no operation of a device or vPE, and none can be lifted from it'
      : `no scenario shows it: it does not show when the operations of the trace are done again by ${designs.join(' or ')}`,
    { path },
    'give --emit vitest or jsonl',
  );
}

function operationsAt(path: string) {
  const reader = TraceReader.openAny(path);
  try {
    const { header } = reader as { readonly header: AnyTraceHeader };
    return { header, operations: operationsOf(reader, header.config) };
  } finally {
    reader.close();
  }
}

/** The designs that may have been recorded, the most likely first. */
function designsFor({ source, config }: AnyTraceHeader): readonly string[] {
  const recorded = RECORDED_ON.exec(source.kind)?.[1];
  if (recorded !== undefined && Object.hasOwn(DESIGNS, recorded)) return [recorded];
  if (config.architecture === 5) return [];
  const own = designOf(config);
  if (own !== undefined) return [...new Set([own, 'its'])];
  return [...OF_SPIS, 'direct-lpi'];
}

/** The test of scenarios on a design. */
function showing(
  name: string,
  keep: Keep | Gicv5Keep,
  original: Divergence | null,
): (scenario: ScenarioInput) => Promise<Shown> {
  const design = designNamed(name);
  return async (input) => {
    const batches: RecordBatch[] = [];
    let config: GicConfig | Gicv5Config | undefined;
    try {
      // The text is what a user will record, so that it is what is tried.
      scenarioRecords(parseScenario(scenarioText(input), 'minimized'), design, {
        begin: (_design, own) => {
          config = own;
        },
        record: (batch, i) => {
          if (batches.length === 0 || batches.at(-1)!.full) batches.push(new RecordBatch(CHUNK));
          batches.at(-1)!.copy(batch, i);
        },
      });
    } catch (error) {
      // A step that needs one which is left out is no scenario.
      if (error instanceof GicTraceError) return undefined;
      throw error;
    }
    if (keep.what === 'property')
      return (await keep.holds(batches, config!, false)) ? { divergence: null } : undefined;
    const divergence = await firstDivergence(keep, config!, batches);
    const isSame = divergence !== null && signatureOf(divergence, false) === signatureOf(original!, false);
    return isSame ? { divergence } : undefined;
  };
}

async function firstDivergence(
  keep: Exclude<Keep | Gicv5Keep, { what: 'property' }>,
  config: GicConfig | Gicv5Config,
  batches: readonly RecordBatch[],
): Promise<Divergence | null> {
  if (config.architecture === 5) {
    if ('other' in keep) return null;
    const { profile, machine } = keep;
    const replay = new Gicv5Replay({ ...config, profile }, machine === undefined ? {} : { machine });
    for (const batch of batches) replay.take(batch);
    return replay.finish().first;
  }
  if (!('other' in keep)) return null;
  const { other } = keep;
  if ('open' in other) {
    const backend = other.open(foresee(config, batches));
    try {
      return (await replayed(config, { batches: [...batches] }, backend, await backend.reset(config))).first;
    } finally {
      await backend.close();
    }
  }
  const { profile, machine } = other;
  const replay = new VerbatimReplay(
    { ...config, profile },
    { stopAtFirst: true, ...(machine === undefined ? {} : { machine }) },
  );
  for (const batch of batches) if (!replay.stopped) replay.take(batch);
  return replay.finish().first;
}

/** Leaves out steps, then PEs, and vectors that no step names. */
async function reduced(
  whole: ScenarioInput,
  design: string,
  shows: (scenario: ScenarioInput) => Promise<Shown>,
  isSlow: boolean,
  { testsMax = isSlow ? SLOW_TESTS_MAX : TESTS_MAX, progress, isVerbatim = false }: MinimizeOptions,
): Promise<ScenarioRepro> {
  let tests = 0;
  let left = whole.steps.length;
  const holds = async (scenario: ScenarioInput) => {
    const shown = await shows(scenario);
    if (shown !== undefined) left = scenario.steps.length;
    progress?.(++tests, left);
    return shown;
  };
  const { list, isMinimal } = await shrink(
    whole.steps,
    async (steps) => (await holds({ ...whole, steps: [...steps] })) !== undefined,
    { testsMax, first: Math.ceil(whole.steps.length / 8) },
  );
  let scenario: ScenarioInput = { ...whole, steps: [...list] };
  for (const simpler of isVerbatim ? [] : [withoutDevices, withFewerVectors]) {
    const candidate = simpler(scenario);
    if ((await holds(candidate)) !== undefined) scenario = candidate;
  }
  for (let pes = 1; !isVerbatim && pes < scenario.machine.pes; pes++) {
    const candidate = { ...scenario, machine: { ...scenario.machine, pes } };
    if ((await holds(candidate)) === undefined) continue;
    scenario = candidate;
    break;
  }
  const shown = (await shows(scenario))!;
  return { scenario, design, of: whole.steps.length, tests, isMinimal, divergence: shown.divergence };
}

const words = ({ steps }: ScenarioInput): string[] =>
  steps.flatMap((step) => Object.values(step as object).map(String));

function withoutDevices(scenario: ScenarioInput): ScenarioInput {
  const named = new Set(words(scenario).map((word) => word.split('/')[0]!));
  const devices = Object.entries(scenario.devices ?? {}).filter(([name]) => named.has(name));
  return { ...scenario, devices: Object.fromEntries(devices) };
}

function withFewerVectors(scenario: ScenarioInput): ScenarioInput {
  const used = (name: string) =>
    Math.max(
      0,
      ...words(scenario)
        .filter((word) => word.startsWith(`${name}/`))
        .map((word) => Number(word.split('/')[1])),
    ) + 1;
  const devices = Object.entries(scenario.devices ?? {}).map(([name, device]) => [
    name,
    { ...device, vectors: device.kind === 'multi-msi' ? device.vectors : used(name) },
  ]);
  return { ...scenario, devices: Object.fromEntries(devices) };
}
