// Recordings of GICs with two Security states: how PEs execute is right wherever the log has the truth, all of it
// replays, and a number that is changed does not.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { recordText } from '@gictrace/core/disasm';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS } from '@gictrace/core/record';
import { SYSREGS } from '@gictrace/core/spec';
import { TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allBatches, imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const logOf = (name: string): string[] =>
  gunzipSync(readFileSync(recording(`${name}.log.gz`)))
    .toString('latin1')
    .trimEnd()
    .split('\n');

async function divergedIn(lines: readonly string[]): Promise<number> {
  const log = temp.path('changed.log');
  writeFileSync(log, `${lines.join('\n')}\n`);
  await imported(log, temp.path('changed.gictrace'));
  return replayTrace(temp.path('changed.gictrace'), { version: 'test' }).diverged;
}

describe.each([
  ...['el3-bare-metal', 'el3-with-truth-markers', 'tfa-uboot-linux', 'linux-secure-direct-head'],
  ...['el3-disables-security', 'el3-disables-security-11'],
])('%s', (name) => {
  const trace = temp.path(`${name}.gictrace`);
  beforeAll(() => imported(recording(`${name}.log.gz`), trace));

  it('replays without a divergence', () => {
    const verdict = replayTrace(trace, { version: 'test' });
    expect(verdict.first).toBeNull();
    expect(verdict.diverged).toBe(0);
    expect(verdict.anomalies).toBe(0);
    const reader = TraceReader.open(trace);
    for (const kind of ['mmio.read', 'sysreg.read', 'hppi', 'sgi.sent'])
      expect(verdict.compared[kind] ?? 0, kind).toBe(reader.footer!.kinds[kind] ?? 0);
    reader.close();
  });
});

it.each([
  ['an acknowledged INTID', /(gicv3_icc_iar[01]_read .* value 0x)[0-9a-f]+$/],
  ['a running priority', /(gicv3_icc_rpr_read .* value 0x)[0-9a-f]+$/],
  ['a register of the Distributor', /(gicv3_dist_read .* data 0x)[0-9a-f]+/],
])('%s that is changed in the log diverges', async (_what, pattern) => {
  const lines = logOf('el3-bare-metal');
  const at = lines.findLastIndex((line) => pattern.test(line));
  expect(at).toBeGreaterThan(0);
  lines[at] = lines[at]!.replace(pattern, '$15');
  expect(await divergedIn(lines)).toBeGreaterThan(0);
});

describe.each(['el3-disables-security', 'el3-disables-security-11'])('%s', (name) => {
  const DISABLES = /gicv3_dist_write .* offset 0x0 data 0x43/;

  it.each([
    [
      'an interrupt of Group 0 that Non-secure software acknowledges',
      /(gicv3_icc_iar0_read .* value 0x)2$/,
      '5',
    ],
    ['an interrupt of Group 1', /(gicv3_icc_iar1_read .* value 0x)5$/, '4'],
    ['which line a PE at EL3 is signalled', /(gicv3_cpuif_set_irqs .* FIQ )1 IRQ 0$/, '0 IRQ 1'],
    [
      'a priority that is not shifted any more',
      /(gicv3_redist_read .* offset 0x10400 data 0x)[0-9a-f]+/,
      '1',
    ],
    [
      'GICD_TYPER, which has one Security state now',
      /(gicv3_dist_read .* offset 0x4 data 0x)[0-9a-f]+/,
      '37a0406',
    ],
    ['CBPR, which can be written now', /(gicv3_icc_ctlr_read .* value 0x)[0-9a-f]+$/, '0'],
  ])('after GICD_CTLR.DS is set, %s that is changed in the log diverges', async (_what, pattern, to) => {
    const lines = logOf(name);
    const from = lines.findIndex((line) => DISABLES.test(line));
    const at = lines.findLastIndex((line) => pattern.test(line));
    expect(from).toBeGreaterThan(0);
    expect(at).toBeGreaterThan(from);
    const changed = lines[at]!.replace(pattern, `$1${to}`);
    expect(changed).not.toBe(lines[at]);
    lines[at] = changed;
    expect(await divergedIn(lines)).toBeGreaterThan(0);
  });
});

/** How the guest of el3-with-truth-markers says that it executes, and which SGI register it writes, to its console. */
const CONSOLE = /memory_region_ops_write cpu 0 .* addr 0x9000000 value 0x([de][0-3]) /;
const STATE_OF: Readonly<Record<string, string>> = { e0: 'Non-secure', e1: 'Secure', e3: 'EL3' };
const SGI_OF: Readonly<Record<string, number>> = {
  d0: SYSREGS.ICC_SGI0R_EL1.encoding,
  d1: SYSREGS.ICC_SGI1R_EL1.encoding,
  d2: SYSREGS.ICC_ASGI1R_EL1.encoding,
};

it('every access to a system register is taken to be as the guest says that it was', async () => {
  const name = 'el3-with-truth-markers';
  const lines = logOf(name);
  const truth: string[] = [];
  const sgi: number[] = [];
  let state = '';
  let register = 0;
  for (const line of lines) {
    const said = CONSOLE.exec(line)?.[1];
    if (said !== undefined) {
      state = STATE_OF[said] ?? state;
      register = SGI_OF[said] ?? register;
    }
    truth.push(state);
    sgi.push(register);
  }
  await imported(recording(`${name}.log.gz`), temp.path('truth.gictrace'));
  const { batches, reader } = allBatches(temp.path('truth.gictrace'));
  reader.close();
  const wrong: string[] = [];
  const right = { 'Non-secure': 0, Secure: 0, EL3: 0, SGIs: 0 } as Record<string, number>;
  for (const batch of batches)
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      if (kind !== RECORDS['sysreg.read'].id && kind !== RECORDS['sysreg.write'].id) continue;
      const flags = batch.flags[i]!;
      const own = flags & RECORD_FLAGS.el3 ? 'EL3' : flags & RECORD_FLAGS.secure ? 'Secure' : 'Non-secure';
      const at = batch.line[i]! - 1;
      if (own === truth[at]) right[own]!++;
      else wrong.push(`line ${at + 1}: ${recordText(batch, i)}, but ${truth[at]}`);
      if (!lines[at]!.includes('gicv3_icc_generate_sgi')) continue;
      if (batch.words[i * RECORD_WORDS] === sgi[at]) right.SGIs!++;
      else wrong.push(`line ${at + 1}: ${recordText(batch, i)}`);
    }
  // 139 of 139 accesses, and the register of 11 of 11 SGIs.
  expect(wrong).toEqual([]);
  expect(right).toEqual({ 'Non-secure': 77, Secure: 7, EL3: 55, SGIs: 11 });
});

