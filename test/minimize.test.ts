// Traces are minimized: a divergence on a real recording, a finding, and a command's exit code. What is left still shows
// it, and nothing less does.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { KIND, RECORD_WORDS, type RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import { plantMutation } from '@gictrace/core/testing';
import { importJsonlToTrace, importToTrace, recordJson, TraceReader } from '@gictrace/recorder';
import { replayTrace, type Verdict } from '@gictrace/replayer';
import {
  EMITTERS,
  type Keep,
  type Minimized,
  minimizeTrace,
  type Repro,
  saveMinimized,
} from '@gictrace/replayer/minimize';
import { main } from 'gictrace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { recording, scratch } from './support.ts';

const folder = scratch();
afterAll(() => folder.dispose());

const has = (command: string) => spawnSync(command, ['--version']).status === 0;
const hasQemu = has('qemu-system-aarch64') && has('python3');
if (!hasQemu)
  process.stderr.write(
    'SKIPPED: repros on a real QEMU: needs qemu-system-aarch64 (apt-get install qemu-system-arm) and python3\n',
  );

const hasCompiler = has('aarch64-linux-gnu-gcc');
if (!hasCompiler)
  process.stderr.write(
    'SKIPPED: repros in C: needs aarch64-linux-gnu-gcc (apt-get install gcc-aarch64-linux-gnu)\n',
  );

const planted = (fault: string): Keep => ({
  what: 'divergence',
  other: { profile: 'qemu-virt', machine: (machine) => plantMutation(machine, fault) },
});
const replayPlanted = (trace: string, fault: string): Verdict =>
  replayTrace(trace, { machine: (machine) => plantMutation(machine, fault) });

describe('a recording of Linux with KVM, 362,103 records', () => {
  const trace = folder.path('kvm.gictrace');
  beforeAll(async () => {
    await importToTrace(recording('linux-gicv4-kvm.log.gz'), trace, {});
  }, 120_000);

  it.each(['sgi-lost-while-active'])(
    '%s in the simulator shows in at most 20 stimuli',
    async (fault) => {
      const small = await minimizeTrace(trace, planted(fault));
      expect(small.isMinimal).toBe(true);
      expect(small.stimuli.length).toBeLessThanOrEqual(20);
      const path = folder.path(`${fault}.gictrace`);
      saveMinimized(small, path);
      // The recording is the reference's; the fault still shows, in the same kind of record and after the same register.
      expect(replayTrace(path).diverged).toBe(0);
      const { first } = replayPlanted(path, fault);
      expect(first!.kind).toBe(small.original!.kind);
      const register = (text: string) => /(GIC\w|ICC|msi)\S*/.exec(text)?.[0];
      expect(register(first!.stimulus!.text)).toBe(register(small.original!.stimulus!.text));
      await onQemu(small, fault);
      // Without any one of its stimuli it does not, or not so.
      expect(await redundant(small, planted(fault))).toEqual([]);
    },
    120_000,
  );
});

/** The programs for a real QEMU, which does as the reference. If they expected something else, they would say so. */
async function onQemu(minimized: Minimized, fault: string): Promise<void> {
  if (!hasQemu) return;
  const repro: Repro = {
    ...{ minimized, of: 'kvm.gictrace', kept: 'diverges', command: 'gictrace minimize' },
    check: { what: 'divergence', on: 'simulator', plant: fault },
  };
  const program = await EMITTERS.qtest.text(repro);
  const path = folder.path(`${fault}.py`);
  writeFileSync(path, program);
  const shown = spawnSync('python3', [path], { encoding: 'utf8' });
  expect(shown.stdout).toMatch(
    /: returned 0x1 \(reference 0x1, other 0x3ff\): as the reference\nRESULT: as the reference\n$/,
  );
  expect(shown.status).toBe(0);
  writeFileSync(path, program.replace('0x1, 0x3ff,', '0x3ff, 0x1,'));
  const otherwise = spawnSync('python3', [path], { encoding: 'utf8' });
  expect([otherwise.status, otherwise.stdout]).toEqual([1, expect.stringContaining('RESULT: as the other')]);
  if (!hasCompiler) return;
  const source = await EMITTERS.c.text(repro);
  expect(booted(source)).toMatch(
    /returned 0x1 \(reference 0x1, other 0x3ff\): as the reference\nRESULT: as the reference\n$/,
  );
  expect(booted(source.replace('0x1ull, 0x3ffull', '0x3ffull, 0x1ull'))).toContain('RESULT: as the other');
}

