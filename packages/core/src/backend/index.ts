// The backend interface, and the simulator as a backend.
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
