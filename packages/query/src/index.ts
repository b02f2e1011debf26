// @gictrace/query: traces in SQL, diff, reports, exports.
/// <reference types="node" preserve="true" />
export { type Question, questionsOf, type Relation, relationsOf } from './catalogue/catalogue.ts';
export { EXAMPLES, type Example } from './catalogue/examples.ts';
export { sqlReference } from './catalogue/reference.ts';
export {
  CLAIMS,
  type Claim,
  CODE_CLAIMS,
  DISCUSSIONS,
  decide,
  sqlOf,
  type Thread,
  type Verdict,
} from './comparisons/claims/index.ts';
export { RUN_QUERIES } from './comparisons/run-queries.ts';
export { RUN_TABLES } from './comparisons/run-tables.ts';
export { makeRunsDatabase } from './comparisons/runs.ts';
export { cellJson, cellText, toCsv, toJson } from './database/format.ts';
export { PlainDatabase } from './database/plain.ts';
export { type Answer, type Cell, QueryDatabase } from './database/query.ts';
export { sqliteVersion } from './database/sqlite-version.ts';
export { DATASET_TABLE_NAMES, DDL_ENGINES, type DdlEngine, datasetDdl } from './dataset/ddl.ts';
export { DATASET_RELATIONS, Dataset, type DatasetAnswer } from './dataset/duckdb.ts';
export { type DatasetResult, exportToDataset } from './dataset/export.ts';
export {
  type ExportAllOptions,
  type ExportAllSummary,
  exportAllToDataset,
} from './dataset/export-all.ts';
export { isDataset } from './dataset/layout.ts';
export { type BatchResult, resultsFile, writeResults } from './dataset/results.ts';
export {
  type AlignRow,
  CLASSES,
  type Diff,
  type DiffClass,
  type DiffExample,
  type DiffOptions,
  type DiffRule,
  type DiffSide,
  diffTraces,
  type Half,
  IGNORABLE,
  type Ignorable,
  makeDiffDatabase,
  type OverviewRow,
  overview,
  readRules,
  type SubjectRow,
} from './diff/index.ts';
export {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportSource,
  type ExportSummary,
  exportSource,
  exportTrace,
  type InterruptNames,
  readInterruptNames,
} from './export/index.ts';
export {
  type FleetAsk,
  type FleetCell,
  type FleetOptions,
  type FleetSummary,
  reportFleet,
} from './report/fleet.ts';
export {
  type ReportOptions,
  type ReportSummary,
  reportTraces,
} from './report/index.ts';
export { type LoadOptions, type LoadSource, type LoadSummary, loadTraces } from './sql/load.ts';
export { type LoadFilesOptions, type LoadFilesSummary, loadTraceFiles } from './sql/load-files.ts';
export { MODULES, type Module } from './sql/modules/index.ts';
export { FUNCTIONS, TABLE_FUNCTIONS, VIEWS, type View } from './sql/views.ts';
export { type Fits, type SteppedTrace, type Stop, TimeMachine } from './step/time-machine.ts';
export {
  type Answer as WhyAnswer,
  type AskedTrace,
  answerGraph,
  answerLines,
  askedTrace,
  GRAPH_FORMATS,
  type GraphFormat,
  type Question as WhyQuestion,
  questionOfText,
  why,
} from './why/index.ts';
