// The scenarios that ship: each is recorded on every design, and what was recorded replays.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DESIGNS } from '@gictrace/core';
import { readScenario } from '@gictrace/recorder';
import { compareScenario, compareTrace, recordScenario, replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const folder = fileURLToPath(new URL('../scenarios/', import.meta.url));
const files = readdirSync(folder).sort();
const VERSION = { version: 'test', source: 'test' };

describe.each(files)('%s', (file) => {
  const scenario = readScenario(`${folder}${file}`);
  const isOfVpes = scenario.operations.some((one) => one.op === 'vpe.map');
  const designs = Object.values(DESIGNS).filter((one) => (one.serves === 'vpes') === isOfVpes);

  it.each(designs.map((one) => one.name))('recorded on %s replays the same', (name) => {
    const trace = temp.path(`${file}.${name}.gictrace`);
    recordScenario(scenario, DESIGNS[name]!, trace, VERSION);
    const verdict = replayTrace(trace, { version: 'test' });
    expect(verdict.diverged).toBe(0);
    expect(Object.values(verdict.compared).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(100);
  });

  it('is the same bytes twice', () => {
    const [one, two] = [temp.path('one.gictrace'), temp.path('two.gictrace')];
    for (const path of [one, two]) recordScenario(scenario, designs[0]!, path, VERSION);
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
  });

  it('compared as a scenario and as a trace costs the same', () => {
    const [name] = isOfVpes ? ['vpe-proxy'] : ['its'];
    const trace = temp.path(`${file}.own.gictrace`);
    recordScenario(scenario, DESIGNS[name!]!, trace, VERSION);
    const lifted = compareTrace(trace, [name!]);
    expect(lifted.alignments.get(name!)!.first).toBeNull();
    expect(lifted.runs[0]!.costs).toEqual(compareScenario(scenario, [name!]).runs[0]!.costs);
  });
});

describe('the storm', () => {
  const { runs } = compareScenario(readScenario(`${folder}storm.yaml`), undefined);
  const of = (name: string) => runs.find((one) => one.design.name === name)!.deliveries;
  it('is the same storm for each design', () => {
    expect(new Set(runs.map((one) => one.deliveries.fired))).toEqual(new Set([69]));
  });
  it('is delivered by an ITS and by message-based SPIs, where devices are not isolated', () => {
    expect(of('its')).toMatchObject({ delivered: 69, spurious: 0, misrouted: 0, unauthorised: 0 });
    expect(of('mbi')).toMatchObject({ delivered: 69, spurious: 0, misrouted: 0, unauthorised: 2 });
  });
});
