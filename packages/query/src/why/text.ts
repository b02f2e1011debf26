// An answer as lines of text. The first three name what decided.
import type { Answer, Finding, Named, Step } from './question.ts';

function seconds(ns: number): string {
  return `+${(ns / 1e9).toFixed(6)}s`;
}

function duration(ns: number): string {
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(3)} s`;
  return ns >= 1e6 ? `${(ns / 1e6).toFixed(3)} ms` : `${(ns / 1e3).toFixed(1)} us`;
}

/** `record 1180 (line 3300, +1.2s)`. */
function place({ record, line, timeNs }: Named): string {
  const parts = [line === null ? '' : `line ${line}`, timeNs === null ? '' : seconds(timeNs)].filter(Boolean);
  return `record ${record}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`;
}

function lasted({ from, to, fromNs, toNs }: Finding): string {
  const end = to === null ? 'the end of the trace' : `record ${to}`;
  const time = fromNs === null || toNs === null ? '' : `, ${duration(toNs - fromNs)}`;
  return `from record ${from} to ${end}${time}`;
}

function times(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/** What became of the messages of a finding. */
const MESSAGES: Readonly<Record<string, string>> = {
  dropped: 'dropped',
  'not in the source': 'of which the source does not say what became of them',
};

function harm(finding: Finding): string {
  const parts = [
    finding.lost === 0
      ? ''
      : finding.kind === 'SGI to no PE'
        ? times(finding.lost, 'write')
        : finding.kind === 'another INTID'
          ? `${times(finding.lost, 'message')} translated to another ${finding.reason === 'VMAPTI' ? 'vPE' : 'INTID'}`
          : MESSAGES[finding.kind] !== undefined
            ? `${times(finding.lost, 'message')} ${MESSAGES[finding.kind]}`
            : `${times(finding.lost, 'lifetime')} without an acknowledge`,
    finding.contradicted === 0
      ? ''
      : `the source acknowledges it ${times(finding.contradicted, 'time')} all the same`,
  ].filter(Boolean);
  return parts.length === 0 ? lasted(finding) : `${parts.join('; ')}, ${lasted(finding)}`;
}

/** One line about a finding that is not the main one. */
function other(finding: Finding): string {
  const by = finding.cause === null ? finding.why : `record ${finding.cause.record} ${finding.why}`;
  return `${finding.kind === 'blocked' ? finding.reason : `${finding.kind} (${finding.reason})`}: ${by}; ${harm(finding)}`;
}

function stepText({ stage, state, at, text }: Step): string {
  const mark = { passed: 'ok', open: 'ok', blocked: 'NO', 'not reached': '--', 'not in the source': '? ' }[
    state
  ];
  const record = at === null ? '' : `${at.record}`;
  const what = [text, at === null || state === 'open' ? '' : at.text].filter(Boolean).join(' | ');
  return `  ${mark} ${record.padStart(9)}  ${stage.padEnd(24)}${what}`.trimEnd();
}

/** The answer in lines. With `brief`, without the way. */
export function answerLines(answer: Answer, brief = false): string[] {
  const { finding, counterfactual, changed, others, way, counts, notes } = answer;
  const lines = [`${answer.subject}: ${answer.headline}`];
  if (finding === null && changed.length > 0)
    lines.push(`  ${changed.map((one) => `${place(one)} ${one.what}`).join('; ')}`);
  if (finding !== null) {
    const named = [...(finding.cause === null ? [] : [finding.cause]), ...finding.also];
    lines.push(
      named.length === 0
        ? `  ${harm(finding)}`
        : `  ${named.map((one) => `${place(one)} ${one.text}`).join('; then ')}`,
    );
    const since = [
      ...changed.map((one) => `${place(one)} ${one.what}`),
      ...others.slice(0, 1).map((one) => other(one)),
    ];
    if (since.length > 0) lines.push(`  also: ${since.join('; ')}`);
    if (named.length > 0) lines.push(`  ${harm(finding)}`);
    if (finding.meaning !== '') lines.push(`  ${finding.reason}: ${finding.meaning}`);
    if (finding.opens !== null) lines.push(`  would open it: ${finding.opens}`);
  }
  if (counterfactual !== null) lines.push(`  checked: ${counterfactual.text}`);
  for (const one of others.slice(1)) lines.push(`  also: ${other(one)}`);
  for (const note of notes) lines.push(`  note: ${note}`);
  lines.push(
    `  in the trace: ${times(counts.lifetimes, 'lifetime')}, ${counts.acknowledged} acknowledged${counts.messages === 0 ? '' : `; ${times(counts.messages, 'message')}, ${counts.dropped} dropped`}`,
  );
  if (!brief && way.length > 0) lines.push('  way:', ...way.map(stepText));
  return lines;
}
