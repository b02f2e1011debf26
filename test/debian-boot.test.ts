// The example that boots Debian's arm64 kernel. Where its packages are is said by GICTRACE_DEBIAN_BOOT: a folder that
// `node examples/debian-boot/boot.mjs FOLDER --packages` has filled.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TraceReader } from '@gictrace/recorder';
import { afterAll, expect, it } from 'vitest';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const EXAMPLE = fileURLToPath(new URL('../examples/debian-boot/boot.mjs', import.meta.url));
const packages = process.env.GICTRACE_DEBIAN_BOOT ?? '';
const canRun =
  packages !== '' &&
  existsSync(join(packages, 'kernel')) &&
  spawnSync('qemu-system-aarch64', ['--version']).status === 0;
if (!canRun)
  console.warn("SKIPPED: GICTRACE_DEBIAN_BOOT has no Debian kernel, or there is no QEMU: it isn't booted");

it.skipIf(!canRun)('Debian boots, and its recording with guest memory replays and is compared', () => {
  const folder = temp.path('boot');
  mkdirSync(folder);
  for (const name of ['kernel', 'busybox']) symlinkSync(join(packages, name), join(folder, name));
  const { status, stdout } = spawnSync(process.execPath, [EXAMPLE, folder], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  expect(status).toBe(0);
  expect(stdout).toContain('reboot: Power down');
  expect(stdout).toMatch(/SAME: [\d,]+ records replayed on simulator, [\d,]+ comparisons, 0 diverged/);
  expect(stdout).toMatch(/direct-lpi/);
  const reader = TraceReader.open(join(folder, 'boot.gictrace'));
  const { rules, kinds, meta } = reader.footer!;
  reader.close();
  // Only through which register an SGI was sent is not known for certain.
  expect(Object.keys(rules).sort()).toEqual(['memory-read', 'sgi-register']);
  expect(kinds['queue.write']).toBe(kinds['its.command']);
  expect(meta.qemu).toMatchObject({ ended: 'guest-shutdown', resets: 0 });
});
