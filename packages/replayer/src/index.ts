// @gictrace/replayer: a trace replayed on the simulator or on another backend; scenarios and traces on other designs.
/// <reference types="node" preserve="true" />

export type { Anomaly, Divergence, Verdict } from '@gictrace/core/record';
export {
  BATCH_STIMULI_MAX,
  type BehaviourResult,
  type CheckResult,
  checkProtocol,
  ProcessBackend,
  type ProcessOptions,
  type ServeOptions,
  serveAdapter,
  tryBehaviours,
} from './adapter/index.ts';
export {
  type Fill,
  type Foresight,
  foresee,
  foreseeTrace,
  QEMU,
  QEMU_PACKAGE,
  QemuBackend,
  type QemuBackendOptions,
  type QemuOptions,
  qemuProblem,
  qemuVersion,
} from './backends/qemu/index.ts';
export { recordBehaviour } from './conformance/record-behaviour.ts';
export { type Alignment, isSame, type Sequences } from './translated/alignment.ts';
export {
  type Compared,
  type CompareOptions,
  compareScenario,
  compareTrace,
  IN_FLIGHT_MAX,
  type Judged,
} from './translated/compare.ts';
export { designNamed } from './translated/designs.ts';
export type { LiftStats } from './translated/lift-parts.ts';
export { type RecordScenarioOptions, recordScenario } from './translated/record-scenario.ts';
export { CHOICES, type Choice } from './verbatim/following.ts';
export { Gicv5Replay, type Gicv5ReplayOptions } from './verbatim/gicv5.ts';
export { replayGicv5OnQemu } from './verbatim/gicv5-on-qemu.ts';
export { BackendReplay, type BackendReplayOptions } from './verbatim/on-backend.ts';
export { VerbatimReplay } from './verbatim/on-simulator.ts';
export { type ReplayOptions, type ReplayOutput, TOLERANCES, type Tolerance } from './verbatim/options.ts';
export {
  type ReplayOnOptions,
  type ReplayTraceOptions,
  replayTrace,
  replayTraceOn,
} from './verbatim/replay-trace.ts';