/** What the C program prints, compiled and booted as its comment says. */
function booted(source: string): string {
  const path = folder.path('repro.c');
  writeFileSync(path, source);
  const lines = source.replaceAll('\\\n *', '').split('\n');
  const commandOf = (word: string) => lines.find((line) => line.includes(`  ${word} `))!.replace(' *', '');
  const compile = commandOf('aarch64-linux-gnu-gcc')
    .replace('THIS-FILE', path)
    .replace('-o repro.elf', `-o ${path}.elf -Wall -Werror`);
  expect(spawnSync('sh', ['-c', compile], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  const boot = commandOf('qemu-system-aarch64').replace('repro.elf', `${path}.elf`);
  return spawnSync('sh', ['-c', boot], { encoding: 'utf8', timeout: 30_000 }).stdout;
}

/** The stimuli of a minimized trace that could be left out after all. */
async function redundant(small: Minimized, keep: Keep): Promise<string[]> {
  const again = folder.path('again.gictrace');
  saveMinimized(small, again);
  const smaller = await minimizeTrace(again, keep, { isVerbatim: true });
  // The memory that is zero at first is not counted twice.
  const kept = new Set(textsOf(smaller));
  return textsOf(small).filter((text) => !kept.has(text) && !text.includes('"length":2684354560'));
}

function textsOf({ recording: batches }: Minimized): string[] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, i) => i)
      .filter((i) => batch.kind[i]! < STIMULI_BELOW)
      .map((i) => recordJson(batch, i, 0)),
  );
}

