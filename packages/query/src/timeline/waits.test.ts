import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TraceReader } from '@gictrace/recorder';
import { afterEach, expect, it, vi } from 'vitest';
import { Follower } from './follower.ts';
import { type WaitRow, Waits } from './waits.ts';

const root = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const scenarios = root('goldens/scenarios');

afterEach(() => vi.restoreAllMocks());

function rowsOf(path: string): WaitRow[] {
  const reader = TraceReader.open(path);
  const rows: WaitRow[] = [];
  const follower = new Follower(reader.header.config, { wait: (row) => rows.push(row) });
  for (const { batch, first } of reader.batches())
    for (let i = 0; i < batch.count; i++) follower.take(batch, first, i);
  follower.finish();
  reader.close();
  return rows;
}

it('what one event changes is looked at alone, with the same rows as if all were', () => {
  const paths = readdirSync(scenarios).flatMap((name) =>
    readdirSync(`${scenarios}/${name}`)
      .filter((file) => file.endsWith('.gictrace') && !file.startsWith('gicv5'))
      .map((file) => `${scenarios}/${name}/${file}`),
  );
  // A part of them, of all scenarios and designs.
  const some = paths.filter((_, n) => n % 4 === 0);
  const looks = vi.spyOn(Waits.prototype as unknown as { look: () => unknown }, 'look');
  const alone = some.map(rowsOf);
  const fewer = looks.mock.calls.length;
  const { emitted } = Waits.prototype;
  vi.spyOn(Waits.prototype, 'emitted').mockImplementation(function (this: Waits) {
    emitted.call(this, 'all', 0);
  });
  expect(alone.flat().length).toBeGreaterThan(100);
  expect(some.map(rowsOf)).toEqual(alone);
  // Each trace is followed twice by now.
  expect(fewer).toBeLessThan(looks.mock.calls.length - fewer);
});

it('too many that wait, and change too often, are a limit', () => {
  expect(() => rowsOf(root('test/hostile/lpis-waiting-anew.gictrace'))).toThrow(
    '57344 interrupts are pending at once, and what each waits for changes too often to be followed',
  );
});
