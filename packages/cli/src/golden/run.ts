// Runs golden cases: makes the trace of each anew and holds it against the golden one. Writes only where it is told to.
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { GicTraceError, recordText } from '@gictrace/core';
import { type Diff, diffTraces, readRules } from '@gictrace/query';
import { importToTrace, readScenario, TraceReader } from '@gictrace/recorder';
import { designNamed, recordScenario, replayTrace } from '@gictrace/replayer';
import { VERSION } from '../context.ts';
import type { GoldenCase } from './cases.ts';

/**
 * - `same`: nothing differs that is not let pass.
 * - `differs`: the trace is another than the golden one.
 * - `stale`: the traces agree, but the text is not that of the golden trace.
 * - `missing`: there is no golden trace, or no text.
 * - `obsolete`: golden files whose scenario or recording is gone.
 * - `failed`: the trace could not be made, or the golden one not be read.
 */
export const STATUSES = ['failed', 'differs', 'missing', 'obsolete', 'stale', 'same'] as const;
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

/** Records that the text form shows. */
const TEXT_RECORDS_MAX = 5000;

/** A trace as people review it: one record a line, without numbers and times, so that a change moves nothing. */
export function textOf(path: string): string {
  const reader = TraceReader.open(path);
  try {
    const lines: string[] = [];
    let more = 0;
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count; i++) {
        if (lines.length < TEXT_RECORDS_MAX) lines.push(recordText(batch, i).replace(/^\S+ /, ''));
        else more++;
      }
    if (more > 0) lines.push(`… and ${more} records more; all together: ${reader.footer!.semanticDigest}`);
    return `${lines.join('\n')}\n`;
  } finally {
    reader.close();
  }
}

/** Makes the trace of a case at `output`. */
async function make({ input, kind, options }: GoldenCase, output: string): Promise<void> {
  if (kind === 'scenario') {
    recordScenario(readScenario(input!), designNamed(options.on ?? 'its'), output, {
      version: VERSION,
      source: basename(input!),
    });
    return;
  }
  const [name, profile] = (options.on ?? '').split('@') as [string, string | undefined];
  if (options.on !== undefined && name !== 'simulator')
    throw new GicTraceError(
      'usage',
      `a recording cannot be replayed on '${options.on}'`,
      {},
      'say simulator@PROFILE',
    );
  const imported = options.on === undefined ? output : `${output}.imported`;
  await importToTrace(input!, imported, { version: VERSION });
  if (options.on === undefined) return;
  replayTrace(imported, { version: VERSION, output, ...(profile === undefined ? {} : { profile }) });
  rmSync(imported);
}

/** Makes the trace of a case in a folder that is gone afterwards, and hands it to `work`. */
async function withTrace<T>(one: GoldenCase, work: (trace: string) => T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gictrace-golden-'));
  try {
    const trace = join(folder, 'new.gictrace');
    await make(one, trace);
    return work(trace);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Judged = Pick<CaseResult, 'status' | 'message' | 'diff' | 'differences'>;

/** Holds a trace against the golden one of a case. */
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
  const diff = diffTraces(one.trace, fresh, { rules, ignore, rename });
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
  if (readFileSync(one.text, 'utf8') !== textOf(one.trace))
    return plain('stale', `${basename(one.text)} is not the text of ${basename(one.trace)}`);
  return { ...plain('same', ''), diff };
}

/** Holds a case against its golden trace. Writes nothing beside it. */
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
    if (!(error instanceof GicTraceError)) throw error;
    return done({ status: 'failed', message: error.line, diff: null, differences: 0 });
  }
}

/** Makes the golden files of a case what its input gives now; of one whose input is gone, removes them. */
export async function updateCase(one: GoldenCase): Promise<void> {
  if (one.input === undefined) {
    for (const path of [one.trace, one.text]) rmSync(path, { force: true });
    return;
  }
  await withTrace(one, (trace) => {
    copyFileSync(trace, one.trace);
    writeFileSync(one.text, textOf(trace));
  });
}

/** Results, worst first: by status, then by the number of differences, then by name. */
export function worstFirst(results: readonly CaseResult[]): CaseResult[] {
  const rank = (result: CaseResult) => STATUSES.indexOf(result.status);
  return [...results].sort(
    (p, q) => rank(p) - rank(q) || q.differences - p.differences || (p.case.name < q.case.name ? -1 : 1),
  );
}
