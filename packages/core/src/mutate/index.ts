// Named faults: what an implementer of a GIC can get wrong. The fuzzer must find each fault that a comparison with QEMU can
// reveal, and the golden traces are tested against all of them.
import { GicTraceError } from '../errors.ts';
import type { Machine } from '../model/index.ts';
import { INTERRUPT_MUTATIONS } from './interrupts.ts';
import { ITS_MUTATIONS } from './its.ts';
import type { Mutation } from './mutation.ts';
import { plant } from './plant.ts';
import { SECURITY_MUTATIONS } from './security.ts';
import { VIRTUAL_MUTATIONS } from './virtual.ts';

export type { Mutation } from './mutation.ts';
export { type EventOutcome, type Passing, type PlantedFault, plant } from './plant.ts';

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...INTERRUPT_MUTATIONS,
  ...ITS_MUTATIONS,
  ...VIRTUAL_MUTATIONS,
  ...SECURITY_MUTATIONS,
};

/** Plants a named fault into a machine. @throws GicTraceError `usage` for an unknown name. */
export function plantMutation(machine: Machine, name: string): void {
  const mutation = Object.hasOwn(MUTATIONS, name) ? MUTATIONS[name] : undefined;
  if (mutation === undefined)
    throw new GicTraceError(
      'usage',
      `no fault '${name}'`,
      {},
      `give one of ${Object.keys(MUTATIONS).join(', ')}`,
    );
  plant(machine, mutation.fault);
}
