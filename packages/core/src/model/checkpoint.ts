// A machine at one moment, to continue from there again and again: its state, and what is derived from the state but may lag
// behind it in a machine with a planted fault. A trace stores states only (state.ts); this never leaves the process.
import type { Machine } from './machine.ts';

const ARRAYS = [
  'peDirty',
  'spiBest',
  'spiBestRank',
  'lpiBest',
  'lpiBestPriority',
  'lpiDirty',
  'vpeDirty',
] as const satisfies readonly (keyof Machine)[];

export interface Checkpoint {
  readonly state: Uint8Array;
  readonly arrays: readonly (Uint8Array | Uint16Array | Uint32Array)[];
  readonly flags: readonly [spisDirty: boolean, anyDirty: boolean, anyVpeDirty: boolean, oneOfN: boolean];
}

/** The machine as it is between two stimuli. */
export function checkpointOf(machine: Machine): Checkpoint {
  return {
    state: machine.state.save(),
    arrays: ARRAYS.map((name) => machine[name].slice()),
    flags: [machine.spisDirty, machine.anyDirty, machine.anyVpeDirty, machine.oneOfNPending],
  };
}

/** Puts a machine of the same configuration, with the same fault planted, back to a checkpoint. */
export function returnTo(machine: Machine, { state, arrays, flags }: Checkpoint): void {
  machine.state.restore(state);
  for (const [k, name] of ARRAYS.entries()) machine[name].set(arrays[k]!);
  [machine.spisDirty, machine.anyDirty, machine.anyVpeDirty, machine.oneOfNPending] = flags;
}
