// The claims of the mailing-list discussions, and what decides them.
export { type Claim, DISCUSSIONS, decide, sqlOf, type Thread, type Verdict } from './claim.ts';
export { CLAIMS } from './claims.ts';
export { CODE_CLAIMS, type CodeClaim } from './code-claims.ts';
export type { Mutant } from './mutant.ts';
export { type Ask, type Cell, measure, type Outcome, PREDICTIONS, type Prediction } from './predictions.ts';
export { STATEMENTS, type Statement } from './statements.ts';
