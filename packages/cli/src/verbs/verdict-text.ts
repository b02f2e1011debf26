// Prints the verdict of a replay for people.
import { totalOf, verdictWord } from '@gictrace/core/record';
import { TOLERANCES, type Tolerance, type Verdict } from '@gictrace/replayer';
import { countLines, grouped } from '../context.ts';
import { sourceLines } from './source-text.ts';

/** The verdict as text. `kind`: the kind of the trace's source. */
export function verdictText(verdict: Verdict, backend: string, kind: string): string {
  const out = [
    `${verdictWord(verdict)}: ${grouped(verdict.records)} records replayed on ${backend}, ${grouped(totalOf(verdict.compared))} comparisons, ${grouped(verdict.diverged)} diverged`,
    ...sourceLines(verdict.start, verdict.missing, kind).map((line) => `the source ${line}`),
    'compared:',
    ...countLines(verdict.compared),
  ];
  if (verdict.diverged > 0) out.push('diverged:', ...countLines(verdict.divergedBy));
  if (verdict.identificationReads > 0)
    out.push(
      `  ${grouped(verdict.identificationReads)} of these only identify the implementation; --allow identification tolerates them`,
    );
  if (totalOf(verdict.unknown) > 0)
    out.push('not in the source (by rule or reason):', ...countLines(verdict.unknown));
  if (totalOf(verdict.tolerated) > 0)
    out.push(
      'tolerated differences:',
      ...Object.entries(verdict.tolerated).map(
        ([name, n]) => `  ${grouped(n)}  ${name}: ${TOLERANCES[name as Tolerance]}`,
      ),
    );
  if (totalOf(verdict.implementationChoices) > 0)
    out.push(
      'implementation-choice (differs, and is as right as what was recorded):',
      ...countLines(verdict.implementationChoices),
    );
  if (totalOf(verdict.skipped) > 0)
    out.push('skipped, and therefore not compared:', ...countLines(verdict.skipped));
  const { first, firstAnomaly } = verdict;
  if (firstAnomaly !== null)
    out.push(
      `guest actions that break the architecture's rules: ${grouped(verdict.anomalies)}, first at record ${firstAnomaly.record}${firstAnomaly.line === null ? '' : ` (line ${firstAnomaly.line})`}: ${firstAnomaly.text}`,
    );
  if (first !== null) {
    out.push(
      '',
      `first divergence: record ${first.record}${first.line === null ? '' : `, line ${first.line} of the source`} (${first.kind})`,
    );
    out.push(`  recorded: ${first.recorded}`, `  replayed: ${first.replayed}`);
    if (first.stimulus !== null)
      out.push(`  stimulus: record ${first.stimulus.record}: ${first.stimulus.text}`);
    if (first.suspect !== null)
      out.push(
        `  suspect: record ${first.suspect.record}${first.suspect.line === null ? '' : ` (line ${first.suspect.line})`}: ${first.suspect.text}`,
      );
    if (first.events.length > 0)
      out.push('  what the backend did:', ...first.events.map((text) => `    ${text}`));
    if (first.before.length > 0) out.push('  records before:', ...first.before.map((text) => `    ${text}`));
  }
  return out.join('\n');
}
