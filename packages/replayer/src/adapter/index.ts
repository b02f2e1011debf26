// The adapter protocol: processes as backends, and backends as processes.
export { type BehaviourResult, tryBehaviours } from './behaviours.ts';
export { CHECKS_OF_PROTOCOL, type CheckResult, checkProtocol } from './checks.ts';
export { ProcessBackend, type ProcessOptions } from './process-backend.ts';
export { BATCH_STIMULI_MAX, PROTOCOL_VERSION } from './protocol.ts';
export { type ServeOptions, serveAdapter } from './serve.ts';
