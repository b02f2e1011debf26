// Which command lines are tried on a hostile file, by verb. A verb that is in neither table fails a test.

import { DESIGNS } from '@gictrace/core/irqchip';
import { PROFILES } from '@gictrace/core/profile';
import { MUTATIONS } from '@gictrace/core/testing';
import { IGNORABLE } from '@gictrace/query';
import { EMITTERS } from '@gictrace/replayer/minimize';
import { MODULES } from '../../packages/query/src/sql/modules/index.ts';
import { VIEWS } from '../../packages/query/src/sql/views.ts';
import type { Random } from './random.ts';

/** The files of a run: the hostile one, a good one of the same kind, and names for outputs. */
export interface Files {
  readonly hostile: string;
  readonly good: string;
  readonly out: (suffix: string) => string;
  /** Decides which of many options and queries are tried. */
  readonly random: Random;
}

/** What can be read again, with the command line that must then succeed. */
type Reads = (out: string) => readonly string[];
export interface Line {
  readonly words: readonly string[];
  /** What it reads from standard input. */
  readonly input?: string;
  /** The output that it writes, and how that is read. */
  readonly writes?: readonly [string, Reads];
}

const verify: Reads = (out) => ['info', '--verify', out];
const selectOne: Reads = (out) => ['query', out, 'SELECT count(*) FROM stimuli'];

type Lines = (files: Files) => readonly Line[];

const PROFILE_NAMES = Object.keys(PROFILES);
const DESIGN_NAMES = Object.keys(DESIGNS);
const RELATIONS = [...VIEWS, ...MODULES].map(({ name }) => name);
const backend = (random: Random) => `simulator@${random.pick(PROFILE_NAMES)}`;
const some = (random: Random, ...options: readonly string[]) => options.filter(() => random.chance(0.3));
/** An INTID, DeviceID or record: mostly small ones, which a trace may have. */
const subject = (random: Random) =>
  `${random.pick([0, 1, 27, 33, 40, 1023, 4096, 8192, 8193, 8200, random.below(2 ** 24)])}`;
/** What a user types into `gictrace step`, and what nobody would. */
const STEPS = ['next', 'next 5', 'back', 'back 100', 'go 3', 'go 4294967295', 'find kind mmio.write', 'show'];
const MORE_STEPS = [
  'find intid 8192',
  'find gate',
  'rfind pe 0',
  'watch 8192 0',
  'watch 1 511',
  'go',
  'x \x1b',
];

