// Runs golden cases: makes the trace of each again and compares it with the golden one. Only `updateCase` writes files.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { type Diff, diffTraces, readRules } from '@gictrace/query';
import { readText } from '@gictrace/recorder/input';
import { OutputFile, type Ownership } from '@gictrace/recorder/output';
import type { GoldenCase } from './cases.ts';
import { withTrace } from './make.ts';
import { textOf } from './text.ts';

/**
 * - `same`: there is no difference, or only differences that are tolerated.
 * - `differs`: the trace differs from the golden one.
 * - `blind`: a planted fault changes the trace, but the case tolerates every difference; or the case claims to cover a
 *   fault that it does not detect.
 * - `stale`: the traces agree, but the text is not the text of the golden trace.
 * - `missing`: there is no golden trace, or no text.
 * - `obsolete`: there are golden files, but their scenario or recording is gone.
 * - `failed`: the trace could not be made, or the golden one could not be read.
 */
export const STATUSES = ['failed', 'differs', 'blind', 'missing', 'obsolete', 'stale', 'same'] as const;
export type Status = (typeof STATUSES)[number];

export interface CaseResult {
  readonly case: GoldenCase;
  readonly status: Status;
  /** One line. */
  readonly message: string;
  readonly diff: Diff | null;
  readonly differences: number;
  readonly seconds: number;
}

type Judged = Pick<CaseResult, 'status' | 'message' | 'diff' | 'differences'>;

/** Compares a trace with the golden one of a case. */
export function judge(one: GoldenCase, fresh: string): Judged {
  const plain = (status: Status, message: string): Judged => ({
    status,
    message,
    diff: null,
    differences: 0,
  });
  const absent = [one.trace, one.text].filter((path) => !existsSync(path));
  if (absent.length > 0)
    return plain('missing', `there is no ${absent.map((path) => basename(path)).join(' and no ')}`);
  const rules = one.rules === undefined ? [] : readRules(one.rules);
  const { ignore = [], rename = false } = one.options;
  const found = diffTraces(one.trace, fresh, { rules, ignore, rename });
  // The trace of today is a temporary file, whose name says nothing and differs each time.
  const diff = { ...found, b: { ...found.b, path: `${one.name}, now` } };
  if (!diff.same) {
    const passed = diff.tolerated.reduce((sum, { n }) => sum + n, 0);
    const all = Object.entries(diff.counts)
      .filter(([name]) => name !== 'same' && name !== 'unknown')
      .reduce((sum, [, n]) => sum + n, diff.config.length);
    const first = diff.examples.find((example) => example.class !== 'unknown');
    const differences = all - passed;
    const where = first === undefined ? 'the configuration' : `first ${first.class}: ${first.subject}`;
    return {
      status: 'differs',
      message: `${differences} difference${differences === 1 ? '' : 's'}; ${where}`,
      diff,
      differences,
    };
  }
  if (readText(one.text, { code: 'usage' }) !== textOf(one.trace))
    return plain('stale', `${basename(one.text)} is not the text of ${basename(one.trace)}`);
  return { ...plain('same', ''), diff };
}

/** Compares a case with its golden trace. Writes nothing. */
export async function checkCase(one: GoldenCase): Promise<CaseResult> {
  const began = performance.now();
  const done = (judged: Judged): CaseResult => ({
    case: one,
    ...judged,
    seconds: (performance.now() - began) / 1000,
  });
  if (one.input === undefined)
    return done({
      status: 'obsolete',
      message: 'its scenario or recording is gone',
      diff: null,
      differences: 0,
    });
  try {
    return done(await withTrace(one, (trace) => judge(one, trace)));
  } catch (error) {
    // A fault of the system, such as a full disk, says nothing about the case.
    if (!(error instanceof GicTraceError) || error.code === 'backend') throw error;
    return done({ status: 'failed', message: error.line, diff: null, differences: 0 });
  }
}

/** A golden file: its name says that it is one, so that whatever has the name may be replaced. */
const GOLDEN: Ownership = { what: 'a golden file', recognises: () => true };

/** Writes a trace as the golden trace `golden`, and its text. */
export function writeGolden(trace: string, golden: string, text: string): void {
  mkdirSync(dirname(golden), { recursive: true });
  for (const [path, bytes] of [
    [golden, readFileSync(trace)],
    [text, Buffer.from(textOf(trace))],
  ] as const) {
    const out = new OutputFile(path, GOLDEN, { inputs: [trace] });
    try {
      out.write(bytes);
      out.commit();
    } catch (error) {
      out.discard();
      throw error;
    }
  }
}

/** Updates the golden files of a case from its input, or removes them if the input is gone. */
export async function updateCase(one: GoldenCase): Promise<void> {
  if (one.input === undefined) {
    for (const path of [one.trace, one.text]) rmSync(path, { force: true });
    return;
  }
  await withTrace(one, (trace) => {
    writeGolden(trace, one.trace, one.text);
  });
}

/** Results, worst first: by status, then by the number of differences, then by name. */
export function worstFirst(results: readonly CaseResult[]): CaseResult[] {
  const rank = (result: CaseResult) => STATUSES.indexOf(result.status);
  return [...results].sort(
    (p, q) => rank(p) - rank(q) || q.differences - p.differences || (p.case.name < q.case.name ? -1 : 1),
  );
}
