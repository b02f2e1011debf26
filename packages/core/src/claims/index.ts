// What the threads claim, measured.
export { CLAIMS, type Claim, decide, THREADS, type Verdict } from './claims.ts';
