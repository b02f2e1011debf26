// The public interface of the aligned comparison.

export { CLASSES, type DiffClass, IGNORABLE, type Ignorable } from './classes.ts';
export { DIFF_TABLES, makeDiffDatabase } from './database.ts';
export { RESOURCES } from './dependence.ts';
export { diffTraces } from './diff.ts';
export { type OverviewRow, overview } from './overview.ts';
export { dependenceReference } from './reference.ts';
export type { AlignRow, Diff, DiffExample, DiffOptions, DiffSide, Half, SubjectRow } from './result.ts';
export { type DiffRule, parseRules, readRules } from './rules.ts';
