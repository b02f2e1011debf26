// The guest's side: what an operating system asks, the designs that answer, and what each costs.
export {
  Bus,
  type CarriedState,
  COSTS,
  type Cost,
  type Costs,
  type Message,
  noCosts,
  type SentCommand,
} from './bus.ts';
export { DESIGNS } from './designs.ts';
export { type Design, type Driver, Ledger, type Result } from './driver.ts';
export { PROXY_DEVICE } from './drivers/vpe-doorbell.ts';
export {
  type Allocation,
  concerns,
  type DeviceKind,
  type MigratedPart,
  OPERATION_NAMES,
  type Operation,
  type OperationName,
  operationAt,
  pushOperation,
  type Vector,
} from './operation.ts';
export { capacityOf } from './testbed/capacity.ts';
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
} from './testbed/outcome.ts';
export { Translation } from './testbed/run.ts';
