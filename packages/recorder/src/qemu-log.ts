// @gictrace/recorder/qemu-log: the lines of QEMU's trace log as records, for a backend that reads the log of its own QEMU.
export { Losses } from './importers/common/losses.ts';
export { Group } from './importers/qemu-trace/group.ts';
export { ItsLines } from './importers/qemu-trace/its-lines.ts';
export { newToken, type Token, tokenize } from './importers/qemu-trace/tokenize.ts';
