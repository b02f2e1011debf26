// The verbs about designs: scenarios, record, compare, claims.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run, scratch } from './run.test-support.ts';

const dir = scratch();
const parsed = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out) as never;

describe('scenarios', () => {
  it('lists what ships', async () => {
    const { code, out } = await run('scenarios');
    expect(code).toBe(0);
    expect(out).toMatch(/^storm {2}storm while .*operations\)$/m);
    const list = (await parsed('scenarios')) as { name: string; operations: number }[];
    expect(list.length).toBeGreaterThan(20);
    expect(list.every((one) => one.operations > 0)).toBe(true);
  });
});

describe('record and compare', () => {
  it('a trace of one design is compared on another without lifting', async () => {
    const trace = join(dir, 'storm.gictrace');
    const recorded = await run('record', 'storm', '-o', trace, '--on', 'direct-lpi');
    expect([recorded.code, recorded.err]).toEqual([0, `wrote ${trace}\n`]);
    const { out } = await run('compare', trace, '--on', 'its,mbi');
    expect(out).toMatch(/^125 operations; closed loop/m);
    expect(out).toMatch(/^its +works; leaks 8 \(LPIs\)$/m);
    expect(out).toMatch(/^mbi +77 +77 /m);
    expect(out).toMatch(/57,344$/m);
    expect((await run('replay', trace)).out).toMatch(/^SAME/);
  });

  it('fits a terminal of 80 columns, verdicts first, and hides what was only once posted', async () => {
    const { out } = await run('compare', 'storm');
    expect(Math.max(...out.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(80);
    const titles = out.match(/^(Verdict|What it needs|Messages|Costs|Mean cost)/gm);
    expect([...new Set(titles)]).toEqual(['Verdict', 'What it needs', 'Messages', 'Costs', 'Mean cost']);
    expect(out).not.toContain('hyperv-spi-no-edge');
    expect((await run('compare', 'storm', '--as-posted')).out).toContain('hyperv-spi-no-edge');
  });

  it('writes the same as a page, and replaces only its own', async () => {
    const page = join(dir, 'designs.html');
    const { code, out } = await run('compare', 'fire', '--on', 'its,virtual-its', '--report', page);
    expect(code).toBe(0);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('<td>virtual-its</td><td>cannot: device 8, vector 0: it has no message to send');
    expect(out).toMatch(/^virtual-its +cannot: device 8, vector 0/m);
    writeFileSync(page, 'something else');
    expect((await run('compare', 'fire', '--report', page)).code).toBe(2);
    expect(readFileSync(page, 'utf8')).toBe('something else');
  });

  it('takes costs from a file, and says what is wrong with it', async () => {
    const file = join(dir, 'costs.json');
    writeFileSync(file, '{"commands": 1, "table_bytes": 0}');
    const { out } = await run('compare', 'fire', '--on', 'its', '--cost-model', file, '--json');
    const { model, runs } = JSON.parse(out);
    expect(model.ns.commands).toBe(1);
    expect(runs[0].ns).toBeGreaterThan(0);
    for (const [text, why] of [
      ['{"commands": -1}', 'commands is not a number of nanoseconds'],
      ['{"coffee": 1}', "there is no cost 'coffee'"],
      ['[]', 'is not an object of costs'],
      ['{', 'is not JSON'],
    ] as const) {
      writeFileSync(file, text);
      const { code, err } = await run('compare', 'fire', '--on', 'its', '--cost-model', file);
      expect([code, err]).toEqual([2, expect.stringContaining(why)]);
    }
    expect((await run('compare', 'fire', '--cost-model', 'nothing')).code).toBe(2);
  });

  it('asks each number which ones', async () => {
    const db = join(dir, 'runs.db');
    expect((await run('compare', 'pending-move', '-o', db)).code).toBe(0);
    const { out } = await run(
      'query',
      db,
      'SELECT design, pending_elsewhere FROM pending_left_behind ORDER BY 1',
      '--json',
    );
    expect(JSON.parse(out)).toContainEqual({ design: 'direct-lpi-lossy', pending_elsewhere: 0 });
    expect(out).not.toContain('"its"');
  });
});

describe('claims', () => {
  it('says whether a claim holds, where its query finds something, and the query', async () => {
    const { code, out } = await run('claims', 'isolation', 'mapped-until-roll-over');
    expect(code).toBe(0);
    expect(out).toContain('holds  isolation: One device runs');
    expect(out).toContain('SELECT * FROM isolation_breaches');
    expect(out).toMatch(/found on: .*mbi \(1\)/);
    expect(out).toContain('DOES NOT HOLD  mapped-until-roll-over');
    expect(await parsed('claims', 'isolation')).toMatchObject([{ name: 'isolation', holds: true }]);
  });

  it('refuses a name that there is not', async () => {
    const { code, err } = await run('claims', 'nonsense');
    expect(code).toBe(2);
    expect(err).toMatch(/^gictrace: there is no claim 'nonsense'.*claims: remap-without-isolation, /);
  });
});
