// A real QEMU as a backend of replay.
export { QemuBackend, type QemuBackendOptions } from './backend.ts';
export { QEMU, QEMU_PACKAGE, qemuVersion } from './process.ts';
