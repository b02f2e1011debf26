// The face of the aligned comparison.
export { CLASSES, type DiffClass, IGNORABLE, type Ignorable } from './classes.ts';
export { DIFF_TABLES, makeDiffDatabase } from './database.ts';
export { RESOURCES } from './dependence.ts';
export {
  type AlignRow,
  type Diff,
  type DiffExample,
  type DiffOptions,
  type DiffSide,
  diffTraces,
  type Half,
  type SubjectRow,
} from './diff.ts';
export { type DiffRule, parseRules, readRules } from './rules.ts';
