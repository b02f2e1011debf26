// Which command lines are tried on a hostile file, by verb. A verb that is in neither table fails a test.

/** The files of a run: the hostile one, a good one of the same kind, and names for outputs. */
export interface Files {
  readonly hostile: string;
  readonly good: string;
  readonly out: (suffix: string) => string;
}

/** What can be read again, with the command line that must then succeed. */
type Reads = (out: string) => readonly string[];
export interface Line {
  readonly words: readonly string[];
  /** Whether reading it again may be refused with exit code 2. */
  readonly mayRefuse?: boolean;
  /** The output that it writes, and how that is read. */
  readonly writes?: readonly [string, Reads];
}

const verify: Reads = (out) => ['info', '--verify', out];
const selectOne: Reads = (out) => ['query', out, 'SELECT count(*) FROM stimuli'];

type Lines = (files: Files) => readonly Line[];

/** Verbs that read traces. */
export const OF_TRACES: Readonly<Record<string, Lines>> = {
  info: ({ hostile }) => [{ words: ['info', hostile] }, { words: ['info', '--verify', '--json', hostile] }],
  dump: ({ hostile }) => [{ words: ['dump', hostile] }, { words: ['dump', '--json', '--header', hostile] }],
  replay: ({ hostile, out }) => [
    { words: ['replay', hostile] },
    { words: ['replay', hostile, '-o', out('r.gictrace')], writes: [out('r.gictrace'), verify] },
  ],
  check: ({ hostile }) => [{ words: ['check', hostile] }],
  compare: ({ hostile }) => [{ words: ['compare', hostile] }],
  diff: ({ hostile, good }) => [{ words: ['diff', good, hostile] }],
  recover: ({ hostile, out }) => [
    { words: ['recover', hostile, '-o', out('c.gictrace')], writes: [out('c.gictrace'), verify] },
  ],
  report: ({ hostile, out }) => [{ words: ['report', hostile, '-o', out('.html')] }],
  export: ({ hostile, out }) => [
    { words: ['export', hostile, '--to', 'perfetto', '-o', out('.pftrace')] },
    { words: ['export', hostile, '--to', 'vcd', '-o', out('.vcd')] },
    {
      words: ['export', hostile, '--to', 'jsonl', '-o', out('.jsonl')],
      // A line of text is held to more than a record is: it must not name a PE that the header does not have.
      mayRefuse: true,
      writes: [out('.jsonl'), (path) => ['import', 'jsonl', path, '-o', out('j.gictrace')]],
    },
  ],
  load: ({ hostile, out }) => [
    { words: ['load', hostile, '-o', out('.db')], writes: [out('.db'), selectOne] },
  ],
  why: ({ hostile }) => [{ words: ['why', hostile, '--intid', '8192'] }],
  bisect: ({ hostile, good }) => [{ words: ['bisect', good, hostile] }],
};

/** Verbs that are tried on other files, or that read no file. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  import: 'hostile logs',
  record: 'hostile scenarios',
  query: 'after load',
  shell: 'reads what query reads',
  scenarios: 'reads no file',
  backends: 'reads no file',
  claims: 'reads no file',
  doctor: 'reads no file',
  golden: 'packages/cli/src/golden.test.ts',
  fuzz: 'reads no file; needs a QEMU',
  'adapter-test': 'test/adapter-faults.test.ts',
  step: 'needs a terminal',
  minimize: 'runs replay or check, which are tried, hundreds of times',
  batch: 'runs import and load, which are tried',
  serve: 'serves until it is ended',
};
