// The verbs that write, as a table for the tests of outputs: command lines, and a folder with a good input of each kind.
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LOG, run } from './run.test-support.ts';

const RECORDINGS = dirname(LOG);
/** The folder of a golden case. */
const CASES = 'cases';
const SCENARIO = `scenario: one message
machine: { pes: 1 }
devices:
  nic: { id: 8, vectors: 1 }
steps:
  - online: [0]
  - alloc: nic
  - { activate: nic/0, pe: 0 }
  - unmask: nic/0
  - storm: nic/0
    times: 3
`;

/** A verb that writes: its command line, given its input and its output; and which of the files below is its input. */
export interface Writer {
  readonly input: keyof typeof NAMES;
  readonly line: (input: string, output: string) => string[];
  /** Its exit code when all is well. */
  readonly code?: number;
  /** Whether it adds to what is there, so that --force replaces nothing. */
  readonly appends?: boolean;
}
const batch = (list: string, option: string, out: string) => ['batch', list, option, out, '--', 'info'];
export const WRITERS: Readonly<Record<string, Writer>> = {
  'import qemu': { input: 'log', line: (input, out) => ['import', 'qemu', input, '-o', out] },
  'import jsonl': { input: 'jsonl', line: (input, out) => ['import', 'jsonl', input, '-o', out] },
  'import ftrace': { input: 'ftrace', line: (input, out) => ['import', 'ftrace', input, '-o', out] },
  'import gicv5': { input: 'gicv5', line: (input, out) => ['import', 'gicv5', input, '-o', out] },
  'batch --junit': { input: 'list', line: (input, out) => batch(input, '--junit', out) },
  'batch --parquet': { input: 'list', line: (input, out) => batch(input, '--parquet', out) },
  record: { input: 'scenario', line: (input, out) => ['record', input, '-o', out] },
  replay: { input: 'trace', line: (input, out) => ['replay', input, '-o', out] },
  recover: { input: 'trace', line: (input, out) => ['recover', input, '-o', out] },
  load: { input: 'trace', line: (input, out) => ['load', input, '-o', out] },
  diff: { input: 'trace', line: (input, out) => ['diff', input, input, '-o', out] },
  report: { input: 'trace', line: (input, out) => ['report', input, '--no-replay', '-o', out] },
  compare: { input: 'scenario', line: (input, out) => ['compare', input, '--on', 'its', '-o', out] },
  minimize: {
    input: 'trace',
    line: (input, out) => ['minimize', input, '--plant', 'int-ignored', '--no-values', '-o', out],
  },
  'export perfetto': {
    input: 'trace',
    line: (input, out) => ['export', input, '--to', 'perfetto', '-o', out],
  },
  'compare --report': {
    input: 'scenario',
    line: (input, out) => ['compare', input, '--on', 'its', '--report', out],
  },
  'load --append': {
    input: 'trace',
    line: (input, out) => ['load', '--append', input, '-o', out],
    appends: true,
  },
  'golden check --junit': {
    input: 'golden',
    line: (input, out) => ['golden', 'check', dirname(input), '--junit', out],
  },
  'export html': { input: 'trace', line: (input, out) => ['export', input, '--to', 'html', '-o', out] },
  'export vcd': { input: 'trace', line: (input, out) => ['export', input, '--to', 'vcd', '-o', out] },
  'export jsonl': { input: 'trace', line: (input, out) => ['export', input, '--to', 'jsonl', '-o', out] },
};
/** Outputs that cannot be tried here, and why, or where they are. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  'fuzz --output': 'only if a real QEMU or KVM differs from the simulator',
};
export const NAMES = {
  log: 'in.log.gz',
  ftrace: 'in.txt.xz',
  gicv5: 'gicv5.log.gz',
  list: 'in.list',
  trace: 'in.gictrace',
  jsonl: 'in.jsonl',
  scenario: 'in.yaml',
  golden: `${CASES}/storm.golden.gictrace`,
} as const;

// In CI golden files are not written, which is what is tried here; golden.test.ts tries the refusal.
delete process.env.CI;

/** Makes a folder with the inputs. */
export async function makeInputs(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  copyFileSync(LOG, at(NAMES.log));
  copyFileSync(join(RECORDINGS, 'ftrace', 'kq-linux.txt.xz'), at(NAMES.ftrace));
  copyFileSync(join(RECORDINGS, 'small', 'gicv5-two-pes.log.gz'), at(NAMES.gicv5));
  writeFileSync(at(NAMES.list), `${NAMES.trace}\n`);
  writeFileSync(at(NAMES.scenario), SCENARIO);
  mkdirSync(at(CASES));
  writeFileSync(at(`${CASES}/storm.yaml`), SCENARIO);
  for (const line of [
    ['import', 'qemu', LOG, '-o', at(NAMES.trace)],
    ['export', at(NAMES.trace), '--to', 'jsonl', '-o', at(NAMES.jsonl)],
    ['golden', 'update', at(CASES)],
  ]) {
    const { code, err } = await run(...line);
    if (code !== 0) throw new Error(err);
  }
}

/** Copies them to a folder that is otherwise empty. */
export function copyInputs(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
}
