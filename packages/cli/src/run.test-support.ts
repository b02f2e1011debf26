// Runs command lines for tests: `main()` in this process with its output captured, or the built bin as a child.
// Must not know any verb.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from './index.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const LOG = fileURLToPath(new URL('../../../test/recordings/its-trigger.log.gz', import.meta.url));
const BIN = fileURLToPath(new URL('../bin/gictrace.js', import.meta.url));

export function scratch(): string {
  return mkdtempSync(join(tmpdir(), 'gictrace-cli-'));
}

/** Runs a command line in this process. An error that `main` throws fails the test. */
export async function run(...args: string[]): Promise<Run> {
  let out = '';
  let err = '';
  const { stdout, stderr } = process;
  const writes = [stdout.write, stderr.write] as const;
  stdout.write = (text: string | Uint8Array) => {
    out += `${text}`;
    return true;
  };
  stderr.write = (text: string | Uint8Array) => {
    err += `${text}`;
    return true;
  };
  try {
    const code = await main(args);
    return { code, out, err };
  } finally {
    [stdout.write, stderr.write] = writes;
    // `main` adds a listener for a closed pipe each time it runs.
    stdout.removeAllListeners('error');
  }
}

/** Runs the built command in a process of its own. */
export function spawn(args: readonly string[], input = ''): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { input, encoding: 'utf8' });
  return { code: status ?? -1, out: stdout, err: stderr };
}
