// Recording a QEMU while it runs.
export { type LiveOptions, type LiveReport, missingRom, recordQemu } from './qemu.ts';
