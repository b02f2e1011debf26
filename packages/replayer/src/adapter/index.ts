// The adapter protocol: processes as backends, and backends as processes.
export { ProcessBackend, type ProcessOptions } from './process-backend.ts';
export { BATCH_STIMULI_MAX, PROTOCOL_VERSION } from './protocol.ts';
export { type ServeOptions, serveAdapter } from './serve.ts';
