// A state of the simulator that a database keeps.

/** A state that holds before a record. */
export interface KeptState {
  readonly record: number;
  readonly state: Uint8Array;
}
