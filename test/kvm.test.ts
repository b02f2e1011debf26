// KVM's GIC as a backend: real recordings on a real KVM. GICTRACE_KVM names the adapter that
// `node examples/adapters/kvm/build.mjs FOLDER` has made.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { RECORDS, RecordBatch } from '@gictrace/core/record';
import { ProcessBackend } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const adapter = process.env.GICTRACE_KVM ?? '';
const canRun = adapter !== '' && existsSync(adapter);
if (!canRun) console.warn('SKIPPED: GICTRACE_KVM names no adapter: nothing is replayed on KVM');

interface Verdict {
  readonly compared: Readonly<Record<string, number>>;
  readonly divergedBy: Readonly<Record<string, number>>;
}

/** Replays a recording on KVM. Returns the verdict, and what differs by subject, from the re-recorded trace. */
async function onKvm(name: string): Promise<{ verdict: Verdict; differs: Record<string, string> }> {
  const [trace, again] = [temp.path(name), temp.path(`${name}.kvm`)];
  await imported(recording(`${name}.log.gz`), trace);
  const { out, err, code } = await run(
    'replay',
    trace,
    '--on',
    'kvm',
    '--json',
    '-o',
    again,
    '--timeout',
    '60',
  );
  expect(code, err).toBe(1);
  const { out: text } = await run('dump', again);
  const { out: recorded } = await run('dump', trace);
  /** Values that reads of a register returned, in order. */
  const reads = (of: string) =>
    [...of.matchAll(/(GI\w+_\w+|ICC_\w+) -> (\S+)/g)].map(
      ([, register, value]) => [register, value] as const,
    );
  const [a, b] = [reads(recorded), reads(text)];
  expect(b.map(([register]) => register)).toEqual(a.map(([register]) => register));
  const differs: Record<string, string> = {};
  a.forEach(([register, value], i) => {
    if (value !== b[i]![1]) differs[register!] = `${value} ${b[i]![1]}`;
  });
  return { verdict: JSON.parse(out) as Verdict, differs };
}

describe.skipIf(!canRun)('KVM as a backend', () => {
  it('kvm-unit-tests: gicv3-active signals what it did on QEMU; what differs identifies KVM', async () => {
    const { verdict, differs } = await onKvm('gicv3-active');
    expect(verdict.compared.hppi).toBeGreaterThan(80);
    expect(Object.keys(differs).sort()).toEqual([
      'GICD_CTLR', // EnableGrp0 is RAZ/WI
      'GICD_TYPER',
      'GICR_TYPER',
      'GITS_BASER0',
      'GITS_BASER1',
      'GITS_TYPER',
    ]);
  }, 90_000);

  it('refuses by name what KVM lacks', async () => {
    const backend = new ProcessBackend({ command: `'${adapter}'`, version: 'test', timeoutMs: 60_000 });
    try {
      const two = configOf('architecture', { ...PLAIN, twoSecurityStates: true }, 2);
      await expect(backend.reset(two)).rejects.toThrow('two Security states (GICD_TYPER.SecurityExtn)');
    } finally {
      await backend.close();
    }
  }, 90_000);

  it('a stimulus has one response, in order, and the next reset makes a new machine', async () => {
    const backend = new ProcessBackend({ command: `'${adapter}'`, version: 'test', timeoutMs: 60_000 });
    const config = configOf('kvm', PLAIN, 2);
    const write = RECORDS['mmio.write'].id;
    const read = RECORDS['mmio.read'].id;
    const batch = new RecordBatch(3);
    const add = (kind: number, offset: number, width: number, value: number) => {
      const i = batch.push(kind, 1, Number.NaN);
      batch.words.set([0, 0, offset, width, value], i * (batch.words.length / 3));
    };
    add(write, 0x104, 4, 0x5);
    add(read, 0x104, 4, 0);
    add(read, 0x102, 4, 0); // not aligned
    const answers: string[] = [];
    const to = {
      answered: (low: number) => answers.push(`${low}`),
      skipped: (reason: string) => answers.push(reason),
      shown: () => answers.push('shown'),
    };
    try {
      await backend.reset(config);
      await backend.run(batch, to);
      await backend.reset(config, []);
      const again = new RecordBatch(1);
      again.copy(batch, 1);
      await backend.run(again, to);
    } finally {
      await backend.close();
    }
    expect(answers).toEqual(['0', '5', 'KVM: the access aborts in the guest', '0']);
  }, 90_000);

  it('leaves no process when gictrace is killed', async () => {
    const trace = temp.path('killed');
    await imported(recording('its-trigger.log.gz'), trace);
    const program = fileURLToPath(new URL('../packages/cli/bin/gictrace.js', import.meta.url));
    const child = spawn(process.execPath, [program, 'replay', trace, '--on', 'kvm', '--batch', '1'], {
      stdio: 'ignore',
    });
    const mark = `exec:cat '${adapter.replace(/[^/]*$/, 'state')}'`;
    const parents = () =>
      spawnSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
        .stdout.split('\n')
        .filter((line) => line.includes(mark));
    const before = new Set(parents());
    while (parents().every((line) => before.has(line))) await new Promise((done) => setTimeout(done, 20));
    const own = parents().filter((line) => !before.has(line));
    child.kill('SIGKILL');
    const left = () => parents().filter((line) => own.includes(line));
    for (let n = 0; n < 200 && left().length > 0; n++) await new Promise((done) => setTimeout(done, 50));
    expect(left()).toEqual([]);
  }, 90_000);
});
