// What the minimization of a trace takes and gives, whichever GIC the trace is of: what must be kept, how many tests are made, and
// what is said if there is nothing to minimize.
import { type GicConfig, GicTraceError, type Gicv5Config, VERSION } from '@gictrace/core';
import type { Divergence, RecordBatch } from '@gictrace/core/record';
import { type AnyTraceHeader, TraceWriter } from '@gictrace/recorder';
import type { ScenarioRepro } from './scenario.ts';
import { Selection, type Single, type TraceStimuli } from './stimuli.ts';

/** What the simulator does with the stimuli has a property. */
export interface Property {
  readonly what: 'property';
  /** Called with the recording: its batches may be read, and not kept. Exact: also what it is about is the same. */
  readonly holds: (
    recording: readonly RecordBatch[],
    config: GicConfig | Gicv5Config,
    isExact: boolean,
  ) => Promise<boolean>;
  /** Whether a test takes more than 50 ms even for a few stimuli. */
  readonly isSlow: boolean;
}

export interface MinimizeOptions {
  readonly testsMax?: number;
  /** Called for each test, with the number of stimuli that are left. */
  readonly progress?: (tests: number, stimuli: number) => void;
  /** Whether values are left as they are. */
  readonly isVerbatim?: boolean;
}

/** What is left of a trace, whichever GIC it is of. */
export interface Minimization<C, H> {
  readonly config: C;
  readonly stimuli: Single;
  /** What the simulator does with the stimuli. */
  readonly recording: readonly RecordBatch[];
  /** Stimuli of the trace, up to where it shows what is kept. */
  readonly of: number;
  readonly tests: number;
  /** Whether no single stimulus can be left out. */
  readonly isMinimal: boolean;
  /** The divergence of these stimuli; null if a property is kept. */
  readonly divergence: Divergence | null;
  /** The divergence of the trace that was kept. */
  readonly original: Divergence | null;
  readonly header: H;
  /**
   * The steps of a scenario that show the same: see scenario.ts.
   * @throws GicTraceError `usage` if none do.
   */
  readonly scenario: () => Promise<ScenarioRepro>;
}

/** Tests that a minimization makes at most where each starts a program. */
const SLOW_TESTS_MAX = 1500;

/** Counts the tests of a minimization. */
export class TestCount {
  tests = 0;
  readonly max: number;
  private left: number;
  private readonly progress: MinimizeOptions['progress'];

  /** `usual`: how many tests are made at most, if `options` does not say and they are fast. */
  constructor(stimuli: TraceStimuli, options: MinimizeOptions, isSlow: boolean, usual: number) {
    this.max = options.testsMax ?? (isSlow ? SLOW_TESTS_MAX : usual);
    this.left = stimuli.length;
    this.progress = options.progress;
  }

  /** How many tests may still be made. */
  get rest(): number {
    return Math.max(0, this.max - this.tests);
  }

  /** A test was made; `now` stimuli are left, or as many as before. */
  readonly tested = (now?: number): void => {
    this.left = now ?? this.left;
    this.progress?.(++this.tests, this.left);
  };
}

/** All stimuli of a trace. */
export function wholeOf(stimuli: TraceStimuli): Selection {
  return new Selection(
    stimuli,
    Uint32Array.from({ length: stimuli.length }, (_, n) => n),
  );
}

/** The trace does not show the divergence that should be kept. */
export function doesNotDiverge(path: string): GicTraceError {
  return new GicTraceError(
    'usage',
    'does not diverge there, so that there is nothing to minimize',
    { path },
    'see gictrace replay',
  );
}

/** What the simulator does with all stimuli does not show what should be kept: `original`, or else a property. */
export function doesNotShow(path: string, original: Divergence | null, hint?: string): GicTraceError {
  return original === null
    ? new GicTraceError('usage', 'does not have that property, so that there is nothing to minimize', {
        path,
      })
    : new GicTraceError(
        'usage',
        `the simulator with the profile of the trace does not behave as it was recorded up to record ${original.record}, so that it cannot stand for the recording`,
        { path },
        hint,
      );
}

/** Writes what is left as a trace. @throws GicTraceError as `TraceWriter`. */
export function saveMinimized(
  { header, config, recording, divergence }: Minimization<GicConfig | Gicv5Config, AnyTraceHeader>,
  path: string,
  { version = VERSION, force = false, inputs = [] as readonly string[] } = {},
): void {
  const own = {
    writer: { name: 'gictrace', version },
    config,
    clock: header.clock,
    source: { kind: 'minimized', name: header.source.name, provenance: {} },
    losses: [],
    seed: header.seed,
    options: { difference: divergence },
  } as AnyTraceHeader;
  const writer = new TraceWriter(path, own, { force, inputs: [...inputs] });
  try {
    for (const batch of recording) writer.append(batch);
    writer.close({ meta: {} });
  } catch (error) {
    writer.abort();
    throw error;
  }
}
