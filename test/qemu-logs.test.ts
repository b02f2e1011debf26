// Small logs of QEMU, each with something that an importer can get wrong: imported, replayed, and with one number changed.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, describe, expect, it } from 'vitest';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

const text = (name: string) => gunzipSync(readFileSync(recording(`small/${name}.log.gz`))).toString('latin1');

async function verdictOf(log: string) {
  const [file, trace] = [temp.path('log'), temp.path('trace')];
  writeFileSync(file, log);
  await imported(file, trace);
  return replayTrace(trace, { version: 'test' });
}

describe('what was printed in an unusual order', () => {
  it.each(['all-events', 'two-cwriter-writes', 'cbaser-while-enabled'])('%s: the same', async (name) => {
    const verdict = await verdictOf(text(name));
    expect(verdict.first).toBeNull();
    expect(verdict.compared['its.command']).toBeGreaterThan(2);
  });

  it('two writes of GITS_CWRITER with nothing between them: each has its own commands', async () => {
    const log = text('two-cwriter-writes');
    // One write moves to the other's commands, and the two no longer agree with the read pointer.
    const moved = log.replace('offset 0x88 data 0xa0 size 8', 'offset 0x88 data 0xc0 size 8');
    expect(moved).not.toBe(log);
    expect((await verdictOf(moved)).diverged).toBeGreaterThan(0);
  });
});