/** Verbs that read traces. */
export const OF_TRACES: Readonly<Record<string, Lines>> = {
  info: ({ hostile }) => [{ words: ['info', hostile] }, { words: ['info', '--verify', '--json', hostile] }],
  dump: ({ hostile }) => [{ words: ['dump', hostile] }, { words: ['dump', '--json', '--header', hostile] }],
  replay: ({ hostile, out, random }) => [
    { words: ['replay', hostile] },
    { words: ['replay', hostile, '-o', out('r.gictrace')], writes: [out('r.gictrace'), verify] },
    { words: ['replay', hostile, '--on', backend(random), ...some(random, '--json')] },
  ],
  check: ({ hostile, random }) => [{ words: ['check', hostile, ...some(random, '--json')] }],
  compare: ({ hostile, out, random }) =>
    random.chance(0.2)
      ? [{ words: ['compare', hostile] }]
      : [
          {
            words: [
              ...['compare', hostile, '--on', `${random.pick(DESIGN_NAMES)}@${random.pick(PROFILE_NAMES)}`],
              ...['-o', out('runs.db')],
            ],
          },
        ],
  diff: ({ hostile, good, out, random }) => [
    { words: ['diff', good, hostile] },
    {
      words: [
        ...['diff', hostile, good, '-o', out('diff.db'), '--ignore', random.pick(IGNORABLE)],
        ...some(random, '--rename', '--repeats', '--events', '--json'),
      ],
    },
  ],
  recover: ({ hostile, out }) => [
    { words: ['recover', hostile, '-o', out('c.gictrace')], writes: [out('c.gictrace'), verify] },
  ],
  report: ({ hostile, good, out, random }) => [
    { words: ['report', hostile, ...(random.chance(0.3) ? [good] : []), '-o', out('.html')] },
  ],
  export: ({ hostile, good, out, random }) => [
    { words: ['export', hostile, '--to', 'perfetto', '-o', out('.pftrace')] },
    { words: ['export', hostile, '--to', 'vcd', '-o', out('.vcd')] },
    {
      words: ['export', hostile, '--to', 'jsonl', '-o', out('.jsonl')],
      writes: [out('.jsonl'), (path) => ['import', 'jsonl', path, '-o', out('j.gictrace')]],
    },
    ...(random.chance(0.1)
      ? [
          {
            words: ['export', '--to', 'parquet', '--jobs', '1', out('.set'), hostile, good],
            writes: [out('.set'), selectOne] as const,
          },
        ]
      : []),
  ],
  load: ({ hostile, good, out, random }) => [
    { words: ['load', hostile, '-o', out('.db')], writes: [out('.db'), selectOne] },
    ...(random.chance(0.3)
      ? [
          {
            words: ['load', '--append', good, hostile, '-o', out('.db')],
            writes: [out('.db'), selectOne] as const,
          },
        ]
      : []),
  ],
  query: ({ out, random }) => [
    ...Array.from({ length: 4 }, () => ({
      words: ['query', out('.db'), '--module', random.pick(RELATIONS)],
    })),
    { words: ['query', out('.db'), `SELECT * FROM gic_state(1, ${subject(random)})`] },
    {
      words: ['query', out('.db'), `SELECT explain(trace, record) FROM ${random.pick(RELATIONS)} LIMIT 20`],
    },
  ],
  why: ({ hostile, random }) => [
    { words: ['why', hostile, '--intid', subject(random), ...some(random, '--not', '--json')] },
    { words: ['why', hostile, '--intid', subject(random), '--graph', random.pick(['dot', 'mermaid'])] },
    { words: ['why', hostile, '--device', subject(random), ...some(random, '--not')] },
    { words: ['why', hostile, '--vintid', subject(random), '--vpe', '0'] },
  ],
  bisect: ({ hostile, good, random }) => [
    { words: ['bisect', good, hostile] },
    { words: ['bisect', hostile, '--on', 'simulator', backend(random)] },
  ],
  minimize: ({ hostile, out, random }) =>
    random.chance(0.3)
      ? [
          {
            words: [
              ...['minimize', hostile, '--tests', '30', '-o', out('m.gictrace')],
              ...['--emit', random.pick(Object.keys(EMITTERS))],
              ...random.pick([
                ['--plant', random.pick(Object.keys(MUTATIONS))],
                ['--keep', 'finding:stranded-lpi'],
                ['--keep', `lost:${subject(random)}`],
                ['--on', backend(random)],
              ]),
            ],
            writes: [out('m.gictrace'), verify],
          },
        ]
      : [],
  step: ({ hostile, random }) => [
    {
      words: ['step', hostile],
      input: Array.from({ length: 8 }, () => random.pick([...STEPS, ...MORE_STEPS])).join('\n'),
    },
  ],
};

/** Verbs that are tried on other files, or that read no file. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  import: 'hostile logs',
  record: 'hostile scenarios',
  shell: 'reads what query reads',
  scenarios: 'reads no file',
  backends: 'reads no file',
  claims: 'reads no file',
  doctor: 'reads no file',
  golden: 'packages/cli/src/golden.test.ts',
  batch: 'packages/cli/src/batch.test.ts; it runs other verbs',
  fuzz: 'reads no file; needs a QEMU',
  'adapter-test': 'test/adapter-faults.test.ts',
};
