// The verbs about designs: scenarios, record, compare, claims.
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
    expect(out).toMatch(/^125 operations$/m);
    expect(out).toMatch(/delivered {2}.*77.*77/);
    expect(out).toMatch(/capacity \(vectors\).*57,344.*988/);
    expect((await run('replay', trace)).out).toMatch(/^SAME/);
  });

  it('asks each number which ones', async () => {
    const db = join(dir, 'runs.db');
    expect((await run('compare', 'pending-move', '-o', db)).code).toBe(0);
    const { out } = await run(
      'query',
      db,
      'SELECT design, fate FROM pending_left_behind ORDER BY 1',
      '--json',
    );
    expect(JSON.parse(out)).toContainEqual({ design: 'direct-lpi-lossy', fate: 'lost' });
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
    expect(err).toMatch(/^gictrace: there is no claim 'nonsense'.*claims: isolation, /);
  });
});
