// Real ftrace logs of KVM guests and of a host: every format is read, frames and vCPUs are found, commands that the log
// does not show are unknown, and those that probes show are the guest's.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import { Checker } from '@gictrace/core/check';
import { KIND, RECORD_WORDS, RULES } from '@gictrace/core/record';
import { loadTraces, QueryDatabase } from '@gictrace/query';
import { type FtraceOptions, importFtraceToTrace, sourceFacts, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { allBatches, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
let files = 0;

const textOf = (name: string): string =>
  execFileSync('xz', ['-dc', recording(`ftrace/${name}.txt.xz`)], { encoding: 'utf8', maxBuffer: 1 << 26 });
const kindNames = new Map(Object.entries(KIND).map(([name, id]) => [id as number, name]));
const ruleNames = new Map(Object.entries(RULES).map(([name, { id }]) => [id as number, name]));

async function imported(text: string, options: FtraceOptions = {}) {
  const [log, trace] = [temp.path(`log-${files}`), temp.path(`trace-${files++}`)];
  writeFileSync(log, text);
  const report = await importFtraceToTrace(log, trace, { version: 'test', ...options });
  const { batches, reader } = allBatches(trace);
  const checker = new Checker(reader.header.config, sourceFacts(reader.header));
  reader.close();
  const kinds: Record<string, number> = {};
  const rules: Record<string, number> = {};
  const count = (table: Record<string, number>, name: string) => {
    table[name] = (table[name] ?? 0) + 1;
  };
  for (const batch of batches) {
    checker.take(batch);
    for (let i = 0; i < batch.count; i++) {
      count(kinds, kindNames.get(batch.kind[i]!)!);
      if (batch.rule[i] !== 0) count(rules, ruleNames.get(batch.rule[i]!)!);
    }
  }
  const findings = checker.finish().map(({ rule }) => rule);
  return { ...report, trace, batches, kinds, rules, findings };
}

async function refused(text: string, options: FtraceOptions = {}): Promise<string> {
  try {
    await imported(text, options);
  } catch (error) {
    expect(error).toBeInstanceOf(GicTraceError);
    return (error as GicTraceError).line;
  }
  throw new Error('it was taken');
}

describe('a Linux guest', () => {
  it('is found without options, and its commands are unknown', async () => {
    const { kinds, rules, findings, config, stats, missing, trace } = await imported(textOf('linux-doc'));
    expect(kinds).toEqual({ 'wire.set': 6874, 'mmio.read': 116, 'mmio.write': 441 });
    expect(rules).toEqual({ 'pe-from-vcpu-thread': 557 });
    expect(config.addresses).toEqual({ gicd: 0x800_0000, gicr: [0x80a_0000, 0x80c_0000], its: [0x808_0000] });
    expect(stats.losses).toEqual({ 'kvm_mmio: an access to no known frame of the GIC': 2457 });
    expect(missing).toContain('acknowledges');
    expect(findings).toEqual([]);
    const { first, compared, unknown } = replayTrace(trace, { version: 'test' });
    expect([first, compared]).toEqual([null, { 'mmio.read': 116 }]);
    expect(unknown['ITS commands that the source does not show']).toBe(15);
  });

  it('of which probes show commands, configuration, SGIs and messages, is complete but for what the hardware does', async () => {
    const { kinds, batches, findings, missing, trace } = await imported(textOf('kq-linux'));
    expect(findings).toEqual([]);
    expect(missing).not.toContain('SGIs');
    expect([kinds['queue.write'], kinds['sysreg.write'], kinds['msi.write']]).toEqual([15, 152, 2]);
    expect([kinds['vgic.listed'], kinds['vgic.queued']]).toEqual([3064, 1843]);
    const commands: number[] = [];
    const messages: number[][] = [];
    for (const { kind, words, count } of batches)
      for (let i = 0; i < count; i++) {
        const at = i * RECORD_WORDS;
        if (kind[i] === KIND['queue.write']) commands.push(words[at + 3]! & 0xff);
        if (kind[i] === KIND['msi.write']) messages.push([...words.subarray(at, at + 3)]);
      }
    // MAPC SYNC, INVALL SYNC for each PE; MAPD; MAPTI SYNC for three events.
    expect(commands).toEqual([9, 5, 13, 5, 9, 5, 13, 5, 8, 10, 5, 10, 5, 10, 5]);
    expect(messages).toEqual([
      [0, 8, 2],
      [0, 8, 1],
    ]);
    const { unknown, first, compared } = replayTrace(trace, { version: 'test' });
    expect([first, compared['mmio.read']]).toEqual([null, 116]);
    expect(unknown['ITS commands that the source does not show']).toBeUndefined();
    expect(unknown['its.command: not shown by the source']).toBe(15);
  });

  it('diverges where a number in its log is wrong', async () => {
    const right = 'mmio read len 4 gpa 0x800000c val 0x0';
    const text = textOf('linux-doc').replace(right, right.replace(/0$/, '1'));
    const { trace } = await imported(text);
    expect(replayTrace(trace, { version: 'test' }).first?.stimulus?.text).toContain('GICD_TYPER2');
  });

  it('that lost events in the middle has an unknown state from there on', async () => {
    const lines = textOf('linux-doc').split('\n');
    const cut = [
      ...lines.slice(0, 2000),
      'CPU:0 [LOST 1900 EVENTS]',
      'CPU:1 [LOST 100 EVENTS]',
      ...lines.slice(4000),
    ];
    const { rules, kinds, findings, trace } = await imported(cut.join('\n'));
    expect([kinds['source.lost'], rules['state-after-loss']]).toEqual([2, 1]);
    expect(findings).toEqual([]);
    expect(replayTrace(trace, { version: 'test' }).unknown['state-after-loss']).toBe(1);
  });
});

/** The lines of a log in another format, by the parts of each. */
function printed(
  text: string,
  print: (
    comm: string,
    pid: string,
    cpu: string,
    flags: string,
    time: string,
    event: string,
    rest: string,
  ) => string,
): string {
  return text.replace(/^ *(.+)-(\d+) +\[(\d+)\] (\S+) +([\d.]+): (\w+): (.*)$/gm, (_line, ...parts) =>
    print(...(parts.slice(0, 7) as [string, string, string, string, string, string, string])),
  );
}

const FORMATS: Readonly<Record<string, Parameters<typeof printed>[1]>> = {
  PREEMPT_RT: (comm, pid, cpu, flags, time, event, rest) =>
    `${comm.padStart(16)}-${pid} [${cpu}] ${flags.slice(0, 2)}.${flags[2]}${flags[3]}.${flags[4] ?? '.'}  ${time}: ${event}: ${rest}`,
  'record-tgid': (comm, pid, cpu, flags, time, event, rest) =>
    `${comm.padStart(16)}-${pid} (     60) [${cpu}] ${flags} ${time}: ${event}: ${rest}`,
  'an instance of trace-cmd': (comm, pid, cpu, _flags, time, event, rest) =>
    `  vm: ${comm.padStart(16)}-${pid} [${cpu}]    ${time}: ${`${event}:`.padEnd(22)} ${rest}`,
  'trace-cmd report -t': (comm, pid, cpu, _flags, time, event, rest) =>
    `${comm.padStart(16)}-${pid} [${cpu}]    ${time}000: ${`${event}:`.padEnd(22)} ${rest}`,
  'trace-cmd report -l': (comm, pid, cpu, flags, time, event, rest) =>
    `${comm.slice(0, 8)}-${pid} ${Number(cpu)}${flags}    ${time}: ${`${event}:`.padEnd(22)} ${rest}`,
  'the latency format': (comm, pid, cpu, flags, time, event, rest) =>
    `${comm.slice(0, 8)}-${pid} ${Number(cpu)}${flags} ${time.replace('.', '').replace(/^0+/, '')}us!: ${event}: ${rest}`,
  'perf script': (comm, pid, cpu, _flags, time, event, rest) =>
    `${comm} ${pid} [${cpu}] ${time}: kvm:${event}: ${rest}`,
  'perf script -F pid,tid,…': (comm, pid, cpu, _flags, time, event, rest) =>
    `${comm} 60/${pid} [${cpu}] ${time}:          1 kvm:${event}: ${rest}`,
  'the function_graph tracer': (comm, pid, cpu, _flags, time, event, rest) =>
    ` ${time} |   ${Number(cpu)})  ${comm.slice(0, 7)}-${pid}  |               |  /* ${event}: ${rest} */`,
};

it.each(Object.entries(FORMATS))('%s: the same records', async (_name, print) => {
  const { kinds, rules, config } = await imported(printed(textOf('linux-doc'), print));
  expect(kinds).toEqual({ 'wire.set': 6874, 'mmio.read': 116, 'mmio.write': 441 });
  // A task's name may be cut; its timer interrupts then show which vCPU it runs.
  expect((rules['pe-from-vcpu-thread'] ?? 0) + (rules['pe-from-vcpu-timer'] ?? 0)).toBe(557);
  expect(config.pes).toHaveLength(2);
});

it.each([
  ['demo-latency', { reads: 8, lost: 0 }],
  ['demo-stack', { reads: 8, lost: 0 }],
  ['perf-trace', { reads: 8, lost: 0 }],
  ['tc-report-R', { reads: 8, lost: 0 }],
] as const)('%s, of software that does not probe, fits a known map', async (name, { reads }) => {
  const { kinds, provenance, trace, findings } = await imported(textOf(name));
  expect(provenance['addresses.gicd']).toBe('rule frame-from-map');
  expect(kinds['mmio.read']).toBe(reads);
  expect(findings).toEqual([]);
  expect(replayTrace(trace, { version: 'test' }).diverged).toBe(0);
});

it('interrupts and IPIs of a host on PREEMPT_RT are context', async () => {
  const { kinds, stats } = await imported(textOf('rt-irq'));
  expect(kinds).toEqual({ 'host.irq.entry': 14, 'host.irq.exit': 14 });
  expect(stats.losses).toEqual({
    'event softirq_raise': 6,
    'event softirq_entry': 6,
    'event softirq_exit': 6,
  });
});

it('modules say that a log without acknowledges does not show what they ask, and never that there was none', async () => {
  const { trace } = await imported(textOf('linux-doc'));
  const reader = TraceReader.open(trace);
  const path = temp.path('modules.db');
  const { header } = reader;
  const digests = { contentDigest: null, semanticDigest: null };
  loadTraces(path, [{ name: 'guest', header, ...digests, batches: reader.batches() }]);
  reader.close();
  const db = new QueryDatabase(path);
  const ask = (sql: string) =>
    [...db.ask(sql).rows].map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)));
  try {
    expect(ask('SELECT INTID, outcome, lost_by FROM lost')).toEqual([
      [null, 'not recorded', 'no acknowledges, no MSIs'],
    ]);
    expect(ask('SELECT pe, why FROM spurious')).toEqual([[null, 'not recorded']]);
    expect(ask('SELECT INTID, state, gate, PMR, running FROM stranded ORDER BY INTID')).toEqual([
      [null, 'active', 'not recorded', null, null],
      [27, 'pending', 'not recorded', null, null],
      [27, 'pending', 'not recorded', null, null],
    ]);
    expect(
      ask(
        'SELECT lives, pended, signalled, acknowledged, eoi, deactivated, complete, moved, deasserted, cleared, withdrawn_unknown, pending_at_end, active_at_end, no_eoi, coalesced FROM lifecycle',
      ),
    ).toEqual([[121, 121, ...Array(13).fill(null)]]);
    expect(ask('SELECT DISTINCT n, first_n, delta FROM outcomes_by_trace')).toEqual([[null, null, null]]);
  } finally {
    db.close();
  }
});

