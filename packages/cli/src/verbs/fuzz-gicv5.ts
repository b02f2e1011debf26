// gictrace fuzz --gic 5: the GICv5 of a QEMU that has one (11.1 or later) against the simulator.
import { EXIT_CODES, GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { GICV5_MUTATIONS } from '@gictrace/core/gicv5';
import { fuzzGicv5, type Gicv5FuzzResult, saveGicv5 } from '@gictrace/replayer/fuzz';
import { grouped, json, print, VERSION } from '../context.ts';
import { Progress } from '../progress.ts';
import type { FuzzVerbOptions } from './fuzz.ts';
import { isQemu, qemuOptions } from './on-qemu.ts';

/** Tries seeds up to the first difference. @throws GicTraceError `usage` for what a GICv5 does not have. */
export async function fuzzOnGicv5(options: FuzzVerbOptions, exit: (code: number) => void): Promise<void> {
  const { on, seed, seeds, steps, pes, shrink, plant, security, timeout, output, force } = options;
  if (!isQemu(on))
    throw new GicTraceError('usage', `cannot fuzz the GICv5 of '${on}'`, {}, 'give --on qemu:COMMAND');
  if (security !== 1) throw new GicTraceError('usage', '--security is not for --gic 5', {}, 'leave it out');
  if (plant !== undefined && !Object.hasOwn(GICV5_MUTATIONS, plant))
    throw new GicTraceError('usage', `no fault '${plant}' of a GICv5`, {}, '--plant list prints them');
  const progress = new Progress('runs');
  let runs = 0;
  let stimuli = 0;
  let compared = 0;
  const skipped: Record<string, number> = {};
  try {
    for (let n = 0; ; n++) {
      const result = await fuzzGicv5({
        ...qemuOptions(on, timeout),
        ...{ seed: (seed + n) >>> 0, steps, pes, whole: !shrink },
        ...(plant === undefined ? {} : { plant }),
        progress: () => progress.update(++runs),
      });
      progress.update(++runs);
      stimuli += result.steps;
      compared += result.compared;
      for (const [why, count] of Object.entries(result.skipped)) skipped[why] = (skipped[why] ?? 0) + count;
      if (result.difference === null && n < seeds - 1) continue;
      progress.end();
      if (output !== undefined) saveGicv5(result, output, VERSION, force);
      const { difference, tests } = result;
      const records = result.stimuli.map((one) => recordText(one, 0));
      if (options.json)
        print(
          json({ gic: 5, seed: result.seed, steps: stimuli, compared, skipped, difference, tests, records }),
        );
      else print(text(result, records, seeds === 1 ? undefined : seed, stimuli, compared));
      exit(difference === null ? 0 : difference.text.startsWith('QEMU ended') ? EXIT_CODES.backend : 1);
      return;
    }
  } finally {
    progress.end();
  }
}

function text(
  { seed, difference, tests }: Gicv5FuzzResult,
  records: readonly string[],
  from: number | undefined,
  stimuli: number,
  compared: number,
): string {
  const which = from === undefined ? `seed ${seed}` : `seeds ${from} to ${seed}`;
  if (difference === null)
    return `SAME: GICv5, ${which}, ${grouped(stimuli)} stimuli, ${grouped(compared)} comparisons, none differs`;
  return [
    `DIFFERS: GICv5, seed ${seed}; ${records.length} stimuli are left after shrinking in ${tests} runs:`,
    ...records.map((line) => `  ${line}`),
    `at ${difference.text}`,
    `simulator: ${difference.simulator.join(' | ') || 'nothing'}`,
    `QEMU:      ${difference.qemu.join(' | ') || 'nothing'}`,
  ].join('\n');
}

/** The faults that can be planted into a GICv5. */
export function gicv5Faults(asJson: boolean): string {
  const list = Object.entries(GICV5_MUTATIONS).map(([name, { doc }]) => ({ name, doc }));
  return asJson ? json(list) : list.map(({ name, doc }) => `${name}  ${doc}`).join('\n');
}
