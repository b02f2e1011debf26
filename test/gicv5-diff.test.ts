// Two traces of a GICv5: the same, with one record changed, left out or moved, and with less known about the PEs.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diffTraces, exportTrace } from '@gictrace/query';
import { importGicv5ToTrace, importJsonlToTrace, importToTrace } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const recording = (name: string) => join(import.meta.dirname, 'recordings', `${name}.log.gz`);
const TRACE = temp.path('a.gictrace');
let lines: string[] = [];

beforeAll(async () => {
  await importGicv5ToTrace(recording('linux-gicv5-four-pes-head'), TRACE);
  exportTrace(TRACE, 'jsonl', temp.path('a.jsonl'));
  lines = readFileSync(temp.path('a.jsonl'), 'utf8').trimEnd().split('\n');
});

async function other(changed: readonly string[]) {
  const [text, trace] = [temp.path('b.jsonl'), temp.path('b.gictrace')];
  writeFileSync(text, changed.join('\n'));
  await importJsonlToTrace(text, trace, { force: true });
  return diffTraces(TRACE, trace);
}
/** The line of the n-th record of a kind with these contents. */
const placeOf = (contents: string, n: number) =>
  lines.flatMap((line, k) => (line.includes(contents) ? [k] : []))[n]!;

it('are the same', async () => {
  expect(await other(lines)).toMatchObject({ same: true, counts: { same: lines.length - 1 } });
});

it.each([
  ['"kind":"irs.hppi"', /"priority":\d+/, '"priority":7', 'irs.hppi'],
  ['"register":"GICR_CDIA"', /"value":"0x\w+"/, '"value":"0x160000003"', 'sysreg.read GICR_CDIA'],
  ['"kind":"cpuif.signal"', /"NMI":false/, '"NMI":true', 'cpuif.signal'],
  ['"kind":"mmio.write"', /"value":"0x\w+"/, '"value":"0x77"', 'mmio.write IRS_'],
])('differ where %s has another value', async (contents, from, to, subject) => {
  const at = placeOf(contents, 12);
  const diff = await other(lines.with(at, lines[at]!.replace(from, to)));
  expect(diff.same).toBe(false);
  const { same, ...rest } = diff.counts;
  expect(same).toBeGreaterThanOrEqual(lines.length - 3);
  expect(rest.changed + rest.deleted).toBe(1);
  expect(diff.examples[0]!.subject).toContain(subject);
  expect(JSON.stringify(diff.examples[0])).toContain(`"record":${at - 1}`);
});

it('differ where a record is missing', async () => {
  const at = placeOf('"register":"GIC_CDEOI"', 30);
  const diff = await other(lines.filter((_, k) => k !== at));
  expect(diff.counts).toMatchObject({ deleted: 1, inserted: 0, changed: 0 });
});

it('differ in times alone from a replay, and in nothing from its profile', () => {
  const replayed = temp.path('re.gictrace');
  replayTrace(TRACE, { output: replayed });
  const { counts } = diffTraces(TRACE, replayed);
  expect({ ...counts, same: 0, timing: 0 }).toEqual(
    Object.fromEntries(Object.keys(counts).map((name) => [name, 0])),
  );
});

it('are not compared with a trace of a GICv3', async () => {
  const gicv3 = temp.path('v3.gictrace');
  await importToTrace(recording('its-trigger'), gicv3);
  expect(() => diffTraces(TRACE, gicv3)).toThrow('is no trace of a GICv5, and the other one is');
  expect(() => diffTraces(gicv3, TRACE)).toThrow('is no trace of a GICv5, and the other one is');
});
