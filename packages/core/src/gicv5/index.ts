// The GICv5: its state, one step, and the profiles. A module of its own beside the model of GICv3 and GICv4.

export { runningPriority as gicv5RunningPriority } from './arbitration.ts';
export { GICV5_CHOICES, type Gicv5Choices } from './choices.ts';
export { Gicv5Draw } from './draw.ts';
export { Gicv5Follow } from './follow.ts';
export {
  GICV5_CONDITIONS,
  GICV5_GATES,
  type Gicv5Condition,
  type Gicv5Gate,
  type Gicv5Held,
  gicv5ConditionsOf,
  gicv5HeldBy,
  gicv5PriorityOf,
  gicv5Signalled,
} from './gate.ts';
export { hasFrame as gicv5HasFrame } from './irs-frame.ts';
export { l1Address as gicv5L1Address, mayHaveIste as gicv5MayHaveIste } from './ist.ts';
export { Gicv5Machine } from './machine.ts';
export { GICV5_MUTATIONS, type Gicv5Mutation, plantGicv5Mutation } from './mutations.ts';
export { GICV5_PROFILES, type Gicv5Deviation, type Gicv5Profile, gicv5ProfileNamed } from './profiles.ts';
export { GICV5_STATE_VERSION, Gicv5State, IST } from './state.ts';
export { gicv5Fold, gicv5Step } from './step.ts';