describe('one number changed in a log with two Security states diverges', () => {
  const lines = logOf('el3-with-truth-markers');
  const at = (text: RegExp, from = 0): number => lines.findIndex((line, n) => n >= from && text.test(line));
  it('as it is, it does not', async () => {
    expect(await divergedIn(lines)).toBe(0);
  });
  // What each rule rests on, and what is compared all the same.
  it.each([
    [
      'whether a read was Secure',
      /gicv3_dist_read .* offset 0x0 data 0x12 size 4 secure 0/,
      /secure 0/,
      'secure 1',
    ],
    ['the value of a Secure read', /offset 0x0 data 0x37 size 4 secure 1/, /data 0x37/, 'data 0x35'],
    ['what only EL3 is answered', /ICC_IAR0 read cpu 0x0 value 0x3fc/, /value 0x3fc/, 'value 0x3fd'],
    ['whose interrupt it was', /ICC_IAR1 read cpu 0x0 value 0xc$/, /value 0xc/, 'value 0xd'],
    ['a shifted mask', /ICC_PMR read cpu 0x0 value 0xf0/, /value 0xf0/, 'value 0xe0'],
    ['a shifted running priority', /ICC_RPR read cpu 0x0 value 0x40/, /value 0x40/, 'value 0x48'],
    ['the Non-secure binary point', /ICC_BPR1 read cpu 0x0 value 0x3/, /value 0x3/, 'value 0x2'],
    ['the enables of EL3', /ICC_IGRPEN1_EL3 read cpu 0x0 value 0x3/, /value 0x3/, 'value 0x2'],
    ['an FIQ that is an IRQ', /setting FIQ 1 IRQ 0/, /FIQ 1 IRQ 0/, 'FIQ 0 IRQ 1'],
    ['an SGI that is another', /pending SGI 8/, /SGI 8/, 'SGI 9'],
    ['the group of what is pending', /irq 8 group 1 prio 32/, /group 1/, 'group 2'],
  ] as const)('%s', async (_what, line, from, to) => {
    const n = at(line);
    expect(n).toBeGreaterThanOrEqual(0);
    const changed = [...lines];
    changed[n] = lines[n]!.replace(from, to);
    expect(changed[n]).not.toBe(lines[n]);
    expect(await divergedIn(changed)).toBeGreaterThan(0);
  });
});
