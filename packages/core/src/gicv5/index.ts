// The GICv5: its state, one step, and the profiles. A room of its own beside the model of GICv3 and GICv4.
export { GICV5_CHOICES, type Gicv5Choices } from './choices.ts';
export { Gicv5Draw } from './draw.ts';
export { Gicv5Machine } from './machine.ts';
export { GICV5_PROFILES, type Gicv5Deviation, type Gicv5Profile, gicv5ProfileNamed } from './profiles.ts';
export { GICV5_STATE_VERSION, Gicv5State } from './state.ts';
export { gicv5Fold, gicv5Step } from './step.ts';
