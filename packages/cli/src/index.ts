// The face of the `gictrace` package: `main` runs one command line and answers its exit code.
import { EXIT_CODES, GicTraceError } from '@gictrace/core';
import { Command, CommanderError } from 'commander';
import { InvalidOption, VERSION } from './context.ts';
import { verbsFor } from './verbs.ts';

const EXAMPLES = `
Examples:
  gictrace import qemu trace.log.gz -o boot.gictrace
  gictrace record storm -o storm.gictrace --on its
  gictrace replay boot.gictrace
  gictrace replay boot.gictrace --on 'exec:./my-gic'
  gictrace adapter-test ./my-gic
  gictrace check boot.gictrace
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
  gictrace doctor

Exit codes: 0 same or done, 1 diverged or differs, 2 usage, 3 a backend or tool failed, 4 bad trace.
`;

/** Runs a command line (without node and script) and answers the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0;
  // `gictrace dump … | head` closes the pipe: that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const program = new Command('gictrace')
    .description('Records, replays and queries traces of the Arm Generic Interrupt Controller.')
    .version(VERSION)
    .helpCommand('help [verb]', 'help for a verb')
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
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
    if (error instanceof InvalidOption) {
      process.stderr.write(`gictrace: ${error.message}\n`);
      return EXIT_CODES.usage;
    }
    if (error instanceof GicTraceError) {
      process.stderr.write(`gictrace: ${error.line}\n`);
      return EXIT_CODES[error.code];
    }
    throw error;
  }
}
