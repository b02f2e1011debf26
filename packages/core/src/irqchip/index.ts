// The guest side: what an operating system asks of irqchip drivers, the designs, and what each design costs.
export type { Bus, Message } from './bus.ts';
export type { SentCommand } from './command-queue.ts';
export { COST_MODELS, type CostModel, nsOf } from './cost-model.ts';
export { COSTS, type Cost, type Costs, noCosts } from './costs.ts';
export { DESIGNS } from './designs.ts';
export { type Design, type Driver, Ledger, type Result, roundUpPowerOfTwo } from './driver.ts';
export { VECTORS_A_DEVICE } from './hwirq.ts';
export {
  type Allocation,
  concernOf,
  type DeviceKind,
  isServed,
  type MigratedPart,
  OPERATION_NAMES,
  type Operation,
  type OperationName,
  operationAt,
  pushOperation,
  type Vector,
} from './operation.ts';
export { type Source, sourceOf } from './sources.ts';
export { capacityOf } from './testbed/capacity.ts';
export { type Judgement, judge, judgementText, VERDICTS, type VerdictName } from './testbed/judgement.ts';
export type { CarriedState } from './testbed/migration.ts';
export {
  type Deliveries,
  FAULT_NAMES,
  FAULTS,
  type Failure,
  type Fault,
  OUTCOME_NAMES,
  OUTCOMES,
  type Outcome,
  type PendingState,
  type Run,
  type RunObserver,
} from './testbed/outcome.ts';
export { Translation } from './testbed/run.ts';
export { isShownByDefault, type Traits, traitsOf } from './traits.ts';
