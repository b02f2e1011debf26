// What answers stimuli.
export * from './backend.ts';
export { NOT_A_REGISTER, Simulator } from './simulator.ts';
