// Checks for software errors that cause no visible failure.
export { Checker, type CheckerOptions, Checks } from './checker.ts';
export type { SourceFacts } from './context.ts';
export type { Finding, Moment, Related } from './finding.ts';
export { Gicv5Checks } from './gicv5.ts';
export { CHECKS, type CheckName, type CheckRule, type Severity, sourceOfCheck } from './rules.ts';
export { GICV5_CHECKS } from './rules-gicv5.ts';