describe('the command', () => {
  const trace = folder.path('doorbell.gictrace');
  const small = folder.path('small.gictrace');
  beforeAll(async () => {
    expect((await run('record', 'lost-doorbell', '-o', trace, '--on', 'vpe-proxy')).code).toBe(0);
  });

  it('keeps a finding of check, and writes repros', async () => {
    const { code, out } = await run(
      ...[
        'minimize',
        trace,
        '--keep',
        'finding:lost-doorbell',
        '-o',
        small,
        '--emit',
        'vitest',
        'jsonl',
        '--json',
      ],
    );
    expect(code).toBe(0);
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({ kept: 'has a finding of lost-doorbell', minimal: true, pes: 1 });
    expect(answer.of).toBeGreaterThan(200);
    expect(answer.stimuli).toBeLessThan(25);
    expect((await run('check', small, '--rule', 'lost-doorbell')).code).toBe(1);
    // The JSON lines are the same trace.
    await importJsonlToTrace(folder.path('small.jsonl'), folder.path('from-jsonl.gictrace'), {});
    expect(digest(folder.path('from-jsonl.gictrace'))).toBe(digest(small));
    const test = readFileSync(folder.path('small.test.ts'), 'utf8');
    expect(test).toContain('toContain("lost-doorbell")');
    expect(test).toContain(readFileSync(folder.path('small.jsonl'), 'utf8').trim());
  });

  it('writes a scenario whose driver shows the finding, and none with a step less', async () => {
    const made = folder.path('small.yaml');
    expect(
      (await run('minimize', trace, '--keep', 'finding:lost-doorbell', '-o', small, '--emit', 'yaml')).code,
    ).toBe(0);
    const text = readFileSync(made, 'utf8');
    expect(text).toContain('--on vpe-proxy -o again.gictrace');
    const steps = text.split('\n').filter((line) => line.startsWith('  - '));
    expect(steps.length).toBeLessThan(20);
    const hasIt = async (yaml: string): Promise<boolean> => {
      const path = folder.path('again.yaml');
      writeFileSync(path, yaml);
      const again = folder.path('again-of-yaml.gictrace');
      const { code } = await run('record', path, '-o', again, '--on', 'vpe-proxy', '--force');
      return code === 0 && (await run('check', again, '--rule', 'lost-doorbell')).code === 1;
    };
    expect(await hasIt(text)).toBe(true);
    for (const step of steps) expect(await hasIt(text.replace(`${step}\n`, '')), step).toBe(false);
  }, 60_000);

  it('writes a scenario of a recording of Linux, whose operations are lifted', async () => {
    const linux = folder.path('linux.gictrace');
    await importToTrace(recording('linux-gicv3-qemu-11.log.gz'), linux, {});
    const rest = ['--plant', 'lpi-stays-pending', '-o', small, '--emit', 'yaml'];
    expect((await run('minimize', linux, ...rest)).code).toBe(0);
    const made = folder.path('small.yaml');
    const text = readFileSync(made, 'utf8');
    expect(text.split('\n').filter((line) => line.startsWith('  - ')).length).toBeLessThan(7);
    expect(text).toContain('fire: ');
    const again = folder.path('again-of-linux.gictrace');
    expect((await run('record', made, '-o', again, '--on', 'its')).code).toBe(0);
    expect(replayTrace(again).diverged).toBe(0);
    expect(replayPlanted(again, 'lpi-stays-pending').diverged).toBeGreaterThan(0);
  }, 120_000);

  it('writes no scenario if the operations of the trace do not show it', async () => {
    const bare = folder.path('bare.gictrace');
    await importToTrace(recording('gicv3-active.log.gz'), bare, {});
    const GICR_ICACTIVER0 = 0x1_0380;
    const writesActive = (batch: RecordBatch) =>
      Array.from({ length: batch.count }, (_, i) => i).some(
        (i) => batch.kind[i] === KIND['mmio.write'] && batch.words[i * RECORD_WORDS + 2] === GICR_ICACTIVER0,
      );
    const { stimuli, scenario } = await minimizeTrace(bare, {
      what: 'property',
      isSlow: false,
      holds: async (batches) => batches.some(writesActive),
    });
    expect(stimuli.length).toBeLessThan(3);
    await expect(scenario()).rejects.toThrow(/^no scenario shows it: .* done again by its$/);
  });

  it('shows what became of a table of an ITS by a message', async () => {
    const moved = folder.path('moved.gictrace');
    const lines = [
      'scenario: a vector moves',
      'machine: { pes: 2 }',
      'devices:',
      '  nic: { id: 8, vectors: 1 }',
      'steps:',
    ];
    const steps = [
      'online: [0, 1]',
      'alloc: nic',
      '{ activate: nic/0, pe: 0 }',
      'unmask: nic/0',
      '{ set_affinity: nic/0, pe: 1 }',
    ];
    writeFileSync(
      folder.path('moved.yaml'),
      `${[...lines, ...steps.map((step) => `  - ${step}`)].join('\n')}\n`,
    );
    expect((await run('record', folder.path('moved.yaml'), '-o', moved, '--on', 'its@qemu-virt')).code).toBe(
      0,
    );
    const { code, out } = await run(
      ...['minimize', moved, '--plant', 'movi-keeps-collection', '-o', small, '--emit', 'qtest,c', '--json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(out).divergence).toMatchObject({ kind: 'ite.write' });
    const program = readFileSync(folder.path('small.qtest.py'), 'utf8');
    expect(program).toMatch(/read\(\d, 0x[0-9a-f]+, 0x[0-9a-f]+, 0x[0-9a-f]+, "PE\d ICC_HPPIR1_EL1/);
    if (!hasQemu) return;
    expect(spawnSync('python3', [folder.path('small.qtest.py')], { encoding: 'utf8' })).toMatchObject({
      status: 0,
    });
    if (hasCompiler)
      expect(booted(readFileSync(folder.path('small.c'), 'utf8'))).toContain('RESULT: as the reference');
  });

  it('keeps what a query finds', async () => {
    const sql = "SELECT 1 FROM its_commands WHERE op = 'VMAPP'";
    const { code, out } = await run(
      'minimize',
      trace,
      '--keep',
      `sql:${sql}`,
      '-o',
      small,
      '--json',
      '--tests',
      '60',
      '--no-values',
    );
    expect(code).toBe(0);
    expect(JSON.parse(out).stimuli).toBeLessThan(60);
  });

  it('keeps the exit code of a command', async () => {
    const { code, out } = await run(
      ...[
        'minimize',
        trace,
        '--keep',
        `command:test $(wc -c < {}) -gt 900`,
        '-o',
        small,
        '--json',
        '--tests',
        '40',
      ],
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ minimal: false, kept: expect.stringContaining('exit with 0') });
  });

  it.each([
    [['--keep', 'nonsense'], "--keep does not know 'nonsense'"],
    [['--keep', 'finding:nonsense'], "no check is called 'nonsense'"],
    [['--keep', 'lost:x'], '--keep lost: takes a whole number below 2^24'],
    [['--keep', 'sql:'], 'names nothing'],
    [['--keep', 'finding:stranded-lpi'], 'does not have that property'],
    [['--keep', 'sql:SELECT 1', '--on', 'qemu'], '--on and --plant are for'],
    [['--keep', 'command:no-such-program-anywhere'], 'cannot be run'],
    [['--exit', '1'], '--exit is for'],
    [['--plant', 'nonsense'], "no fault 'nonsense'"],
    [['--plant', 'int-ignored', '--on', 'exec:true'], '--plant is for a simulator'],
    [['--on', 'simulator@nonsense'], "no profile 'nonsense'"],
    [['--emit', 'nonsense'], "--emit does not know 'nonsense'"],
    [[], 'does not diverge there'],
  ])('refuses %j in one line', async (options, message) => {
    const { code, out, err } = await run('minimize', trace, ...options, '-o', folder.path('never.gictrace'));
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^gictrace: [^\n]*\n$/);
    expect(err).toContain(message);
  });

  it('refuses what is no trace', async () => {
    expect(await main(['minimize', folder.path('small.jsonl'), '-o', folder.path('never.gictrace')])).toBe(4);
  });
});

function digest(path: string): string | undefined {
  const reader = TraceReader.open(path);
  reader.close();
  return reader.footer?.semanticDigest;
}
