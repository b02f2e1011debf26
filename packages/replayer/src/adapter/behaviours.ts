// The behaviours of the conformance suite on an adapter: each experiment is run on the simulator, recorded, and replayed on
// the adapter. If all answers and observables are equal, the behaviour is the same.

import { type GicConfig, GicTraceError } from '@gictrace/core';
import { type Backend, Simulator } from '@gictrace/core/backend';
import { BEHAVIOURS, type Feature } from '@gictrace/core/conformance';
import { configOf } from '@gictrace/core/profile';
import { type RecordBatch, totalOf, type Verdict } from '@gictrace/core/record';
import { leastHardware, recordedBehaviour } from '../conformance/record-behaviour.ts';
import { BackendReplay } from '../verbatim/on-backend.ts';
import { ProcessBackend } from './process-backend.ts';

export interface BehaviourResult {
  readonly id: string;
  readonly feature: Feature;
  readonly title: string;
  readonly result: 'same' | 'differs' | 'not tried';
  /** The first difference, or why it was not tried. */
  readonly detail: string;
  readonly comparisons: number;
}

async function replayed(backend: Backend, config: GicConfig, recording: RecordBatch): Promise<Verdict> {
  const replay = new BackendReplay(config, backend, await backend.reset(config), { allow: ['eoi-order'] });
  await replay.take(recording);
  return replay.finish();
}

/** Skipped stimuli, other than observables that the backend does not show. */
function skippedStimuli(verdict: Verdict): string[] {
  return Object.keys(verdict.skipped).filter((reason) => !reason.endsWith('not shown by the backend'));
}

/** Tries each behaviour on an adapter. */
export async function* tryBehaviours(
  command: string,
  options: { readonly version?: string; readonly timeoutMs: number; readonly profile: string },
): AsyncGenerator<BehaviourResult> {
  const simulator = new Simulator(options.version);
  let backend: ProcessBackend | undefined;
  try {
    for (const behaviour of BEHAVIOURS) {
      const { id, feature, title } = behaviour;
      const said = (result: BehaviourResult['result'], detail: string, comparisons = 0): BehaviourResult => ({
        id,
        feature,
        title,
        result,
        detail,
        comparisons,
      });
      const hardware = leastHardware(behaviour);
      const config = hardware && configOf(options.profile, hardware, behaviour.pes ?? 2);
      const recording = config && recordedBehaviour(behaviour, config);
      if (recording === undefined || recording.count === 0) {
        yield said('not tried', 'no recording can be made of it');
        continue;
      }
      // Experiments that do more than a guest, such as restoring into another GIC, cannot be expressed as a recording.
      const own = await replayed(simulator, config!, recording);
      if (feature === 'Save and restore' || own.diverged > 0 || totalOf(own.skipped) > 0) {
        yield said('not tried', 'it is more than stimuli and answers');
        continue;
      }
      backend ??= new ProcessBackend({ command, ...options });
      try {
        const verdict = await replayed(backend, config!, recording);
        const skipped = skippedStimuli(verdict);
        const comparisons = totalOf(verdict.compared);
        if (skipped.length > 0) yield said('not tried', `skipped: ${skipped.join('; ')}`, comparisons);
        else if (verdict.diverged > 0)
          yield said(
            'differs',
            `recorded ${verdict.first!.recorded.trim()}; ${verdict.first!.replayed.trim()}`,
            comparisons,
          );
        else if (comparisons === 0) yield said('not tried', 'nothing of it is shown');
        else yield said('same', '', comparisons);
      } catch (error) {
        if (!(error instanceof GicTraceError) || error.code !== 'backend') throw error;
        await backend.close();
        backend = undefined;
        const gaveUp = /gives up: ([^(;]*)/.exec(error.message);
        yield gaveUp === null ? said('differs', error.message) : said('not tried', gaveUp[1]!.trim());
      }
    }
  } finally {
    await backend?.close();
  }
}
