// Tests a source that is decompressed by a tool: read to its end, or abandoned before.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { openSource, textBytes } from './source.ts';

const folder = mkdtempSync(join(tmpdir(), 'gictrace-source-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** More than fits into pipes and buffers, so that the tool has to wait for its reader. */
const plain = Buffer.from(randomBytes(700_000).toString('hex'));
const children = () => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;

describe('the length of a text', () => {
  it('is that of the file, or more if it is compressed', () => {
    const [text, packed] = [join(folder, 'text'), join(folder, 'packed')];
    writeFileSync(text, 'a line\n'.repeat(1000));
    writeFileSync(packed, gzipSync('a line\n'.repeat(1000)));
    expect(textBytes(text)).toBe(7000);
    expect(textBytes(packed)).toBeGreaterThan(gzipSync('a line\n'.repeat(1000)).length);
    for (const none of [join(folder, 'none'), folder]) expect(textBytes(none)).toBe(0);
  });
});

describe.each(['xz', 'zstd'])('%s', (tool) => {
  const isHere = spawnSync(tool, ['--version']).status === 0;
  if (!isHere) process.stderr.write(`SKIPPED: sources that ${tool} decompresses: it is not installed\n`);

  it.runIf(isHere)('gives all bytes, and leaves no process, however early its reader stops', async () => {
    const path = join(folder, tool);
    writeFileSync(
      path,
      spawnSync(tool, [tool === 'xz' ? '-0' : '-1', '-c'], { input: plain, maxBuffer: 1 << 24 }).stdout,
    );
    const before = children();
    const chunks: Buffer[] = [];
    for await (const chunk of openSource(path)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(plain)).toBe(true);

    for await (const chunk of openSource(path)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    for (let n = 0; n < 100 && children() > before; n++) await pause(20);
    expect(children()).toBe(before);
  });
});
