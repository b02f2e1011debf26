// The importer of QEMU's trace logs.

export type { ImportOptions, KnownMachine, Origin, Provenance } from '../common/identity.ts';
export type { ImportStats } from '../common/import-stats.ts';
export type { ToldReset } from './assemble.ts';
export { canReadBeside, type ImportSinkAgain, importQemuBeside } from './beside/import-beside.ts';
export { type ImportSink, importQemu, importQemuLive, type SourceShows } from './import.ts';
export type { LogSource } from './reading.ts';
