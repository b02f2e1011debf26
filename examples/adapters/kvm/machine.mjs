// The machine of QEMU's that hosts KVM: its command line, and one session with the adapter in it. As a program,
// `node machine.mjs FOLDER` continues the machine that build.mjs has kept in the folder, joins standard input and output to
// the adapter's port, and ends with the adapter's exit code. With --shell behind the folder, they are joined to a shell of
// root's in that machine, where `gictrace-kvm` is the adapter and /sys/kernel/tracing is the kernel's. The machine ends with
// the session, whatever happens.
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The line by which the guest says how the adapter ended. */
export const ENDED = 'gictrace-kvm-ended';
/** How long the adapter may take to end after its input has ended, in milliseconds. */
const GRACE_MS = 5000;

/** The arguments of QEMU. Its standard output is the guest's console; file descriptors 3 and 4 are sockets, the ports of the adapter and of a shell. */
export const MACHINE = [
  ...[
    '-machine',
    'virt,virtualization=on,gic-version=3,its=on',
    '-cpu',
    'neoverse-n1',
    '-smp',
    '2',
    '-m',
    '512M',
  ],
  ...['-nic', 'none', '-display', 'none', '-monitor', 'none', '-no-reboot'],
  ...['-device', 'virtio-serial-pci', '-chardev', 'socket,id=port,fd=3'],
  ...['-device', 'virtserialport,chardev=port,name=adapter', '-serial', 'stdio'],
  ...['-chardev', 'socket,id=shell,fd=4', '-device', 'virtserialport,chardev=shell,name=shell'],
];
/** The command that runs QEMU. */
export const QEMU = process.env.GICTRACE_QEMU ?? 'qemu-system-aarch64';

/** Continues the machine for one session. */
function session(folder, shell) {
  const child = spawn(QEMU, [...MACHINE, '-incoming', `exec:cat '${join(folder, 'state')}'`], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'pipe'],
  });
  const port = child.stdio[shell ? 4 : 3];
  let code = 3;
  const kill = () => child.kill('SIGKILL');
  child.on('error', (error) => {
    console.error(`kvm-adapter: ${QEMU}: ${error.message}`);
    process.exit(3);
  });
  child.on('exit', () => process.exit(shell ? 0 : code));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, kill);
  process.on('exit', kill);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const found = new RegExp(`${ENDED} (\\d+)`).exec(line);
    if (found === null) console.error(line);
    else {
      code = Number(found[1]);
      kill();
    }
  });
  process.stdin.on('data', (bytes) => port.write(bytes));
  process.stdin.on('end', () => {
    port.end();
    setTimeout(kill, GRACE_MS);
  });
  // A reader that is gone: nothing is left to do. The machine's own pipe breaks when it ends.
  process.stdin.on('error', kill);
  process.stdout.on('error', kill);
  port.on('error', () => undefined);
  port.on('data', (bytes) => process.stdout.write(bytes));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  session(resolve(process.argv[2] ?? '.'), process.argv.includes('--shell'));
