// gictrace adapter-test COMMAND: tests whether a process follows the adapter protocol, and what its GIC does.
import { GicTraceError } from '@gictrace/core';
import { FEATURES } from '@gictrace/core/conformance';
import { PROFILES } from '@gictrace/core/profile';
import { type BehaviourResult, type CheckResult, checkProtocol, tryBehaviours } from '@gictrace/replayer';
import type { Command } from 'commander';
import { grouped, json, print, VERSION, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';

interface Options {
  readonly profile: string;
  readonly timeout: number;
  readonly behaviours: boolean;
  readonly all?: boolean;
  readonly json?: boolean;
}

const MARKS = { passed: 'passed', failed: 'FAILED', 'not applicable': '–' } as const;

export function addAdapterTest(program: Command, exit: (code: number) => void): void {
  program
    .command('adapter-test')
    .summary('test an adapter: the protocol, and what its GIC does')
    .description(
      'Tests whether an adapter (docs/adapter.md) follows the protocol, and which behaviours of the conformance suite are the same on its GIC as on the simulator. Exit code 0: all passed and none differs; 1: something failed or differs; 3: the adapter cannot be run.',
    )
    .argument('<command>', 'the command that starts the adapter, run by the shell')
    .option(
      '--profile <profile>',
      `profile of the simulator to compare with: ${Object.keys(PROFILES).join(', ')}`,
      'architecture',
    )
    .option(
      '--timeout <seconds>',
      'an adapter that sends nothing for this long has failed',
      wholeNumber('--timeout', 1, 3600),
      10,
    )
    .option('--no-behaviours', 'test the protocol only')
    .option('--all', 'list every behaviour')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace adapter-test ./my-gic\n')
    .action(async (command: string, options: Options) => {
      if (!Object.hasOwn(PROFILES, options.profile))
        throw new GicTraceError(
          'usage',
          `there is no profile '${options.profile}'`,
          {},
          `profiles: ${Object.keys(PROFILES).join(', ')}`,
        );
      const settings = { version: VERSION, timeoutMs: 1000 * options.timeout, profile: options.profile };
      const { capabilities, results } = await checkProtocol(command, settings);
      const behaviours: BehaviourResult[] = [];
      const progress = new Progress('behaviours');
      try {
        if (options.behaviours)
          for await (const one of tryBehaviours(command, settings)) {
            behaviours.push(one);
            progress.update(behaviours.length);
          }
      } finally {
        progress.end();
      }
      const bad =
        results.some(({ result }) => result === 'failed') ||
        behaviours.some(({ result }) => result === 'differs');
      if (options.json) print(json({ adapter: capabilities, protocol: results, behaviours }));
      else {
        const { name, version, stimuli, observables, events, snapshots } = capabilities;
        print(`${name} ${version}: takes ${stimuli.join(', ')}`);
        print(
          `shows ${[...observables, events.length > 0 && `${events.length} kinds of events`].filter(Boolean).join(', ') || 'nothing'}; ${snapshots === 0 ? 'no snapshots' : `${snapshots} snapshots`}`,
        );
        print(['', 'protocol:', ...results.map(line)].join('\n'));
        if (behaviours.length > 0)
          print(['', ...behaviourLines(behaviours, options.all === true)].join('\n'));
      }
      exit(bad ? 1 : 0);
    });
}

function line({ name, result, detail }: CheckResult): string {
  return `  ${MARKS[result].padEnd(6)}  ${name}${detail === '' ? '' : ` (${detail})`}`;
}

function behaviourLines(all: readonly BehaviourResult[], list: boolean): string[] {
  const count = (of: readonly BehaviourResult[], wanted: BehaviourResult['result']) =>
    of.filter(({ result }) => result === wanted).length;
  const columns = ['same', 'differs', 'not tried'] as const;
  const row = (name: string, of: readonly BehaviourResult[]) =>
    `  ${name.padEnd(24)}${columns.map((column) => grouped(count(of, column)).padStart(11)).join('')}`;
  const lines = [`${'behaviours:'.padEnd(26)}${columns.map((column) => column.padStart(11)).join('')}`];
  for (const feature of FEATURES) {
    const own = all.filter((one) => one.feature === feature);
    if (own.length > 0) lines.push(row(feature, own));
  }
  lines.push(row('all', all));
  const shown = list ? all : all.filter(({ result }) => result === 'differs');
  if (shown.length > 0) lines.push('');
  for (const { id, title, result, detail } of shown)
    lines.push(`  ${result}: ${id}: ${title}`, ...(detail === '' ? [] : [`      ${detail}`]));
  if (!list) {
    const reasons = new Map<string, number>();
    for (const { result, detail } of all)
      if (result === 'not tried')
        for (const reason of detail.replace(/^skipped: /, '').split('; '))
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const sorted = [...reasons].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    if (sorted.length > 0)
      lines.push(
        '',
        'not tried, for these reasons (one may have several):',
        ...sorted.map(([why, n]) => `  ${`${n}`.padStart(3)}  ${why}`),
      );
  }
  return lines;
}
