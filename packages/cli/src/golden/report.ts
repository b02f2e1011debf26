// Results of golden cases for CI: JUnit XML, GitHub's annotations, and the summary of a step.
import { appendFileSync } from 'node:fs';
import { diffMarkdown } from '../verbs/diff-text.ts';
import type { CaseResult } from './run.ts';

/** GitHub shows ten annotations of each kind per step; the rest goes to the summary. */
export const ANNOTATIONS_MAX = 10;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Escapes text for XML 1.0, which permits no control characters except tab and line ends. */
function xml(text: string): string {
  return text
    .replace(/[&<>"]/g, (c) => ENTITIES[c]!)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd');
}

/** JUnit XML of one suite; `detail` gives the text for each case that is not the same. */
export function junit(results: readonly CaseResult[], detail: (result: CaseResult) => string): string {
  const failed = results.filter((result) => result.status === 'failed').length;
  const bad = results.filter((result) => result.status !== 'same').length - failed;
  const time = results.reduce((sum, result) => sum + result.seconds, 0).toFixed(3);
  const out = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${results.length}" failures="${bad}" errors="${failed}" time="${time}">`,
    `  <testsuite name="gictrace golden" tests="${results.length}" failures="${bad}" errors="${failed}" time="${time}">`,
  ];
  for (const result of results) {
    const head = `    <testcase classname="golden" name="${xml(result.case.name)}" time="${result.seconds.toFixed(3)}"`;
    if (result.status === 'same') {
      out.push(`${head}/>`);
      continue;
    }
    const tag = result.status === 'failed' ? 'error' : 'failure';
    out.push(
      `${head}>`,
      `      <${tag} type="${result.status}" message="${xml(result.message)}">${xml(detail(result))}</${tag}>`,
      '    </testcase>',
    );
  }
  out.push('  </testsuite>', '</testsuites>', '');
  return out.join('\n');
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
