// @gictrace/recorder: traces, importers, a running QEMU as a source, scenarios.
/// <reference types="node" preserve="true" />

export { importLogs, type LogsReport } from './import-logs.ts';
export {
  addLabel,
  LOG_OPTIONS,
  type LogOption,
  type LogOptionName,
  type LogOptions,
  logFormatNamed,
} from './import-options.ts';
export {
  type ImportInto,
  type ImportReport,
  importFtraceToTrace,
  importGicv5ToTrace,
  importJsonlToTrace,
  importToTrace,
  type LogInput,
} from './import-trace.ts';
export { type KeptSource, keptSource } from './importers/common/kept-source.ts';
export type { Start } from './importers/common/learn/unknowns.ts';
export { sniff } from './importers/common/source.ts';
export { detectFormat, LOG_FORMATS, type LogFormat } from './importers/detect.ts';
export type { FtraceOptions } from './importers/ftrace/index.ts';
export { headerJson, recordJson } from './importers/jsonl/index.ts';
export type { ImportOptions } from './importers/qemu-trace/index.ts';
export {
  type KvmReport,
  kvmScript,
  type LiveOptions,
  type LiveReport,
  missingRom,
  type RecordKvmOptions,
  recordKvm,
  recordQemu,
  type ScriptOptions,
} from './live/index.ts';
export { discardOpenOutputs } from './output/index.ts';
export {
  libraryPath,
  libraryScenarios,
  parseScenario,
  readScenario,
  type Scenario,
  ScenarioBuilder,
  type ScenarioInput,
  Steps,
  scenario,
  scenarioFromOperations,
  scenarioNamed,
  scenarioText,
} from './scenario/index.ts';
export {
  type AnyTraceHeader,
  type AnyTraceReader,
  blocksOf,
  type Damage,
  type Gap,
  type Gicv5TraceHeader,
  hasKnownState,
  hasLearntState,
  isGicv5,
  isGicv5Header,
  labelsOf,
  MISSING,
  missingStimuli,
  type Recovery,
  recover,
  refuseGicv5,
  SHOWS,
  type SourceHeader,
  START,
  sourceFacts,
  sourceShows,
  sourceTellsReserved,
  startsInMidLife,
  TELLS_RESERVED,
  TRACE_OUTPUT,
  type TraceFooter,
  type TraceHeader,
  TraceReader,
  type TraceSummary,
  TraceWriter,
  type WriterOptions,
} from './trace/index.ts';
export { type Missing, PROBES_OF, STIMULI_SORTS } from './trace/sorts.ts';
export { parseYaml, yamlData } from './yaml.ts';
