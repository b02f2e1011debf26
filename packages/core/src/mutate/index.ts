// Faults with names: what an implementer of a GIC can get wrong. The fuzzer must find each that QEMU can tell, and golden
// traces are held against all.
import { GicTraceError } from '../errors.ts';
import type { Machine } from '../model/index.ts';
import { INTERRUPT_MUTATIONS } from './interrupts.ts';
import { ITS_MUTATIONS } from './its.ts';
import type { Mutation } from './mutation.ts';
import { plant } from './plant.ts';
import { VIRTUAL_MUTATIONS } from './virtual.ts';

export type { Mutation } from './mutation.ts';
export { type EventFate, type Passing, type PlantedFault, plant } from './plant.ts';

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  ...INTERRUPT_MUTATIONS,
  ...ITS_MUTATIONS,
  ...VIRTUAL_MUTATIONS,
};

/** Plants a named fault into a machine. @throws GicTraceError `usage` for a name that there is not. */
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
