// `gictrace diff A B`: what differs between two traces, aligned.
import { GicTraceError } from '@gictrace/core';
import {
  type Diff,
  type DiffOptions,
  diffTraces,
  IGNORABLE,
  type Ignorable,
  makeDiffDatabase,
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
        `classes that it takes: ${IGNORABLE.join(', ')}; for others write a rule with a reason (--rules)`,
      );
    return name;
  });
}

export function addDiff(program: Command, exit: (code: number) => void): void {
  program
    .command('diff')
    .summary('say what differs between two traces, aligned')
    .description(
      'Aligns the records of two traces and classifies each difference: only in one, changed, moved among records with which it commutes (legal) or across one on which it depends (illegal), or at another time only. Exit code 0: the same; 1: they differ.',
    )
    .argument('<a>', 'a trace')
    .argument('<b>', 'the trace to hold against it')
    .option('--ignore <class,...>', `let classes pass, counted: ${IGNORABLE.join(', ')}`, ignored)
    .option('--rules <file>', 'let pass what rules name, each with its reason (YAML or JSON; docs/diff.md)')
    .option('--rename', 'take addresses, LPIs and DeviceIDs that only permute for the same')
    .option('--repeats', 'compare repeats of what a PE is told, and each read of a polling loop')
    .option('--events', 'compare events too: what happened inside the GIC, where a trace holds it')
    .option('--keep <n>', 'differences of each class to show', wholeNumber('--keep', 0, 1000), 1)
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
        if (options.json) print(json(diff));
        else for (const line of options.markdown ? diffMarkdown(diff) : diffText(diff)) print(line);
        if (output !== undefined) note(`wrote ${output}`);
        exit(diff.same ? 0 : 1);
      } finally {
        progress.end();
      }
    });
}
