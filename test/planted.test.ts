// One value changed anywhere in a recording must show, at the line that was changed (or the line that tells the
// same access again). And a model with a planted fault must be caught by the recordings.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type VerbatimReplay as Replay, replayTrace } from '@gictrace/replayer';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { allBatches, imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

let lines: string[];
beforeAll(() => {
  lines = gunzipSync(readFileSync(recording('linux-gicv3-mrops.log.gz')))
    .toString('latin1')
    .split('\n')
    .slice(0, 150_000);
});

/** Event, the word in front of the number to change, and how far the report may be: the second telling of the access. */
const PLANTS: readonly (readonly [event: string, word: string, within: number])[] = [
  ['gicv3_cpuif_update', 'irq', 1],
  ['gicv3_cpuif_update', 'group', 1],
  ['gicv3_its_translation_write', 'size', 1],
  ['gicv3_its_dte_read', 'valid', 0],
  ['gicv3_cpuif_update', 'prio', 1],
  ['gicv3_cpuif_set_irqs', 'IRQ', 1],
  ['gicv3_cpuif_virt_update', 'prio', 1],
  ['gicv3_icc_iar1_read', 'value', 2],
  ['gicv3_icc_eoir_write', 'value', 0],
  ['gicv3_icc_pmr_read', 'value', 0],
  ['gicv3_icc_ctlr_read', 'value', 0],
  ['gicv3_dist_read', 'data', 1],
  ['gicv3_redist_read', 'data', 1],
  ['gicv3_its_read', 'data', 1],
  ['memory_region_ops_read', 'value', 1],
  ['gicv3_dist_write', 'data', 1],
  ['gicv3_redist_set_irq', 'to', 1],
  ['gicv3_redist_send_sgi', 'SGI', 0],
  ['gicv3_its_translation_write', 'data', 1],
  ['gicv3_its_dte_read', 'ITTaddr', 0],
  ['gicv3_its_ite_read', 'intid', 0],
  ['gicv3_its_ite_write', 'ICID', 0],
  ['gicv3_its_cte_read', 'RDBase', 0],
  ['gicv3_its_process_command', 'offset', 1],
];

describe('one changed value', () => {
  it.each(PLANTS)('%s: %s', async (event, word, within) => {
    const gic = /gicv3|'control'|'translation'/;
    const places = lines.flatMap((line, i) =>
      line.includes(`:${event} `) && line.includes(` ${word} `) && gic.test(line) ? [i] : [],
    );
    expect(places.length).toBeGreaterThan(0);
    const at = places[Math.floor(places.length * 0.618)]!;
    const changed = lines[at]!.replace(new RegExp(` ${word} (0x[0-9a-f]+|\\d+)`), (_all, number: string) => {
      const next = BigInt(number) ^ 1n;
      return ` ${word} ${number.startsWith('0x') ? `0x${next.toString(16)}` : next}`;
    });
    expect(changed).not.toBe(lines[at]);
    const log = temp.path('planted.log');
    writeFileSync(log, [...lines.slice(0, at), changed, ...lines.slice(at + 1)].join('\n'), 'latin1');
    await imported(log, temp.path('planted.gictrace'));
    const verdict = replayTrace(temp.path('planted.gictrace'), { version: 'test' });
    expect(verdict.diverged).toBeGreaterThan(0);
    expect(Math.abs(verdict.first!.line! - (at + 1))).toBeLessThanOrEqual(within);
  });
});

describe('a planted fault in the model', () => {
  let trace: ReturnType<typeof allBatches>;
  beforeAll(async () => {
    await imported(recording('linux-gicv3-mrops.log.gz'), temp.path('whole.gictrace'));
    trace = allBatches(temp.path('whole.gictrace'));
    trace.reader.close();
  });
  afterEach(() => {
    vi.doUnmock('../packages/core/src/model/arbitration.ts');
    vi.doUnmock('../packages/core/src/model/lpi.ts');
    vi.doUnmock('../packages/core/src/model/cpu-interface.ts');
    vi.resetModules();
  });

  const diverged = async (): Promise<number> => {
    vi.resetModules();
    const { VerbatimReplay } = (await import('@gictrace/replayer')) as { VerbatimReplay: typeof Replay };
    const replay = new VerbatimReplay(trace.reader.header.config, { stopAtFirst: true });
    for (const batch of trace.batches) replay.take(batch);
    return replay.finish().diverged;
  };

  it('none: no divergence', async () => {
    expect(await diverged()).toBe(0);
  });

  it('a wrong priority comparison is caught', async () => {
    vi.doMock('../packages/core/src/model/arbitration.ts', async (original) => {
      const real = await original<typeof import('../packages/core/src/model/arbitration.ts')>();
      return {
        ...real,
        canPreempt: (...args: Parameters<typeof real.canPreempt>) =>
          args[3] <= 0x80 && real.canPreempt(...args),
      };
    });
    expect(await diverged()).toBeGreaterThan(0);
  });

  it('a MOVI that does not move pending is caught', async () => {
    vi.doMock('../packages/core/src/model/lpi.ts', async (original) => ({
      ...(await original<typeof import('../packages/core/src/model/lpi.ts')>()),
      moveLpi: () => undefined,
    }));
    expect(await diverged()).toBeGreaterThan(0);
  });

  it('a missed EOI is caught', async () => {
    vi.doMock('../packages/core/src/model/cpu-interface.ts', async (original) => {
      const real = await original<typeof import('../packages/core/src/model/cpu-interface.ts')>();
      const { SYSREGS } = await import('../packages/core/src/spec/sysreg.ts');
      let left = 100;
      return {
        ...real,
        writeSysreg: (...args: Parameters<typeof real.writeSysreg>) => {
          if (args[2] === SYSREGS.ICC_EOIR1_EL1.encoding && left-- === 0) return;
          real.writeSysreg(...args);
        },
      };
    });
    expect(await diverged()).toBeGreaterThan(0);
  });
});
