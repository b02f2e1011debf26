// What answers stimuli.
export {
  type Answers,
  type Backend,
  type Capabilities,
  CONSEQUENCE,
  notShown,
  notTaken,
  RESERVED_NOT_SHOWN,
} from './backend.ts';
export { NOT_A_REGISTER, Simulator } from './simulator.ts';
