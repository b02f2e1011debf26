// The public API of the `gictrace` package: `main` runs one command line and returns its exit code.
/// <reference types="node" preserve="true" />
import { EXIT_CODES } from '@gictrace/core';
import { Command } from 'commander';
import { VERSION } from './context.ts';
import { reportFailure } from './failure.ts';

export { reportFailure } from './failure.ts';

import { mayWrite, namedFiles } from './named-files.ts';
import { outputTaken, pageOutput, pagerLeft, watchOutput } from './streams.ts';
import { commonOptions, screenOf } from './terminal/screen.ts';
import { verbsFor } from './verbs.ts';

const EXAMPLES = `
Examples:
  gictrace import qemu trace.log.gz -o boot.gictrace
  gictrace record storm -o storm.gictrace --on its
  gictrace scenarios
  gictrace replay boot.gictrace
  gictrace replay boot.gictrace --on 'exec:./my-gic'
  gictrace adapter-test ./my-gic
  gictrace check boot.gictrace
  gictrace why boot.gictrace --intid 27 --pe 1
  gictrace step boot.gictrace --at 1000
  gictrace compare boot.gictrace --on its,direct-lpi,mbi
  gictrace claims isolation
  gictrace diff good.gictrace bad.gictrace --ignore timing
  gictrace golden check cases --junit golden.xml
  gictrace info boot.gictrace
  gictrace dump boot.gictrace --from 1000 --to 1020
  gictrace recover boot.gictrace.partial -o boot.gictrace
  gictrace report boot.gictrace -o boot.html
  gictrace export boot.gictrace --to perfetto -o boot.pftrace
  gictrace load boot.gictrace -o boot.db
  gictrace query boot.db "SELECT op, count(*) FROM its_commands GROUP BY op"
  gictrace shell boot.db
  gictrace backends --profiles
  gictrace fuzz --on qemu --seeds 10
  gictrace bisect boot.gictrace --on simulator@qemu-7.2 simulator@qemu-11.1
  gictrace minimize boot.gictrace --on simulator@qemu-11.1 -o small.gictrace --emit vitest
  gictrace batch traces.txt --junit replay.xml -- replay
  gictrace doctor

Exit codes: 0 same or done; 1 diverged, differs or found; 2 usage or unreadable input; 3 a backend, a tool or the system
failed; 4 bad trace; 70 a bug in gictrace. --debug prints the stack of a bug.
`;

/** Runs a command line (without node and script) and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let isDebug = false;
  let release: (() => void) | undefined;
  try {
    const { own, common } = commonOptions(args);
    ({ isDebug } = common);
    const screen = screenOf(own, common, process.stdout.isTTY === true, process.env);
    watchOutput(screen);
    if (screen.mayPage) await startPaging();
    // What writes nothing need not load what handles signals.
    release = mayWrite(own) ? await guarded(own) : undefined;
    const code = await run(own);
    await outputTaken();
    return code;
  } catch (error) {
    // What went wrong is said below the pager, not on its screen.
    await pagerLeft().catch(() => undefined);
    return reportFailure(error, isDebug);
  } finally {
    release?.();
  }
}

async function startPaging(): Promise<void> {
  const { Pager, pagerCommand } = await import('./terminal/pager.ts');
  const command = pagerCommand(process.env);
  if (command !== undefined) pageOutput(() => new Pager(command));
}

/** Handles signals while an output is open, and keeps inputs from being written. Returns what ends that. */
async function guarded(args: readonly string[]): Promise<() => void> {
  const { guardOutputs } = await import('./interrupt.ts');
  const { beginCommand } = await import('@gictrace/recorder/output');
  const ends = [guardOutputs(args), beginCommand(namedFiles(args))];
  return () => {
    for (const end of ends) end();
  };
}

async function run(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('gictrace')
    .description('Records, replays and queries traces of the Arm Generic Interrupt Controller.')
    .version(VERSION)
    .helpCommand('help [verb]', 'help for a verb')
    .option('--debug', 'print the stack of an unexpected error')
    .option('--color [when]', 'colours: --color=auto (at a terminal; NO_COLOR, FORCE_COLOR), always, never')
    .option('--no-pager', 'print a long answer at once: no $PAGER (less -FRX) at a terminal')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'gictrace: ')) })
    .addHelpText('after', EXAMPLES);
  for (const load of verbsFor(args[0]))
    (await load())(program, (exit) => {
      code = exit;
    });
  for (const verb of program.commands)
    for (const one of [verb, ...verb.commands]) one.exitOverride().configureOutput(program.configureOutput());
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return EXIT_CODES.usage;
  }
  await program.parseAsync([...args], { from: 'user' });
  return code;
}
