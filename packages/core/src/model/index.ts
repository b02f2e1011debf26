// The event-sourced model of a GIC.
export { activeGroup } from './active-priorities.ts';
export { apply, configTableAddress, pendingTableAddress } from './apply.ts';
export { groupOf, groupPriorityMask, routedPe, runningPriority, wakeRequested } from './arbitration.ts';
export { type Checkpoint, checkpointOf, returnTo } from './checkpoint.ts';
export { peekSysreg } from './cpu-interface.ts';
export { Follow, FollowLoop, FollowObserver } from './follow.ts';
export { GATES, type Gate, type Held, heldBy, priorityOf } from './gate.ts';
export { hasInterrupt, privateIndex, sharedIndex, sharedIntid } from './intid.ts';
export { NSACR_TO_READ, NSACR_TO_WRITE } from './irq-registers.ts';
export { eachEvent, type MappedDevice, mappedDevices } from './its-walk.ts';
export { type EventSink, Machine, type MemoryUse, type MemoryWitness } from './machine.ts';
export { GuestMemory } from './memory.ts';
export { isOverlooked, keptConfig } from './overlooked.ts';
export { CONFIG_UNKNOWN, ctlrReset, GicState, IDLE, STATE_VERSION } from './state.ts';
export { fold, step } from './step.ts';
export { prefer, type Signalled, signalledTo, tieOf, tiesOf } from './ties.ts';
export {
  listRegisterHeldBy,
  listRegisterOf,
  pendingListRegister,
  VIRTUAL_GATES,
  type VirtualGate,
  virtuallyHeldBy,
} from './virtual-gate.ts';
export { NO_TABLE, residentTable, shareTables, vlpiConfigAddress } from './vlpi.ts';
export { CONDITION_NAMES, CONDITIONS, type Condition, conditionsOf } from './way.ts';
