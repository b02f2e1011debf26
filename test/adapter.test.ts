// Adapters that keep the protocol: the simulator as a process says what the simulator says, of real recordings; the
// adapter in C does what it claims, on a real boot and on stimuli from a seed; and adapter-test finds both whole.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { GicConfig } from '@gictrace/core';
import { Machine, step } from '@gictrace/core/model';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { RECORDS, RecordBatch } from '@gictrace/core/record';
import { registerAt } from '@gictrace/core/spec';
import { StimulusGenerator } from '@gictrace/core/testing';
import { TraceReader } from '@gictrace/recorder';
import { BackendReplay, ProcessBackend, replayTrace, replayTraceOn, type Verdict } from '@gictrace/replayer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const example = (path: string) => fileURLToPath(new URL(`../examples/adapters/${path}`, import.meta.url));
const NODE = `${process.execPath} '${example('node/adapter.mjs')}'`;

async function replayedBy(command: string, trace: string, output?: string): Promise<Verdict> {
  const backend = new ProcessBackend({ command, version: 'test' });
  try {
    return await replayTraceOn(trace, backend, {
      version: 'test',
      ...(output === undefined ? {} : { output }),
    });
  } finally {
    await backend.close();
  }
}

const LOGS = [
  'its-trigger',
  'its-introspection',
  'gicv3-active',
  'linux-gicv3-plugin-head',
  'linux-gicv3-spi-head',
  'linux-gicv3-mrops',
];

describe('the simulator as an adapter', () => {
  it.each(LOGS)('%s: the verdict and the records of the simulator', async (name) => {
    const trace = temp.path(name);
    await imported(recording(`${name}.log.gz`), trace);
    const [a, b] = [temp.path(`${name}.a`), temp.path(`${name}.b`)];
    const built = replayTrace(trace, { version: 'test', output: a });
    const adapter = await replayedBy(NODE, trace, b);
    expect(built.diverged).toBe(0);
    // States that the trace stores are those of a simulator, and no adapter shows states.
    const { state = 0, ...compared } = built.compared;
    const skipped = state > 0 ? { 'stored state of the simulator': state } : {};
    expect(adapter).toEqual({ ...built, compared, skipped });
    const [of, by] = [a, b].map((path) => TraceReader.open(path));
    expect(by!.footer!.contentDigest).toBe(of!.footer!.contentDigest);
    of!.close();
    by!.close();
  });

  it('passes adapter-test, and shows every behaviour as the simulator does', async () => {
    const { code, out } = await run('adapter-test', NODE, '--json', '--timeout', '20');
    const { protocol, behaviours } = JSON.parse(out) as Report;
    expect(protocol.filter(({ result }) => result !== 'passed')).toEqual([]);
    expect(behaviours.filter(({ result }) => result === 'differs')).toEqual([]);
    expect(behaviours.filter(({ result }) => result === 'same').length).toBeGreaterThan(220);
    expect(code).toBe(0);
  });
});

interface Report {
  readonly protocol: readonly { readonly name: string; readonly result: string; readonly detail: string }[];
  readonly behaviours: readonly { readonly id: string; readonly result: string }[];
}

const hasCompiler = spawnSync('cc', ['--version']).status === 0;
if (!hasCompiler) console.error('NOT TESTED: the adapter in C, since there is no cc here');

