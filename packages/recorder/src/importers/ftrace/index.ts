// The importer of ftrace's text.

export { type FtraceOptions, type FtraceSink, importFtrace } from './import.ts';
