// Results of golden cases for CI: JUnit XML, GitHub's annotations, and the summary of a step.
import { appendFileSync } from 'node:fs';
import { junitXml } from '../junit.ts';
import { diffMarkdown } from '../verbs/diff-text.ts';
import type { CaseResult } from './run.ts';

/** GitHub shows ten annotations of each kind per step; the rest goes to the summary. */
export const ANNOTATIONS_MAX = 10;

/** JUnit XML of one suite; `detail` gives the text for each case that is not the same. */
export function junit(results: readonly CaseResult[], detail: (result: CaseResult) => string): string {
  const cases = results.map((result) => ({
    name: result.case.name,
    seconds: result.seconds,
    ...(result.status === 'same'
      ? {}
      : {
          problem: {
            tag: result.status === 'failed' ? ('error' as const) : ('failure' as const),
            type: result.status,
            message: result.message,
            text: detail(result),
          },
        }),
  }));
  return junitXml('gictrace golden', 'golden', cases);
}

/** Escapes text for one of GitHub's workflow commands. */
const escaped = (text: string) => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
const property = (text: string) => escaped(text).replace(/:/g, '%3A').replace(/,/g, '%2C');

/** Annotations for the worst results, and one that counts the rest. */
export function annotations(worst: readonly CaseResult[]): string[] {
  const bad = worst.filter((result) => result.status !== 'same');
  const shown = bad.length > ANNOTATIONS_MAX ? bad.slice(0, ANNOTATIONS_MAX - 1) : bad;
  const lines = shown.map(
    (result) =>
      `::error file=${property(result.case.place)},title=${property(`golden ${result.case.name}: ${result.status}`)}::${escaped(result.message)}`,
  );
  if (shown.length < bad.length)
    lines.push(`::error title=golden::${bad.length - shown.length} more: see the summary of this step`);
  return lines;
}

/** The summary of a step as Markdown, with the differences of the worst few cases in full. */
export function summary(worst: readonly CaseResult[], full: number): string {
  const bad = worst.filter((result) => result.status !== 'same');
  const out = [
    `## gictrace golden: ${bad.length === 0 ? 'all' : worst.length - bad.length} of ${worst.length} cases the same`,
    '',
  ];
  if (bad.length > 0) out.push('| case | status | |', '| --- | --- | --- |');
  for (const { case: one, status, message } of bad)
    out.push(`| ${one.name} | ${status} | ${message.replaceAll('|', '\\|')} |`);
  for (const { case: one, diff } of bad.filter((result) => result.diff !== null).slice(0, full))
    out.push('', `### ${one.name}`, '', ...diffMarkdown(diff!));
  return `${out.join('\n')}\n`;
}

/** Appends to the summary of the step, if there is one. */
export function writeSummary(worst: readonly CaseResult[], full: number): void {
  const path = process.env.GITHUB_STEP_SUMMARY;
  if (path !== undefined && path !== '') appendFileSync(path, summary(worst, full));
}
