// Recording a QEMU while it runs.
export { type KvmReport, type RecordKvmOptions, recordKvm } from './kvm/record.ts';
export { kvmScript, type ScriptOptions } from './kvm/script.ts';
export { type LiveOptions, type LiveReport, missingRom, recordQemu } from './qemu.ts';