it('the boot of a host has one ITS, which Linux maps twice', async () => {
  const text = textOf('boot-rwmmio');
  const { config, trace, kinds } = await imported(text, { profile: 'qemu-7.2' });
  expect(config.its).toHaveLength(1);
  expect([kinds['mmio.read'], kinds['host.irq.entry']]).toEqual([129, 1240]);
  const verdict = replayTrace(trace, { version: 'test' });
  expect([verdict.diverged, verdict.compared['mmio.read']]).toEqual([0, 127]);
  // Options end the search: the first mapping is no ITS then.
  const given = await imported(text, { gits: [0xffff_8000_8089_0000n] });
  expect(given.config.its).toHaveLength(1);
  expect(given.kinds['mmio.write']).toBeLessThan(kinds['mmio.write']!);
});

describe('several virtual machines', () => {
  /** Another machine's lines, of the threads 164 and 165, between those of the first. */
  const both = (tgids: boolean) => {
    const name = (line: string, add: number) =>
      line.replace(
        /-(\d+) +\[/,
        (_all, pid: string) => `-${Number(pid) + add} ${tgids ? `(${60 + add})` : ''} [`,
      );
    return textOf('linux-doc')
      .split('\n')
      .flatMap((line) => (line.startsWith('#') ? [line] : [name(line, 0), name(line, 100)]))
      .join('\n');
  };

  it.each([
    [false, /2 virtual machines \(give one: --vm 64 \(threads 64, 65\) or --vm 164 \(threads 164, 165\)/],
    [true, /2 virtual machines \(give one: --vm 60 \(threads 64, 65\) or --vm 160 \(threads 164, 165\)/],
  ] as const)('are refused (process ids: %s), and one can be chosen', async (tgids, says) => {
    expect(await refused(both(tgids))).toMatch(says);
    for (const vm of ['65', '164,165', ...(tgids ? ['160'] : [])]) {
      const { kinds, stats } = await imported(both(tgids), { vm });
      expect(kinds).toEqual({ 'wire.set': 6874, 'mmio.read': 116, 'mmio.write': 441 });
      expect(stats.losses['vgic_update_irq_pending: of another virtual machine']).toBe(6874);
    }
    expect(await refused(both(tgids), { vm: '7' })).toMatch(/no virtual machine 7 \(give one: --vm/);
  });
});

it('accesses are never dropped because nothing shows where the frames are', async () => {
  const late = textOf('linux-doc').split('\n').slice(3012).join('\n');
  expect(await refused(late)).toMatch(
    /does not show where the frames of the GIC are \(give --gicd.*accesses are in the 64 KB from 0x8000000/,
  );
  const { kinds, start, trace } = await imported(late, {
    gicd: 0x800_0000n,
    gicr: [{ base: 0x80a_0000n }],
    gits: [0x808_0000n],
  });
  expect([start, kinds['mmio.read']]).toEqual(['mid-life', 3]);
  expect(replayTrace(trace, { version: 'test' }).diverged).toBe(0);
});
