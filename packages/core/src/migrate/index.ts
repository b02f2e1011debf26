// Saving and restoring a GIC as a hypervisor does.
export { ORDER_RULES, type SavedItem, STEPS, type Step } from './registers.ts';
export {
  Restore,
  type RestoreFault,
  type RunStimulus,
  restore,
  restoreBy,
  stimuliOn,
} from './restore.ts';
export { save } from './save.ts';
