// The face of @gictrace/query.
export { type Question, questionsOf, type Relation, relationsOf } from './catalogue.ts';
export * from './claims/index.ts';
export * from './diff/index.ts';
export { EXAMPLES, type Example } from './examples.ts';
export {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportSource,
  type ExportSummary,
  exportSource,
  exportTrace,
} from './export/index.ts';
export { cellJson, cellText, toCsv, toJson } from './format.ts';
export { type LoadOptions, type LoadSource, type LoadSummary, loadTraces } from './load.ts';
export { MODULES, type Module } from './modules/index.ts';
export { type Answer, type Cell, QueryDatabase } from './query.ts';
export { sqlReference } from './reference.ts';
export {
  type ReportOptions,
  type ReportSummary,
  reportTraces,
} from './report/index.ts';
export { RUN_QUERIES } from './run-queries.ts';
export { makeRunsDatabase, RUN_TABLES } from './runs.ts';
export { FUNCTIONS, TABLE_FUNCTIONS, VIEWS, type View } from './views.ts';
