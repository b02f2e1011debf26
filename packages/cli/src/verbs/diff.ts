// `gictrace diff A B`: aligns two traces and reports what differs.
import { GicTraceError } from '@gictrace/core';
import {
  type Diff,
  type DiffOptions,
  diffTraces,
  IGNORABLE,
  type Ignorable,
  makeDiffDatabase,
  overview,
  readRules,
} from '@gictrace/query';
import type { Command } from 'commander';
import { FORCE, json, note, print, wholeNumber } from '../context.ts';
import { Progress } from '../progress.ts';
import { diffMarkdown, diffText } from './diff-text.ts';

interface Options {
  readonly force?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly output?: string;
  readonly ignore?: readonly Ignorable[];
  readonly rules?: string;
  readonly rename?: boolean;
  readonly repeats?: boolean;
  readonly events?: boolean;
  readonly keep: number;
}

/** The classes that `--ignore` names. */
export function ignored(text: string): Ignorable[] {
  return text.split(',').map((part) => {
    const name = IGNORABLE.find((one) => one === part.trim());
    if (name === undefined)
      throw new GicTraceError(
        'usage',
        `--ignore does not know '${part.trim()}'`,
        {},
        `it takes ${IGNORABLE.join(', ')}; for others, write a rule with a reason (--rules)`,
      );
    return name;
  });
}

export function addDiff(program: Command, exit: (code: number) => void): void {
  program
    .command('diff')
    .summary('align two traces and report what differs')
    .description(
      'Aligns the records of two traces and classifies each difference: the record is only in one trace; it is changed; it has moved past records with which it commutes (legal) or past one on which it depends (illegal); or only its time differs. Exit code 0: the traces are the same; 1: they differ.',
    )
    .argument('<a>', 'a trace')
    .argument('<b>', 'the trace to compare it with')
    .option(
      '--ignore <class,...>',
      `tolerate differences of these classes, but count them: ${IGNORABLE.join(', ')}`,
      ignored,
    )
    .option(
      '--rules <file>',
      'tolerate what the rules in the file name, each with its reason (YAML or JSON; docs/diff.md)',
    )
    .option('--rename', 'take addresses, LPIs and DeviceIDs as the same if they are only permuted')
    .option('--repeats', 'also compare repeated observables of a PE, and each read of a polling loop')
    .option('--events', 'also compare events (what happened inside the GIC), if the traces contain them')
    .option('--keep <n>', 'differences of each class to print', wholeNumber('--keep', 0, 1000), 1)
    .option('-o, --output <db>', 'keep the alignment in a database, for SQL')
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .option('--markdown', 'answer as Markdown')
    .addHelpText(
      'after',
      `
Examples:
  gictrace diff good.gictrace bad.gictrace
  gictrace diff run1.gictrace run2.gictrace --rename --ignore timing,reordered-legal
  gictrace diff a.gictrace b.gictrace -o diff.db && gictrace query diff.db "SELECT class, subject, count(*) FROM align GROUP BY 1, 2"
`,
    )
    .action((a: string, b: string, options: Options) => {
      if (options.json && options.markdown)
        throw new GicTraceError('usage', '--json and --markdown exclude each other');
      const progress = new Progress('records');
      const of: DiffOptions = {
        ignore: options.ignore ?? [],
        rules: options.rules === undefined ? [] : readRules(options.rules),
        rename: options.rename === true,
        keepRepeats: options.repeats === true,
        events: options.events === true,
        keep: options.keep,
        progress: (records) => progress.update(records),
      };
      try {
        const { output } = options;
        const diff: Diff =
          output === undefined
            ? diffTraces(a, b, of)
            : makeDiffDatabase(output, a, b, { ...of, force: options.force === true });
        progress.end();
        const matters = diff.same ? [] : overview(a, b, (records) => progress.update(records));
        progress.end();
        if (options.json) print(json({ ...diff, overview: matters }));
        else for (const line of options.markdown ? diffMarkdown(diff) : diffText(diff, matters)) print(line);
        if (output !== undefined) note(`wrote ${output}`);
        exit(diff.same ? 0 : 1);
      } finally {
        progress.end();
      }
    });
}
