// `gictrace claims`: measures what the mailing-list discussions claim about the designs.
import { GicTraceError } from '@gictrace/core';
import { CLAIMS, CODE_CLAIMS, DISCUSSIONS, decide, sqlOf, type Verdict } from '@gictrace/query';
import type { Command } from 'commander';
import { json, print } from '../context.ts';
import { Progress } from '../progress.ts';

interface Options {
  readonly json?: boolean;
}

function text({ claim, found, holds }: Verdict): string {
  const lines = [`${holds ? 'holds' : 'DOES NOT HOLD'}  ${claim.name}: ${claim.says}`];
  const code = CODE_CLAIMS[claim.name];
  if (code !== undefined) lines.push(`  about code, held against ${code.source}`);
  lines.push(
    `  ${DISCUSSIONS[claim.thread]}${claim.quote === '' ? '' : `: "${claim.quote}"`}`,
    `  ${sqlOf(claim)}`,
  );
  const [with_, without] = [true, false].map((is) =>
    [...found]
      .filter(([, rows]) => rows.length > 0 === is)
      .map(([subject, rows]) => (is ? `${subject} (${rows.length})` : subject))
      .join(', '),
  );
  lines.push(`  found on: ${with_ || 'none'}`, `  not on: ${without || 'none'}`);
  return lines.join('\n');
}

export function addClaims(program: Command): void {
  program
    .command('claims')
    .summary('measure what the mailing-list discussions claim about the designs')
    .description(
      'Runs the scenario of each claim on the designs that it concerns, and then its query. docs/claims.md has the results. The queries are views of every database that `gictrace compare -o` makes.',
    )
    .argument('[name...]', 'names of claims; all if none is given')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace claims isolation two-commands\n')
    .action((names: readonly string[], options: Options) => {
      const unknown = names.find((name) => !CLAIMS.some((claim) => claim.name === name));
      if (unknown !== undefined)
        throw new GicTraceError(
          'usage',
          `there is no claim '${unknown}'`,
          {},
          `claims: ${CLAIMS.map((claim) => claim.name).join(', ')}`,
        );
      const progress = new Progress('claims');
      const asked = CLAIMS.filter((claim) => names.length === 0 || names.includes(claim.name));
      const verdicts = asked.map((claim, n) => {
        progress.update(n);
        return decide(claim);
      });
      progress.end();
      if (!options.json) print(verdicts.map(text).join('\n\n'));
      else
        print(
          json(
            verdicts.map(({ claim, scenarios, found, holds }) => ({
              name: claim.name,
              thread: DISCUSSIONS[claim.thread],
              quote: claim.quote,
              says: claim.says,
              about: Object.hasOwn(CODE_CLAIMS, claim.name) ? 'code' : 'behaviour',
              scenarios,
              sql: sqlOf(claim),
              accused: claim.accused,
              cleared: claim.cleared,
              found: Object.fromEntries(found),
              holds,
            })),
          ),
        );
    });
}
