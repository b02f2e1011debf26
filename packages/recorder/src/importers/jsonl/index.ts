// JSON lines: the importer, and the form that it reads.

export { importJsonl, type JsonlHeader, type JsonlSink } from './import.ts';
export { headerJson, JSONL_VERSION, recordJson } from './write.ts';
