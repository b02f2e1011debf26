// gictrace step: a time machine over a trace, at a terminal or in a pipe.
import { createInterface } from 'node:readline';
import { EXIT_CODES } from '@gictrace/core';
import { TimeMachine } from '@gictrace/query';
import { TraceReader } from '@gictrace/recorder';
import type { Command } from 'commander';
import { note, wholeNumber } from '../context.ts';
import { StepSession } from '../step/session.ts';

interface Options {
  readonly at?: number;
  readonly watch?: string;
}

export function addStep(program: Command, exit: (code: number) => void): void {
  program
    .command('step')
    .summary('go through a trace step by step, forward and back')
    .description(
      'Runs a trace on the simulator stimulus by stimulus, forward and back, and prints what each does: the stimulus decoded, the observables (>) and changes of state (~) that it causes, what each PE is signalled, and what blocks a watched interrupt. Reads commands from standard input (docs/step.md); help lists them. Exit code 2: a command was not understood.',
    )
    .argument('<trace>', 'the trace')
    .option('--at <record>', 'begin at this record', wholeNumber('--at', 0, 2 ** 32 - 2))
    .option('--watch <intid>', 'watch this interrupt; of a GICv5 with its type, such as "PPI 27"')
    .addHelpText(
      'after',
      "\nExample:\n  gictrace step boot.gictrace --at 1000\n  echo 'find intid 27' | gictrace step boot.gictrace\n",
    )
    .action(async (path: string, { at, watch }: Options) => {
      const reader = TraceReader.openAny(path);
      try {
        const { records } = reader;
        const time = new TimeMachine({
          config: reader.header.config,
          records,
          batches: (from) => reader.batches(from),
        });
        const session = new StepSession(time, records, { write: (text) => process.stdout.write(text), note });
        if (watch !== undefined) session.watch([watch]);
        if (at !== undefined) session.take(`go ${at}`);
        const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
        const lines = createInterface({
          input: process.stdin,
          ...(isTerminal ? { output: process.stdout, prompt: 'step> ' } : {}),
          terminal: isTerminal,
        });
        lines.prompt();
        for await (const line of lines) {
          if (!session.take(line)) break;
          lines.prompt();
        }
        lines.close();
        if (session.failed && !isTerminal) exit(EXIT_CODES.usage);
      } finally {
        reader.close();
      }
    });
}
