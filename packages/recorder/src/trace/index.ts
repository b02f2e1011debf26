// The trace format: writing, reading, and recovery of damaged traces.
export { CHUNK_RECORDS, FORMAT_VERSION } from './constants.ts';
export {
  type AnyTraceHeader,
  blocksOf,
  type Gicv5TraceHeader,
  isGicv5Header,
  LABELS,
  labelsOf,
  MISSING,
  missingStimuli,
  SHOWS,
  type SourceHeader,
  START,
  sourceFacts,
  sourceShows,
  sourceTellsReserved,
  startsInMidLife,
  TELLS_RESERVED,
  type TraceFooter,
  type TraceHeader,
} from './header.ts';
export {
  type AnyTraceReader,
  type Damage,
  type Gap,
  hasKnownState,
  hasLearntState,
  isGicv5,
  refuseGicv5,
  TraceReader,
} from './reader.ts';
export { type Recovery, recover } from './recover.ts';
export { TRACE_OUTPUT, type TraceSummary, TraceWriter, type WriterOptions } from './writer.ts';
