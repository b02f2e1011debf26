// Which QEMUs the tests run: the one of this machine, and those that GICTRACE_QEMU names (paths, with colons between them;
// scripts/newer-qemu.mjs gets one).
import { delimiter } from 'node:path';
import { QEMU, QEMU_PACKAGE, qemuVersion } from '@gictrace/replayer';

export interface TestedQemu {
  readonly command: string;
  /** As 7.2.22. */
  readonly version: string;
  /** As 7.2. */
  readonly release: string;
}

const named = (process.env.GICTRACE_QEMU ?? '').split(delimiter).filter((one) => one !== '');

/** Those that run. */
export const QEMUS: readonly TestedQemu[] = [QEMU, ...named].flatMap((command) => {
  try {
    const version = qemuVersion(command);
    return [{ command, version, release: version.split('.').slice(0, 2).join('.') }];
  } catch {
    process.stderr.write(`SKIPPED: the tests of a real QEMU on '${command}', which does not run\n`);
    return [];
  }
});
if (QEMUS.length === 0)
  process.stderr.write(`SKIPPED: the tests of a real QEMU (apt-get install ${QEMU_PACKAGE})\n`);
if (!QEMUS.some(({ version }) => Number.parseInt(version, 10) >= 11))
  process.stderr.write(
    'SKIPPED: the tests of QEMU 11 (node scripts/newer-qemu.mjs FOLDER, GICTRACE_QEMU=FOLDER/qemu-system-aarch64)\n',
  );
