// A real QEMU as a backend of replay.
export { QemuBackend, type QemuBackendOptions } from './backend.ts';
export { type Fill, type Foresight, foresee, foreseeTrace } from './foresight.ts';
export { QEMU, QEMU_PACKAGE, type QemuOptions, qemuProblem, qemuVersion } from './process.ts';
