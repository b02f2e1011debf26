// gictrace doctor, with a PATH on which nothing is but what a case puts there.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const BIN = fileURLToPath(new URL('../packages/cli/bin/gictrace.js', import.meta.url));

interface Tool {
  readonly name: string;
  readonly version: string | null;
  readonly hint: string;
  readonly problem?: string;
}

/** What doctor says of QEMU, as JSON and as text, where the program of that name does as `script` says. */
function doctor(name: string, script: string | undefined): { tool: Tool; text: string } {
  const folder = temp.path(name);
  mkdirSync(folder);
  if (script !== undefined)
    writeFileSync(join(folder, 'qemu-system-aarch64'), `#!/bin/sh\n${script}`, { mode: 0o755 });
  const run = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'doctor', ...words], {
      encoding: 'utf8',
      env: { PATH: folder },
    });
    expect([status, stderr]).toEqual([0, '']);
    return stdout;
  };
  const { tools } = JSON.parse(run('--json')) as { tools: readonly Tool[] };
  return { tool: tools.find((one) => one.name === 'qemu-system-aarch64')!, text: run() };
}

const VERSION = '[ "$1" = --version ] && { echo "QEMU emulator version 9.9.9 (Debian)"; exit 0; }';

it('says how to get a QEMU that is not there', () => {
  const { tool, text } = doctor('none', undefined);
  expect(tool).toMatchObject({ version: null, hint: 'apt-get install qemu-system-arm' });
  expect(tool.problem).toBeUndefined();
  expect(text).toMatch(/qemu-system-aarch64 +missing .*apt-get install qemu-system-arm/);
});

it('says nothing of a QEMU that starts', () => {
  const { tool, text } = doctor('whole', `${VERSION}\nexit 0`);
  expect([tool.version, tool.problem]).toEqual(['9.9.9', undefined]);
  expect(text).not.toContain('does not start');
});

it('says what a QEMU lacks', () => {
  const { tool, text } = doctor(
    'rom',
    `${VERSION}\necho "qemu-system-aarch64: failed to find romfile \\"efi-virtio.rom\\"" >&2; exit 1`,
  );
  expect(tool).toMatchObject({ version: '9.9.9', problem: 'failed to find romfile "efi-virtio.rom"' });
  expect(tool.hint).toMatch(/^-nic none, or the package with efi-virtio.rom: apt-get install/);
  expect(text).toContain('does not start with its default devices: failed to find romfile');
  const silent = doctor('silent', `${VERSION}\nexit 7`);
  expect(silent.tool.problem).toBe('exit code 7');
});
