// `--on kvm` and `--on kvm:COMMAND`: KVM's GIC, behind the adapter that examples/adapters/kvm builds (docs/kvm.md).
import { existsSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';

const PREFIX = 'kvm:';
/** Names the command that examples/adapters/kvm/build.mjs has written. */
export const KVM_VARIABLE = 'GICTRACE_KVM';

/** Whether a backend is a real KVM. */
export function isKvm(on: string): boolean {
  return on === 'kvm' || on.startsWith(PREFIX);
}

/** The command that starts the adapter. @throws GicTraceError `usage` if nothing says which, `backend` if it is not there. */
export function kvmCommand(on: string): string {
  if (on.startsWith(PREFIX)) {
    const command = on.slice(PREFIX.length).trim();
    if (command === '')
      throw new GicTraceError('usage', 'kvm: without a command', {}, 'give kvm, or kvm:COMMAND');
    return command;
  }
  const path = process.env[KVM_VARIABLE] ?? '';
  const hint = `node examples/adapters/kvm/build.mjs FOLDER makes FOLDER/kvm-adapter; set ${KVM_VARIABLE} to its path (docs/kvm.md)`;
  if (path === '')
    throw new GicTraceError(
      'usage',
      `--on kvm needs the adapter of KVM, and ${KVM_VARIABLE} is not set`,
      {},
      hint,
    );
  if (!existsSync(path))
    throw new GicTraceError(
      'backend',
      `there is no adapter of KVM at '${path}', which ${KVM_VARIABLE} names`,
      {},
      hint,
    );
  return `'${path.replaceAll("'", "'\\''")}'`;
}
