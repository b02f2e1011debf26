// Logs and scenarios that are good but for one line, or that stand for far more than they contain: one line and an exit code,
// soon; and what an import has written can be read.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { main } from 'gictrace';
import { afterAll, expect, it, vi } from 'vitest';
import { recording, scratch } from './support.ts';

const folder = scratch();
afterAll(() => folder.dispose());
const out = folder.path('out.gictrace');
const log = gunzipSync(readFileSync(recording('its-trigger.log.gz'))).toString('latin1');

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let err = '';
  let printed = '';
  const writes = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += String(chunk);
    return true;
  });
  const errors = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    err += String(chunk);
    return true;
  });
  try {
    return { code: await main(args), out: printed, err };
  } finally {
    writes.mockRestore();
    errors.mockRestore();
  }
}

/** Imports the good log with some lines in its middle. */
async function withLines(...lines: string[]) {
  const whole = log.split('\n');
  whole.splice(whole.length >> 1, 0, ...lines);
  const path = folder.path('log');
  writeFileSync(path, whole.join('\n'));
  return await run('import', 'qemu', path, '-o', out, '--force');
}

const stamp = log.slice(0, log.indexOf(':') + 1);

it.each([0xffff, 0x7fff_ffff, 0x203])(
  'a line that names PE 0x%s is refused, and not a GIC with that many PEs',
  async (pe) => {
    const line = `${stamp}gicv3_cpuif_update GICv3 CPU i/f 0x${pe.toString(16)} HPPI update: irq 0 group 0 prio 255`;
    const { code, err } = await withLines(line);
    expect(code).toBe(2);
    expect(err).toMatch(/^gictrace: [^\n]*log: a line names PE \d+[^\n]*damaged[^\n]*\n$/);
  },
);

it('a time far from all others is unknown, and counted', async () => {
  const { code, out: printed } = await withLines(
    '1@9007199254740.397987:gicv3_redist_read GICv3 redistributor 0x0 read: offset 0x8 data 0x1 size 4 secure 0',
    '1@99999999999999999999999.1:gicv3_redist_read GICv3 redistributor 0x0 read: offset 0x8 data 0x1 size 4 secure 0',
  );
  expect(code).toBe(0);
  expect(printed).toMatch(/2 +times more than 104 days/);
  expect((await run('info', '--verify', out)).code).toBe(0);
});

it.each([
  [
    'blanks in a comment of function_graph',
    ` 1)               |  /* irq_handler_entry: ${' '.repeat(900_000)}`,
  ],
  ['one word', ` vcpu-1 [000] 1.000000: kvm_exit: ${'a'.repeat(900_000)}`],
  ['an exit that never ends', ` vcpu-1 [000] 1.000000: kvm_exit: ${'a: HSR_EC: 0x1 ('.repeat(60_000)}`],
  ['callers', ` vcpu-1 [000] 1.000000: rwmmio_read: ${'f.'.repeat(450_000)}`],
  ['a place that never ends', ` vcpu-1 [000] 1.000000: vgic_sgi: (${'p'.repeat(900_000)}`],
  ['blanks before an event', `${' '.repeat(900_000)}kvm_mmio:`],
])('a line of ftrace of 900,000 characters takes no time: %s', async (_what, line) => {
  const path = folder.path('ftrace.txt');
  writeFileSync(path, `# tracer: nop\n${`${line}\n`.repeat(3)}`);
  const from = performance.now();
  const { err } = await run('import', 'ftrace', path, '-o', folder.path('ftrace.gictrace'));
  expect(err).toMatch(/^gictrace: [^\n]+\n$/);
  expect(performance.now() - from).toBeLessThan(10_000);
});

const HEAD = 'scenario: x\nmachine: { pes: 1 }\n';
const million = (inner: string) => `[ { repeat: 1000000, steps: ${inner} } ]`;
it.each([
  [
    'aliases of aliases',
    `${HEAD}a: &a [x,x,x]\n${[...'bcdefghijk'].map((n, i, all) => `${n}: &${n} [${`*${all[i - 1] ?? 'a'},`.repeat(9)}]\n`).join('')}steps: [online: [0]]\n`,
    /aliases/,
  ],
  ['steps that contain themselves', `${HEAD}steps: &s\n  - repeat: 2\n    steps: *s\n`, /alias/],
  [
    'a million times a million repeats',
    `${HEAD}steps: ${million(million('[ online: [0] ]'))}\n`,
    /more than \d+ operations/,
  ],
])('%s', async (_name, text, says) => {
  const path = folder.path('hostile.yaml');
  writeFileSync(path, text);
  const from = performance.now();
  const { code, err } = await run('record', path, '-o', folder.path('never.gictrace'));
  expect([code, err]).toEqual([2, expect.stringMatching(says)]);
  expect(err).toMatch(/^gictrace: [^\n]+\n$/);
  expect(performance.now() - from).toBeLessThan(10_000);
  expect(existsSync(folder.path('never.gictrace'))).toBe(false);
});
