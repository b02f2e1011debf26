// KVM's GIC as a backend: real recordings on a real KVM. GICTRACE_KVM names the adapter that
// `node examples/adapters/kvm/build.mjs FOLDER` has made.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { RECORDS, RecordBatch } from '@gictrace/core/record';
import { kvmScript } from '@gictrace/recorder';
import { CHOICES, foreseeTrace, ProcessBackend } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { imported, processesWith, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const adapter = process.env.GICTRACE_KVM ?? '';
const canRun = adapter !== '' && existsSync(adapter);
if (!canRun) console.warn('SKIPPED: GICTRACE_KVM names no adapter: nothing is replayed on KVM');

interface Verdict {
  readonly compared: Readonly<Record<string, number>>;
  readonly divergedBy: Readonly<Record<string, number>>;
  readonly first: { readonly recorded: string } | null;
  readonly tolerated: Readonly<Record<string, number>>;
  readonly implementationChoices: Readonly<Record<string, number>>;
  readonly unknown: Readonly<Record<string, number>>;
}

/** Replays a trace on KVM, where identification registers may differ. */
async function verdictOf(trace: string): Promise<Verdict> {
  const { out, err } = await run(
    ...['replay', trace, '--on', 'kvm', '--json', '--allow', 'identification', '--timeout', '60'],
  );
  expect(err).toBe('');
  return JSON.parse(out) as Verdict;
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

  it('kvm-unit-tests: its-trigger, whose log lacks the collections of INVALLs; every LPI arrives', async () => {
    const trace = temp.path('its-trigger.kvm');
    await imported(recording('its-trigger.log.gz'), trace);
    const { compared, divergedBy, tolerated, unknown } = await verdictOf(trace);
    expect(compared['sysreg.read']).toBe(4);
    // GITS_BASER<n>.InnerCache and Page_Size, and GICD_CTLR.EnableGrp0
    expect(divergedBy).toEqual({ 'mmio.read': 9 });
    expect(tolerated.identification).toBeGreaterThan(10);
    expect(unknown['collections of INVALLs that the source does not show: inferred for the backend']).toBe(2);
  }, 90_000);

  it('Linux on QEMU: whichever of equal interrupts KVM presents, everything else is as it was recorded', async () => {
    const [log, trace] = [temp.path('boot.log'), temp.path('boot')];
    const lines = gunzipSync(readFileSync(recording('linux-gicv3-plugin-head.log.gz')))
      .toString()
      .split('\n');
    writeFileSync(log, lines.slice(0, 30_000).join('\n'));
    await imported(log, trace);
    const { compared, divergedBy, implementationChoices } = await verdictOf(trace);
    expect(compared['sysreg.read']).toBeGreaterThan(500);
    expect(compared.hppi).toBeGreaterThan(4000);
    // GICD_CTLR.EnableGrp0, GICR_WAKER, and the attributes of GITS_BASER<n>
    expect(divergedBy).toEqual({ 'mmio.read': 15 });
    const { acknowledged, signalled, follows } = CHOICES;
    for (const name of [acknowledged, signalled, follows])
      expect(implementationChoices[name], name).toBeGreaterThan(10);
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
    const parents = () => processesWith(mark);
    const before = new Set(parents());
    while (parents().every((line) => before.has(line))) await new Promise((done) => setTimeout(done, 20));
    const own = parents().filter((line) => !before.has(line));
    child.kill('SIGKILL');
    const left = () => parents().filter((line) => own.includes(line));
    for (let n = 0; n < 200 && left().length > 0; n++) await new Promise((done) => setTimeout(done, 50));
    expect(left()).toEqual([]);
  }, 90_000);
});

it('an LPI has its configuration before MAPTI or INV, where an implementation may keep what it reads', async () => {
  const trace = temp.path('foreseen');
  await imported(recording('its-trigger.log.gz'), trace);
  // 8195 and 8196 are enabled when they are mapped; 8195 is disabled when it is invalidated, and the log shows that by
  // silence alone, one command later. The bytes that become known with the INVALL that reads them need no foresight.
  const fills = [...foreseeTrace(trace, true).fills.values()].flat();
  expect(fills).toEqual([
    { address: 0x40270003, byte: 0xa1 },
    { address: 0x40270004, byte: 0xa1 },
    { address: 0x40270003, byte: 0 },
  ]);
  // An implementation that reads the byte with each message needs none.
  expect(foreseeTrace(trace).fills.size).toBe(0);
});

