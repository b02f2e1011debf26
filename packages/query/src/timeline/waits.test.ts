import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configOf, PLAIN } from '@gictrace/core';
import { RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { GICD, GICR, SYSREGS, type SysregName } from '@gictrace/core/spec';
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

it('an interrupt that waits behind another has a row for each priority that it gets', () => {
  const batch = new RecordBatch(16);
  const write = (frame: 0 | 1, offset: number, width: number, value: number) => {
    const i = batch.push(RECORDS['mmio.write'].id, 0, Number.NaN);
    batch.words.set([frame, 0, offset, width, value], i * RECORD_WORDS);
  };
  const set = (name: SysregName, value: number) => {
    const i = batch.push(RECORDS['sysreg.write'].id, 0, Number.NaN);
    batch.words.set([SYSREGS[name].encoding, value], i * RECORD_WORDS);
  };
  const priority = (intid: number, value: number) => write(0, GICD.GICD_IPRIORITYR.offset + intid, 1, value);
  write(0, GICD.GICD_CTLR.offset, 4, 3);
  write(1, GICR.GICR_WAKER.offset, 4, 0);
  set('ICC_PMR_EL1', 0xf8);
  set('ICC_IGRPEN0_EL1', 1);
  priority(40, 0x10);
  priority(41, 0x20);
  write(0, GICD.GICD_ISENABLER.offset + 4, 4, 0x300);
  write(0, GICD.GICD_ISPENDR.offset + 4, 4, 0x300);
  priority(41, 0x30);
  priority(41, 0x40);
  const rows: WaitRow[] = [];
  const follower = new Follower(configOf('architecture', PLAIN, 1), { wait: (row) => rows.push(row) });
  for (let i = 0; i < batch.count; i++) follower.take(batch, 0, i);
  follower.finish();
  const behind = rows.filter(({ INTID, gate }) => INTID === 41 && gate === 'behind');
  expect(behind.map(({ priority, from_record, to_record }) => [priority, from_record, to_record])).toEqual([
    [0x20, 7, 8],
    [0x30, 8, 9],
    [0x40, 9, null],
  ]);
});

it('too many that wait, and change too often, are a limit', () => {
  expect(() => rowsOf(root('test/hostile/lpis-waiting-again.gictrace'))).toThrow(
    '57344 interrupts are pending at once, and what each waits for changes too often to be followed',
  );
});
