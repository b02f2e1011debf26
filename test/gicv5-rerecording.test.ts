// Traces of a GICv5 that gictrace writes itself: re-recordings of a replay, and traces that were JSON lines in between.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportTrace } from '@gictrace/query';
import { importGicv5ToTrace, importJsonlToTrace, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const LOGS = ['linux-gicv5-four-pes-head', 'linux-gicv5-eight-pes-head'] as const;
const traceOf = (log: string) => temp.path(`${log}.gictrace`);
const countOf = (path: string, kind: string): number => {
  const reader = TraceReader.openAny(path);
  const { kinds } = reader.footer!;
  reader.close();
  return kinds[kind] ?? 0;
};

beforeAll(async () => {
  for (const log of LOGS)
    await importGicv5ToTrace(join(import.meta.dirname, 'recordings', `${log}.log.gz`), traceOf(log));
});

describe.each(LOGS)('%s', (log) => {
  it.each(['qemu-11.1', 'gicv5-architecture'])(
    'is re-recorded under %s, and that replays without a difference',
    (profile) => {
      const output = temp.path('re.gictrace');
      const before = replayTrace(traceOf(log), { profile, output, force: true });
      const again = replayTrace(output);
      expect(again.first).toBeNull();
      expect(again.diverged).toBe(0);
      expect(again.compared['sysreg.read']).toBe(before.compared['sysreg.read']);
      expect(countOf(output, 'sysreg.read')).toBe(countOf(traceOf(log), 'sysreg.read'));
      expect(countOf(output, 'iste.changed')).toBeGreaterThan(0);
      if (profile === 'qemu-11.1' && log === LOGS[0]) {
        expect(again.compared).toEqual(before.compared);
        for (const kind of ['irs.hppi', 'ppi.hppi', 'cpuif.signal'])
          expect([kind, countOf(output, kind)]).toEqual([kind, countOf(traceOf(log), kind)]);
      }
    },
  );

  it('is the same trace after it was JSON lines', async () => {
    const [lines, back] = [temp.path('lines.jsonl'), temp.path('back.gictrace')];
    exportTrace(traceOf(log), 'jsonl', lines, undefined, true);
    const { config } = await importJsonlToTrace(lines, back, { force: true });
    expect(config.architecture).toBe(5);
    const [a, b] = [TraceReader.openAny(traceOf(log)), TraceReader.openAny(back)];
    expect(b.footer!.semanticDigest).toBe(a.footer!.semanticDigest);
    expect(b.header.config).toEqual(a.header.config);
    a.close();
    b.close();
    expect(replayTrace(back).diverged).toBe(0);
  });
});

it('differs in identification alone where another GIC answered, which can be allowed', async () => {
  const lines = temp.path('id.jsonl');
  const reader = TraceReader.openAny(traceOf(LOGS[0]));
  const head = { gictrace: 1, config: reader.header.config };
  reader.close();
  const read = (offset: number, value: string) =>
    JSON.stringify({
      kind: 'mmio.read',
      time_ns: null,
      pe: null,
      frame: 'IRS',
      instance: 1,
      offset,
      width: 4,
      value,
    });
  // IRS_IIDR, IRS_DEVARCH.
  writeFileSync(lines, [JSON.stringify(head), read(0x40, '0x1234'), read(0xffbc, '0x47705a19')].join('\n'));
  const path = temp.path('id.gictrace');
  await importJsonlToTrace(lines, path, {});
  expect(replayTrace(path).diverged).toBe(2);
  expect(replayTrace(path, { allow: ['identification'] })).toMatchObject({
    diverged: 0,
    tolerated: { identification: 2 },
  });
});
