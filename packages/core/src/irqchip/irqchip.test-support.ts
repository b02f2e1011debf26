// What the tests of designs share.
import { DESIGNS } from './designs.ts';
import type { Design } from './driver.ts';
import type { Operation } from './operation.ts';
import { FAULT_NAMES, OUTCOME_NAMES, type Run } from './testbed/outcome.ts';
import { Translation } from './testbed/run.ts';

export const PES = 4;
export const D = 8;
export const online: readonly Operation[] = [0, 1, 2, 3].map((pe) => ({ op: 'pe.online', pe }));
export const v = { device: D, vector: 0 };
export const started: readonly Operation[] = [
  ...online,
  // A platform device has no mask of its own, so a message is pending while its vector is masked.
  { op: 'alloc', device: D, count: 4, msi: 'platform' },
  { op: 'activate', ...v, pe: 0 },
  { op: 'unmask', ...v },
];

export function run(design: Design | string, operations: readonly Operation[], pes = PES, blocks = 1): Run {
  const of = typeof design === 'string' ? DESIGNS[design]! : design;
  const translation = new Translation(of, pes, {}, blocks);
  for (const operation of operations) translation.take(operation);
  return translation.finish();
}

/** The outcomes and faults of a run that are not zero. */
export function outcomes({ deliveries: d }: Run): Record<string, number> {
  const shown = [...OUTCOME_NAMES, ...FAULT_NAMES].filter((name) => d[name] > 0);
  return Object.fromEntries(shown.map((name) => [name, d[name]]));
}

/** Operations that map `n` vPEs, each on the PE of its number. */
export const vpes = (n: number): Operation[] => [
  ...online,
  ...Array.from({ length: n }, (_, vpe): Operation => ({ op: 'vpe.map', vpe, pe: vpe % PES })),
];
export const invalidate = (vpe: number): Operation => ({ op: 'doorbell.invalidate', vpe });
