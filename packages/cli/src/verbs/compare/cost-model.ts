// The cost model that the command line names: one that ships, or a file.
import { GicTraceError } from '@gictrace/core';
import { COST_MODELS, COSTS, type Cost, type CostModel } from '@gictrace/core/irqchip';
import { readText } from '@gictrace/recorder/input';

const HINT = `models: ${Object.keys(COST_MODELS).join(', ')}; or a JSON file with nanoseconds for some of ${COSTS.join(', ')}`;

/**
 * The model with this name, or that of a JSON file: an object with nanoseconds by the name of the cost. What it leaves out is
 * as in the model `bare-metal`.
 * @throws GicTraceError `usage` if it is neither, or the file holds anything else.
 */
export function costModel(named: string): CostModel {
  if (Object.hasOwn(COST_MODELS, named)) return COST_MODELS[named]!;
  const text = readText(named, { code: 'usage', hint: HINT });
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new GicTraceError('usage', 'is not JSON', { path: named }, HINT);
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new GicTraceError('usage', 'is not an object of costs', { path: named }, HINT);
  for (const [name, ns] of Object.entries(read)) {
    if (!COSTS.includes(name as Cost))
      throw new GicTraceError('usage', `there is no cost '${name}'`, { path: named }, HINT);
    if (typeof ns !== 'number' || !Number.isFinite(ns) || ns < 0)
      throw new GicTraceError('usage', `${name} is not a number of nanoseconds`, { path: named }, HINT);
  }
  return {
    name: named,
    doc: 'From a file.',
    ns: { ...COST_MODELS['bare-metal']!.ns, ...read },
    measured: {},
  };
}
