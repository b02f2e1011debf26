// `gictrace scenarios`: lists the scenarios that ship with gictrace.
import { libraryPath, libraryScenarios, readScenario } from '@gictrace/recorder';
import type { Command } from 'commander';
import { grouped, json, print } from '../context.ts';

export function addScenarios(program: Command): void {
  program
    .command('scenarios')
    .description('list the scenarios that ship: `record` and `compare` take their names')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace scenarios && gictrace compare storm\n')
    .action((options: { json?: boolean }) => {
      const list = libraryScenarios().map((name) => {
        const path = libraryPath(name);
        const scenario = readScenario(path);
        return { name, title: scenario.name, operations: scenario.operations.length, path };
      });
      if (options.json) print(json(list));
      else
        for (const { name, title, operations } of list)
          print(`${name}  ${title} (${grouped(operations)} operations)`);
    });
}
