// The guest's side: what an operating system asks, the designs that answer, and what each costs.
export { Bus, COSTS, type Cost, type Costs, type Message, noCosts, type SentCommand } from './bus.ts';
export { DESIGNS } from './designs.ts';
export { type Design, type Driver, Ledger, type Result } from './driver.ts';
export { PROXY_DEVICE } from './drivers/vpe-doorbell.ts';
export {
  isVpeOperation,
  OPERATION_NAMES,
  type Operation,
  type OperationName,
  type Vector,
} from './operation.ts';
export {
  type Deliveries,
  FATE_NAMES,
  FATES,
  FAULT_NAMES,
  FAULTS,
  type Fate,
  type Fault,
  type Run,
  type RunObserver,
  Translation,
} from './run.ts';
