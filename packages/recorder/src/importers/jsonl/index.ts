// JSON lines: the importer, and the writer of the same format.

export { importJsonl, type JsonlHeader, type JsonlSink } from './import.ts';
export { headerJson, JSONL_VERSION, recordJson } from './write.ts';