const MACHINE = fileURLToPath(new URL('../examples/adapters/kvm/machine.mjs', import.meta.url));
const hasShell = canRun && existsSync(join(dirname(adapter), 'state'));

/** Runs commands in the machine that hosts KVM, with files in its folder /tmp. Returns what they printed. */
function inMachine(files: Readonly<Record<string, Buffer>>, commands: string): Promise<string> {
  const given = Object.entries(files).map(
    ([name, bytes]) => `base64 -d << 'X' | gzip -dc > /tmp/${name}\n${lines(gzipSync(bytes))}\nX\n`,
  );
  const child = spawn(process.execPath, [MACHINE, dirname(adapter), '--shell'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let out = '';
  child.stdin.write(`${given.join('')}cd /tmp\n${commands}\necho ALL''DONE\n`);
  return new Promise((resolve) => {
    child.stdout.on('data', (bytes) => {
      out += bytes;
      if (out.includes('ALLDONE')) child.kill('SIGTERM');
    });
    child.on('exit', () => resolve(out));
  });
}
const lines = (bytes: Buffer) =>
  bytes
    .toString('base64')
    .match(/.{1,76}/g)!
    .join('\n');

describe.skipIf(!hasShell)('record kvm', () => {
  it('records what a guest does with tracepoints and probes, and leaves nothing, whatever is killed', async () => {
    const [trace, input, log] = [temp.path('its-trigger'), temp.path('input'), temp.path('log')];
    await imported(recording('its-trigger.log.gz'), trace);
    await run('replay', trace, '--on', `exec:tee '${input}' | '${adapter}'`, '--timeout', '60');
    const out = await inMachine(
      { 'rec.sh': Buffer.from(kvmScript()), input: readFileSync(input) },
      `state() { echo "$1: $(ls /sys/kernel/tracing/instances | wc -l) $(wc -l < /sys/kernel/tracing/kprobe_events)"; }
sh rec.sh log sh -c 'gictrace-kvm < input > output'; state "code $?"
sh rec.sh none sleep 100 & recorder=$!
until [ "$(cat /sys/kernel/tracing/instances/*/tracing_on 2> /dev/null)" = 1 ]; do sleep 0.1; done
state recording; kill -9 $recorder; while kill -0 $recorder 2> /dev/null; do sleep 0.1; done
n=0; until [ "$(ls /sys/kernel/tracing/instances)" = '' ] || [ $n = 50 ]; do sleep 0.1; n=$((n + 1)); done
sleep 0.3; state killed; ps | grep -c '[s]leep 100'
sh rec.sh none sh -c 'exit 7'; state "code $?"
echo ---BEGIN; gzip -c log | base64; echo ---END`,
    );
    const said = out.split('\n').map((line) => line.trim());
    expect(said.filter((line) => /^(code|recording|killed)/.test(line))).toEqual([
      'code 0: 0 0',
      'recording: 1 8',
      'killed: 0 0',
      'code 7: 0 0',
    ]);
    expect(said[said.indexOf('killed: 0 0') + 1]).toBe('0');
    expect(out).not.toContain('takes no probe');
    const text = gunzipSync(Buffer.from(/---BEGIN\s([\s\S]*?)---END/.exec(out)![1]!, 'base64'));
    writeFileSync(log, text);
    const events = new Set([...text.toString().matchAll(/: (\w+): /g)].map(([, name]) => name));
    for (const name of ['kvm_mmio', 'kvm_entry', 'vgic_vcpu', 'vgic_queue', 'vgic_lr', 'rdguest'])
      expect(events, name).toContain(name);
    // The same 17 commands that QEMU's ITS got.
    const commands = [...text.toString().matchAll(/rdguest: \(vgic_its\S* <- kvm_read_guest\).* len=32 /g)];
    expect(commands).toHaveLength(17);
  }, 240_000);
});
