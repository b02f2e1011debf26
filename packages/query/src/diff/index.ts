// The face of the aligned comparison.
export { CLASSES, type DiffClass, IGNORABLE, type Ignorable } from './classes.ts';
export { RESOURCES } from './dependence.ts';
export {
  type AlignRow,
  type Diff,
  type DiffOptions,
  type DiffSide,
  diffTraces,
  type Example,
  type Half,
} from './diff.ts';
export { type DiffRule, parseRules, readRules } from './rules.ts';
