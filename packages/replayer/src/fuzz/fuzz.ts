// Differential fuzzing: stimuli from a seed to the simulator and to a real QEMU, and the first difference shrunk to a
// few stimuli.
import {
  configOf,
  type GicConfig,
  type Hardware,
  PROFILES,
  RecordBatch,
  StimulusGenerator,
} from '@gictrace/core';
import { TraceWriter } from '@gictrace/recorder';
import { QemuBackend } from '../backends/qemu/backend.ts';
import { MAINTENANCE_INTID } from '../backends/qemu/machine.ts';
import type { QemuOptions } from '../backends/qemu/process.ts';
import type { Verdict } from '../verdict.ts';
import { Recording, replayed, stimuliUpTo } from './differ.ts';
import { shrink } from './shrink.ts';

/** The profile that the simulator has on this occasion. */
const PROFILE = 'qemu-virt';
/** Devices that QEMU can have at these DeviceIDs: none of its own, and three PCI functions. */
const DEVICE_IDS = [0, 8, 16, 24] as const;
/** GICR_TYPER.CommonLPIAff: all PEs of an Aff1 share a table. */
const COMMON_LPI_AFF = 0x100_0000;
const SHRINK_TESTS = 400;

export interface FuzzOptions extends QemuOptions {
  /** 0 to 4,294,967,295. */
  readonly seed: number;
  /** Stimuli, at least 1. */
  readonly steps: number;
  readonly gic: 3 | 4;
  /** 1 to 16; 3 when absent. */
  readonly pes?: number;
  /** One stimulus in so many is anything at all; 6 when absent, 0: none. */
  readonly wild?: number;
  /** Do not shrink what differs. */
  readonly whole?: boolean;
  readonly progress?: (tests: number) => void;
}

export interface FuzzResult {
  readonly seed: number;
  readonly steps: number;
  readonly config: GicConfig;
  /** Comparisons made, by kind, up to the first difference. */
  readonly compared: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  /** What differs, in as few stimuli as were found; null: nothing does. */
  readonly difference: {
    /** Stimuli of the seed up to the first that differs, and of what is left of them. */
    readonly after: number;
    readonly stimuli: number;
    /** Runs that it took to shrink them. */
    readonly tests: number;
    readonly verdict: Verdict;
    /** The simulator's recording of the stimuli that are left. */
    readonly recording: Recording;
  } | null;
}

/** QEMU's GIC as the simulator models it. */
export function fuzzConfig(gic: 3 | 4, pes: number): GicConfig {
  const { hardware } = PROFILES[PROFILE]!;
  const plain: Hardware = { ...hardware, architecture: 3, virtualLpis: 'none' };
  const config = configOf(PROFILE, gic === 4 ? hardware : plain, pes);
  return { ...config, gicr: { ...config.gicr, typer: (config.gicr.typer | COMMON_LPI_AFF) >>> 0 } };
}

/**
 * Fuzzes a real QEMU with one seed.
 * @throws GicTraceError `backend` if QEMU is not there or fails.
 */
export async function fuzzQemu(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, steps, gic } = options;
  const config = fuzzConfig(gic, options.pes ?? 3);
  const stimuli = generate(config, seed, steps, options.wild);
  const run = async (part: readonly RecordBatch[]) => {
    const recording = new Recording(config, MAINTENANCE_INTID);
    for (const stimulus of part) recording.take(stimulus, 0);
    const backend = new QemuBackend({ ...options, foresight: { deviceIds: DEVICE_IDS, fills: new Map() } });
    try {
      return { recording, verdict: await replayed(config, recording, backend) };
    } finally {
      await backend.close();
    }
  };
  const whole = await run(stimuli);
  const { compared, skipped, first } = whole.verdict;
  const found = { seed, steps, config, compared, skipped };
  if (first === null) return { ...found, difference: null };

  const after = whole.recording.given(stimuliUpTo(whole.recording, first.record));
  let tests = 0;
  const same = async (part: readonly RecordBatch[]) => {
    options.progress?.(++tests);
    const { verdict } = await run(part);
    return verdict.first !== null && verdict.first.kind === first.kind;
  };
  const cut = stimuli.slice(0, after);
  const small = options.whole ? { list: cut, tests: 0 } : await shrink(cut, same, SHRINK_TESTS);
  const { verdict, recording } = await run(small.list);
  return {
    ...found,
    difference: { after, stimuli: small.list.length, tests: small.tests, verdict, recording },
  };
}

function generate(config: GicConfig, seed: number, steps: number, wild: number | undefined): RecordBatch[] {
  const generator = new StimulusGenerator(config, seed, {
    deviceIds: DEVICE_IDS,
    contained: true,
    takenIntids: [MAINTENANCE_INTID],
    ...(wild === undefined ? {} : { wild }),
  });
  return Array.from({ length: steps }, () => {
    const batch = new RecordBatch(1);
    generator.next(batch);
    return batch;
  });
}

/** Writes the simulator's recording of what differs. */
export function saveRecording(result: FuzzResult, path: string, version: string): void {
  const { difference, config, seed } = result;
  if (difference === null) return;
  const writer = new TraceWriter(path, {
    writer: { name: 'gictrace', version },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: 'fuzz', name: `seed ${seed}`, provenance: {} },
    losses: [],
    seed: `${seed}`,
    options: { difference: difference.verdict.first },
  });
  for (const batch of difference.recording.batches)
    for (let i = 0; i < batch.count; i++) writer.record(batch, i);
  writer.close({ meta: {} });
}
