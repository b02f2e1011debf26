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

/** Rules of a diff, and weights of a comparison, as users write them. */
export const RULES = `rules:
  - { reason: known, class: timing }
  - { reason: other, kind: [mmio.write, hppi], register: GICD_*, INTID: 27, pe: 0 }
  - { reason: third, command: [INV, SYNC], DeviceID: 8 }
`;
export const COSTS = '{"commands": 120, "hypercalls": 900}';

/** Verbs that read traces. Which of the options of a verb are tried is drawn for each input. */
export const OF_TRACES: Readonly<Record<string, Lines>> = {
  info: ({ hostile }) => [{ words: ['info', hostile] }, { words: ['info', '--verify', '--json', hostile] }],
  dump: ({ hostile, random }) => [
    { words: ['dump', hostile, ...random.pick([[], ['--json', '--header'], ['--from', '3', '--pe', '0']])] },
  ],
  replay: ({ hostile, out, random }) => [
    random.chance(0.5)
      ? { words: ['replay', hostile, '-o', out('r.gictrace')], writes: [out('r.gictrace'), verify] }
      : {
          words: [
            'replay',
            hostile,
            ...(random.chance(0.7) ? ['--on', backend(random)] : []),
            ...some(random, '--json'),
          ],
        },
  ],
  check: ({ hostile, random }) => [{ words: ['check', hostile, ...some(random, '--json')] }],
  compare: ({ hostile, out, random }) =>
    random.chance(0.03)
      ? [{ words: ['compare', hostile] }]
      : [
          {
            words: [
              ...['compare', hostile, '--on', `${random.pick(DESIGN_NAMES)}@${random.pick(PROFILE_NAMES)}`],
              ...some(random, '--lift', '--open-loop', '--all', '--json'),
              ...(random.chance(0.1) ? ['-o', out('runs.db')] : []),
              ...(random.chance(0.1) ? ['--report', out('runs.html')] : []),
            ],
          },
        ],
  diff: ({ hostile, good, out, random }) => [
    {
      words: [
        ...['diff', ...(random.chance(0.5) ? [good, hostile] : [hostile, good])],
        ...(random.chance(0.2) ? ['-o', out('diff.db')] : []),
        ...(random.chance(0.3) ? ['--ignore', random.pick(IGNORABLE)] : []),
        ...some(random, '--rename', '--repeats', '--events', '--json'),
      ],
    },
  ],
  recover: ({ hostile, out }) => [
    { words: ['recover', hostile, '-o', out('c.gictrace')], writes: [out('c.gictrace'), verify] },
  ],
  report: ({ hostile, good, out, random }) => [
    {
      words: [
        ...['report', hostile, ...(random.chance(0.2) ? [good] : []), '-o', out('.html')],
        ...(random.chance(0.2) ? ['--why', subject(random)] : []),
      ],
    },
  ],
  export: ({ hostile, good, out, random }) => [
    { words: ['export', hostile, '--to', 'perfetto', '-o', out('.pftrace')] },
    { words: ['export', hostile, '--to', 'vcd', '-o', out('.vcd')] },
    {
      words: ['export', hostile, '--to', 'jsonl', '-o', out('.jsonl')],
      writes: [out('.jsonl'), (path) => ['import', 'jsonl', path, '-o', out('j.gictrace')]],
    },
    ...(random.chance(0.03)
      ? [
          {
            words: ['export', '--to', 'parquet', '--jobs', '1', out('.set'), hostile, good],
            writes: [out('.set'), selectOne] as const,
          },
        ]
      : []),
  ],
  load: ({ hostile, good, out, random }) => [
    random.chance(0.8)
      ? { words: ['load', hostile, '-o', out('.db')], writes: [out('.db'), selectOne] }
      : {
          words: ['load', '--append', good, hostile, '-o', out('.db')],
          writes: [out('.db'), selectOne] as const,
        },
  ],
  query: ({ out, random }) => [
    { words: ['query', out('.db'), '--module', random.pick(RELATIONS)] },
    {
      words: [
        'query',
        out('.db'),
        random.chance(0.3)
          ? `SELECT * FROM gic_state(1, ${subject(random)})`
          : `SELECT explain(trace, record) FROM ${random.pick(RELATIONS)} LIMIT 20`,
      ],
    },
  ],
  why: ({ hostile, random }) => [
    {
      words: [
        'why',
        hostile,
        ...random.pick([
          ['--intid', subject(random), ...some(random, '--not', '--json')],
          ['--intid', subject(random), '--graph', random.pick(['dot', 'mermaid'])],
          ['--device', subject(random), ...some(random, '--not')],
          ['--vintid', subject(random), '--vpe', '0'],
        ]),
      ],
    },
  ],
  bisect: ({ hostile, good, random }) => [
    {
      words: random.pick([
        ['bisect', good, hostile],
        ['bisect', hostile, '--on', 'simulator', backend(random)],
      ]),
    },
  ],
  minimize: ({ hostile, out, random }) =>
    random.chance(0.1)
      ? [
          {
            words: [
              ...['minimize', hostile, '--tests', '20', '-o', out('m.gictrace')],
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
      input: Array.from({ length: 6 }, () => random.pick([...STEPS, ...MORE_STEPS])).join('\n'),
    },
  ],
};

/** What reads databases. A view of the database may take for ever, so there is a time limit where it may matter. */
export const DATABASE_LINES: Lines = ({ hostile, good, out, random }) => [
  { words: ['query', hostile, '--module', random.pick(RELATIONS)] },
  { words: ['query', hostile, '--module', random.pick(RELATIONS), random.pick(['--json', '--csv'])] },
  { words: ['query', hostile, `SELECT * FROM ${random.pick(RELATIONS)}`] },
  { words: ['query', hostile, `SELECT * FROM gic_state(1, ${subject(random)})`] },
  { words: ['query', hostile, `SELECT explain(trace, record) FROM ${random.pick(RELATIONS)} LIMIT 20`] },
  {
    words: ['shell', hostile],
    input: `${['.views', '.modules', '.examples 1', `SELECT * FROM ${random.pick(RELATIONS)};`, '.quit'].join('\n')}\n`,
  },
  ...(random.chance(0.2)
    ? [{ words: ['bisect', hostile, '--sql', 'SELECT 1 FROM gic_state(1, :record) LIMIT 1'] }]
    : []),
  // Last, since it changes the database.
  ...(random.chance(0.3) ? [{ words: ['load', '--append', good, '-o', hostile] }] : []),
  ...(random.chance(0.3)
    ? [{ words: ['load', good, '-o', out('.db')], writes: [out('.db'), selectOne] as const }]
    : []),
];

export const DATASET_LINES: Lines = ({ hostile, good, random }) => [
  { words: ['query', hostile, `SELECT count(*) FROM ${random.pick(['traces', 'stimuli', 'interrupts'])}`] },
  { words: ['query', hostile, '--module', random.pick(RELATIONS)] },
  { words: ['query', hostile, '--ddl', random.pick(['clickhouse', 'spark', 'trino'])] },
  { words: ['export', '--to', 'parquet', '--jobs', '1', hostile, good] },
];

/** A folder of golden cases: checked, updated, and then the same. */
export const CASE_LINES: Lines = ({ hostile, random }) => [
  { words: ['golden', 'check', hostile, ...(random.chance(0.1) ? ['--mutate', 'all'] : [])] },
  { words: ['golden', 'update', hostile] },
  { words: ['golden', 'check', hostile] },
];

/** Verbs that are tried on other files, or that read no file. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  import: 'hostile logs',
  record: 'hostile scenarios',
  shell: 'hostile databases',
  scenarios: 'reads no file',
  backends: 'reads no file',
  claims: 'reads no file',
  doctor: 'reads no file',
  golden: 'hostile folders of cases',
  batch: 'packages/cli/src/batch.test.ts; it runs other verbs',
  fuzz: 'reads no file; needs a QEMU',
  'adapter-test': 'test/adapter-faults.test.ts',
};
