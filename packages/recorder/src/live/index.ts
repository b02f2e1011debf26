// Recording what runs.
export { type LiveOptions, type LiveReport, missingRom, recordQemu } from './qemu.ts';