/** Compiles the adapter, with `change` made to its source first. */
function compiled(name: string, change = (source: string): string => source): string {
  const source = readFileSync(example('c/gic_adapter.c'), 'utf8');
  const changed = change(source);
  const [file, program] = [temp.path(`${name}.c`), temp.path(name)];
  writeFileSync(file, changed);
  const flags = ['-std=c99', '-O1', '-Wall', '-Wextra', '-pedantic', '-Werror', '-I', example('c')];
  const { status, stderr } = spawnSync('cc', [...flags, '-o', program, file], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return `'${program}'`;
}

/** Registers that the adapter in C models. */
const MODELLED =
  /^(GIC[DR]_(IGROUPR|I[SC]ENABLER|I[SC]PENDR|I[SC]ACTIVER|IPRIORITYR|ICFGR|IIDR|TYPER|PIDR)|GICD_(CTLR|IROUTER)|GICR_WAKER)\d*$/;

/** A recording of what the generator's guest does with those registers, the wires and the CPU interface. */
function synthetic(config: GicConfig, seed: number, stimuli: number): RecordBatch {
  const out = new RecordBatch(8 * stimuli);
  const machine = new Machine(config);
  const seen = new RecordBatch(4096);
  machine.sink = {
    batch: seen,
    events: false,
    full: () => {
      throw new Error('more observables than the test has room for');
    },
  };
  const generator = new StimulusGenerator(config, seed, { wild: 5 });
  const one = new RecordBatch(1);
  for (let n = 0; n < stimuli; n++) {
    one.clear();
    generator.next(one);
    const kind = one.kind[0]!;
    const mmio = kind === RECORDS['mmio.read'].id || kind === RECORDS['mmio.write'].id;
    if (mmio && !MODELLED.test(registerAt(one.words[0]!, one.words[2]!)?.name ?? '')) continue;
    if (kind >= RECORDS['mem.write'].id && kind <= RECORDS['msi.write'].id) continue;
    step(machine, one, 0);
    // What reaches nothing does nothing.
    if (machine.unsupported || machine.reserved || out.capacity - out.count <= seen.count) {
      expect(seen.count).toBe(0);
      continue;
    }
    const at = kind === RECORDS['mmio.read'].id ? 4 : kind === RECORDS['sysreg.read'].id ? 1 : -1;
    if (at >= 0) one.words.set([machine.low, machine.high], at);
    out.copy(one, 0);
    for (let i = 0; i < seen.count; i++) out.copy(seen, i);
    seen.clear();
  }
  return out;
}

describe.skipIf(!hasCompiler)('the adapter in C', () => {
  let adapter: string;
  beforeAll(() => {
    adapter = compiled('gic_adapter');
  });

  it('replays a real boot without a divergence, and every skip has a name', async () => {
    const trace = temp.path('boot');
    await imported(recording('linux-gicv3-spi-head.log.gz'), trace);
    const verdict = await replayedBy(adapter, trace);
    expect(verdict.first).toBeNull();
    expect(verdict.diverged).toBe(0);
    expect(verdict.compared).toEqual({
      hppi: 18_480,
      'sysreg.read': 2191,
      'sgi.sent': 701,
      'mmio.write': 417,
      'mmio.read': 72,
    });
    expect(verdict.skipped).toEqual({
      'vhppi: not shown by the backend': 6923,
      'gic_adapter: register not modelled': 9,
    });
  });

  const machines: [string, GicConfig][] = [
    ['four PEs', configOf('architecture', { ...PLAIN, its: 0 }, 4)],
    ['20 PEs, 988 SPIs', configOf('architecture', { ...PLAIN, its: 0, lines: 32 }, 20)],
    ['seven priority bits', configOf('architecture', { ...PLAIN, its: 0, priorityBits: 7 }, 2)],
    ['eight priority bits', configOf('architecture', { ...PLAIN, its: 0, priorityBits: 8 }, 3)],
    ['four priority bits', configOf('architecture', { ...PLAIN, its: 0, priorityBits: 4 }, 2)],
  ];
  const ALLOWED = [
    'vhppi: not shown by the backend',
    'maintenance: not shown by the backend',
    'gic_adapter: system register not modelled',
    'gic_adapter: register not modelled',
    'gic_adapter: no such PE, frame or interrupt',
    'consequence of a skipped stimulus',
  ];

  const replayed = async (command: string, config: GicConfig, recording: RecordBatch): Promise<Verdict> => {
    const backend = new ProcessBackend({ command, version: 'test' });
    try {
      const replay = new BackendReplay(config, backend, await backend.reset(config));
      await replay.take(recording);
      return await replay.finish();
    } finally {
      await backend.close();
    }
  };

  it.each(machines)('%s: does what the simulator does, on stimuli from seeds', async (_name, config) => {
    for (const seed of [1, 2, 3, 4]) {
      const verdict = await replayed(adapter, config, synthetic(config, seed, 6000));
      expect(verdict.first, `seed ${seed}`).toBeNull();
      expect(verdict.compared.hppi).toBeGreaterThan(50);
      expect(verdict.compared['sysreg.read']).toBeGreaterThan(100);
      expect(Object.keys(verdict.skipped).filter((reason) => !ALLOWED.includes(reason))).toEqual([]);
    }
  });

  it.each([
    ['the priority mask is ignored', 'priority >= p->pmr', 'priority > IDLE'],
    ['an EOI does not drop the priority', '&= active_priorities(p, group)[n] - 1', '&= 0xffffffffu'],
    ['a level is not pending', 'b->pending | (~b->edge & b->level)', 'b->pending'],
    ['an edge is not latched', 'b->pending |= bit;', 'b->pending |= 0;'],
    ['routes are ignored', 'if (gic.pe[n].affinity == affinity)', 'if (affinity != 0xfffffffe)'],
    ['the binary point is off by one', '0xffu << (point + 1)', '0xffu << point'],
  ])('a planted fault is found: %s', async (name, from, to) => {
    const wrong = compiled(name.replaceAll(' ', '-'), (source) => {
      expect(source).toContain(from);
      return source.replace(from, to);
    });
    let found = 0;
    for (const [, config] of machines)
      for (const seed of [1, 2, 3, 4])
        if (found === 0) found = (await replayed(wrong, config, synthetic(config, seed, 6000))).diverged;
    expect(found).toBeGreaterThan(0);
  });

  it('passes adapter-test; what it cannot do is told', async () => {
    const { code, out } = await run('adapter-test', adapter, '--json');
    const { protocol, behaviours } = JSON.parse(out) as Report;
    expect(protocol.filter(({ result }) => result !== 'passed')).toEqual([]);
    const same = behaviours.filter(({ result }) => result === 'same').map(({ id }) => id);
    expect(same.length).toBeGreaterThanOrEqual(19);
    expect(behaviours.filter(({ result }) => result === 'differs')).toEqual([]);
    expect(code).toBe(0);
  });

  it('adapter-test finds faults, and exits with 1', async () => {
    const wrong = compiled('faults', (source) =>
      source
        // A reset that forgets to reset; an empty list of slots that restores nothing; a level that is lost.
        .replace('    memset(&gic, 0, sizeof gic);\n', '')
        .replace('gic = kept[slot];', 'kept[slot].ctlr = 0;')
        .replace('b->pending | (~b->edge & b->level)', 'b->pending'),
    );
    const { code, out } = await run('adapter-test', wrong, '--json');
    const { protocol, behaviours } = JSON.parse(out) as Report;
    const failed = protocol.filter(({ result }) => result === 'failed').map(({ name }) => name);
    expect(failed).toContain('a reset makes everything as it was');
    expect(failed).toContain('snapshot and restore');
    expect(behaviours.filter(({ result }) => result === 'differs').map(({ id }) => id)).toContain(
      'gicd.level-repends',
    );
    expect(code).toBe(1);
  });
});

describe('adapter-test', () => {
  it('says that what is no adapter cannot be run, with exit code 3', async () => {
    const { code, err, out } = await run('adapter-test', 'cat', '--timeout', '3');
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/^gictrace: [^\n]*names no stimuli[^\n]*\n$/);
  });

  it('refuses a profile that there is not', async () => {
    const { code, err } = await run('adapter-test', 'cat', '--profile', 'nope');
    expect([code, err]).toEqual([2, expect.stringMatching(/no profile 'nope'/)]);
  });

  it('prints a table', async () => {
    const { out } = await run('adapter-test', NODE, '--no-behaviours', '--timeout', '20');
    expect(out).toMatch(/^simulator 1: takes mmio\.read, /);
    expect(out).toMatch(/ {2}passed {2}snapshot and restore \(4 slots\)/);
  });
});
