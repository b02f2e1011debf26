// Turns an error into one line on standard error and an exit code that says whose fault it was. Exit codes 0 and 1 are
// verdicts and are never returned here.
import { EXIT_CODES, FAULT_EXIT_CODE, GicTraceError } from '@gictrace/core';
import { CommanderError } from 'commander';
import { InvalidOption } from './context.ts';
import { printableLine } from './printable.ts';
import { sourceStack } from './stack.ts';

/** Messages of Node and better-sqlite3 for a native module that was built for another version of Node. */
const ABI = /NODE_MODULE_VERSION|Module did not self-register|was compiled against a different Node/;
/** Errors of the system, such as a lack of memory or processes. They are not bugs in gictrace. */
const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EIO: 'an input/output error',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  ENOMEM: 'out of memory',
  EAGAIN: 'the system is short of processes or memory',
};

/** Reports an error on standard error and returns the exit code. With `debug`, prints the stack of an unexpected error. */
export function reportFailure(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES.usage;
  const { message, code } = lineOf(error);
  process.stderr.write(`gictrace: ${printableLine(message)}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${sourceStack(error.stack ?? '')}\n`);
  return code;
}

function lineOf(error: unknown): { readonly message: string; readonly code: number } {
  if (error instanceof InvalidOption) return { message: error.message, code: EXIT_CODES.usage };
  if (error instanceof GicTraceError) return { message: error.line, code: EXIT_CODES[error.code] };
  const {
    code = '',
    message = String(error),
    name = 'Error',
  } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const line = oneLine(message);
  if (code === 'ERR_DLOPEN_FAILED' || ABI.test(message))
    return {
      message: `better-sqlite3 does not load in Node ${process.versions.node}: it was built for another version (npm rebuild better-sqlite3, or remove node_modules and install again)`,
      code: EXIT_CODES.backend,
    };
  if (code in SYSTEM) return { message: `${SYSTEM[code]}: ${line}`, code: EXIT_CODES.backend };
  return {
    message: `a bug in gictrace: ${name === 'Error' ? '' : `${name}: `}${line} (please report it; --debug prints where)`,
    code: FAULT_EXIT_CODE,
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, (gap) => (gap.includes('\n') ? ' ' : gap));
}
