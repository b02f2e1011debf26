// `gictrace check TRACE`: reports software errors that cause no visible failure.
import { GicTraceError } from '@gictrace/core';
import { CHECKS, Checker, type CheckName, type Finding, sourceOfCheck } from '@gictrace/core/check';
import { sourceFacts, TraceReader } from '@gictrace/recorder';
import type { Command } from 'commander';
import { grouped, json, print, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';

interface Options {
  readonly rule?: readonly string[];
  readonly keep: number;
  readonly json?: boolean;
}

function duration(ns: number): string {
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(3)} s`;
  return ns >= 1e6 ? `${(ns / 1e6).toFixed(3)} ms` : `${(ns / 1e3).toFixed(1)} us`;
}

function place(at: { record: number; line: number; timeNs: number }): string {
  const parts = [`record ${at.record}`];
  if (at.line > 0) parts.push(`line ${at.line}`);
  if (!Number.isNaN(at.timeNs)) parts.push(`${(at.timeNs / 1e9).toFixed(6)} s`);
  return parts.join(', ');
}

function lines(finding: Finding): string[] {
  const { rule, at, pe, text, related, lastedNs } = finding;
  const who = pe >= 0 ? ` PE${pe}` : '';
  const lasted = lastedNs === null ? '' : ` [${duration(lastedNs)}]`;
  return [
    `${CHECKS[rule].severity} ${rule} at ${place(at)}:${who} ${text}${lasted}`,
    ...related.map((one) => `    ${place(one)}: ${one.text}`),
  ];
}

function named(rules: readonly string[]): ReadonlySet<string> {
  for (const rule of rules)
    if (!Object.hasOwn(CHECKS, rule))
      throw new GicTraceError(
        'usage',
        `no check is called '${rule}'`,
        {},
        `checks: ${Object.keys(CHECKS).join(', ')}`,
      );
  return new Set(rules);
}

/** The form for JSON: times that the source does not contain are null. */
function plain(finding: Finding): unknown {
  const moment = ({ record, line, timeNs }: { record: number; line: number; timeNs: number }) => ({
    record,
    line: line > 0 ? line : null,
    timeNs: Number.isNaN(timeNs) ? null : timeNs,
  });
  return {
    rule: finding.rule,
    severity: CHECKS[finding.rule].severity,
    ...moment(finding.at),
    pe: finding.pe < 0 ? null : finding.pe,
    text: finding.text,
    lastedNs: finding.lastedNs,
    related: finding.related.map((one) => ({ ...moment(one), text: one.text })),
  };
}

export function addCheck(program: Command, exit: (code: number) => void): void {
  program
    .command('check')
    .summary('report software errors that cause no visible failure')
    .description(
      'Runs the stimuli of a trace on the simulator and reports lost doorbells, stranded interrupts, commands that failed, registers that were not polled, and the like (docs/check.md). Exit code 0: no error and no warning; 1: some.',
    )
    .argument('<trace>', 'the trace')
    .option('--rule <name>', 'report only this check; may be repeated', (name: string, names?: string[]) => [
      ...(names ?? []),
      name,
    ])
    .option(
      '--keep <n>',
      'findings to print for each check; the others are counted',
      wholeNumber('--keep', 1, 1_000_000),
      1000,
    )
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace check boot.gictrace\n')
    .action((path: string, options: Options) => {
      const rules = options.rule === undefined ? undefined : named(options.rule);
      const progress = new Progress('records');
      const reader = TraceReader.openAny(path);
      try {
        const checker = new Checker(reader.header.config, {
          ...sourceFacts(reader.header),
          keep: options.keep,
        });
        for (const { batch, first } of reader.batches()) {
          checker.take(batch);
          progress.update(first + batch.count);
        }
        const wanted = (rule: CheckName) => rules === undefined || rules.has(rule);
        const findings = checker.finish().filter((finding) => wanted(finding.rule));
        const counts = [...checker.counts]
          .filter(([rule]) => wanted(rule))
          .sort(([a], [b]) => (a < b ? -1 : 1));
        progress.end();
        const bad = counts.some(([rule]) => CHECKS[rule].severity !== 'note');
        if (options.json)
          print(
            json({
              findings: findings.map(plain),
              counts: Object.fromEntries(counts),
              unknownCommands: checker.unknownCommands,
              rules: CHECKS,
            }),
          );
        else {
          for (const finding of findings) for (const line of lines(finding)) print(line);
          if (counts.length === 0)
            print(`CLEAN: nothing found by ${rules?.size ?? Object.keys(CHECKS).length} checks`);
          for (const [rule, n] of counts) {
            const shown = findings.filter((finding) => finding.rule === rule).length;
            const rest = n > shown ? `, ${grouped(n - shown)} not shown` : '';
            const { severity, doc, hint } = CHECKS[rule];
            print(`${grouped(n)}  ${rule} (${severity})${rest}: ${doc}`);
            print(`    What to do: ${hint} (${sourceOfCheck(rule)})`);
          }
          if (checker.unknownCommands > 0)
            print(
              `${grouped(checker.unknownCommands)}  ITS commands that the source does not show: what they may have changed is not checked`,
            );
        }
        exit(bad ? 1 : 0);
      } finally {
        progress.end();
        reader.close();
      }
    });
}
