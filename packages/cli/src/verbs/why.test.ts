// gictrace why: its two forms, its exit codes, and bad input in one line.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOG, run, scratch } from '../run.test-support.ts';

const trace = join(scratch(), 'its.gictrace');
beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', trace)).code).toBe(0);
});

describe('gictrace why', () => {
  it('says when an interrupt was delivered, and by which records', async () => {
    const { code, out, err } = await run('why', trace, '--intid', '8196');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^INTID 8196.*: delivered, at record \d+ by PE\d/);
    expect(out).toMatch(/^ {2}ok +\d+ {2}acknowledged/m);
  });

  it('says the same as JSON', async () => {
    const { code, out } = await run('why', trace, '--intid', '8196', '--json');
    expect(code).toBe(0);
    const answer = JSON.parse(out) as {
      outcome: string;
      way: { stage: string; at: { record: number } | null }[];
    };
    expect(answer.outcome).toMatch(/^(delivered|late)$/);
    const acknowledged = answer.way.find(({ stage }) => stage === 'acknowledged');
    expect(acknowledged?.at?.record).toBeGreaterThan(0);
  });

  it('draws its way for Mermaid and Graphviz', async () => {
    const mermaid = await run('why', trace, '--intid', '8196', '--graph', 'mermaid');
    expect(mermaid.out).toMatch(/^flowchart TD\n {2}subject\["INTID 8196/);
    expect(mermaid.out).toMatch(/ {2}s\d+\["acknowledged<br>PE\d.*<br>record \d+"\]/);
    const dot = await run('why', trace, '--intid', '8196', '--graph', 'dot');
    expect(dot.out).toMatch(/^digraph why \{\n[\s\S]*\n\}\n$/);
    expect(dot.out).toMatch(/ {2}s0 -> s1;/);
  });

  it('says that an interrupt was never pending', async () => {
    const { code, out } = await run('why', trace, '--intid', '40');
    expect(code).toBe(1);
    expect(out).toMatch(/^INTID 40: never pending: its input line was never asserted/);
  });

  it('answers about a record and about a time', async () => {
    for (const at of ['300', '5s', '300ms']) {
      const { code, out } = await run('why', trace, '--intid', '8195', '--at', at);
      expect([0, 1]).toContain(code);
      expect(out).toMatch(/^INTID 8195/);
    }
  });

  it.each([
    [[], /why needs one of --intid, --device and --vintid/],
    [['--intid', '1', '--device', '2'], /one of --intid, --device and --vintid/],
    [['--intid', '1', '--vpe', '2'], /--vpe needs --vintid/],
    [['--intid', '1', '--event', '2'], /--event needs --device/],
    [['--intid', 'x'], /--intid takes a whole number/],
    [['--intid', '1', '--pe', '99'], /the trace has PEs 0 to \d+, not 99/],
    [['--intid', '1', '--at', '99999999'], /the trace has records 0 to \d+/],
    [['--intid', '1', '--graph', 'svg'], /--graph takes mermaid or dot, not 'svg'/],
    [['--intid', '1', '--at', 'noon'], /--at takes a record or a time/],
  ] as const)('refuses %j', async (options, says) => {
    const { code, out, err } = await run('why', trace, ...options);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(says);
    expect(err).toMatch(/^gictrace: [^\n]+\n$/);
  });
});
