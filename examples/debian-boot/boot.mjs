// `node examples/debian-boot/boot.mjs [FOLDER]`: boots Debian's arm64 kernel on QEMU, records its GIC live, replays the
// recording, and compares what other designs would have done. Needs Debian (or Ubuntu) with qemu-system-arm, and root
// only to make apt know arm64 packages, if it does not yet. Downloads about 60 MB into the folder, once; with --packages
// behind the folder it does no more than that.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const folder = resolve(process.argv[2] ?? 'debian-boot');
const gictrace = fileURLToPath(new URL('../../packages/cli/bin/gictrace.js', import.meta.url));
mkdirSync(folder, { recursive: true });

/** Runs a command that must succeed; answers what it printed. */
function run(command, args, options = {}) {
  const { status, stdout, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  if (error !== undefined) throw new Error(`${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
  return stdout ?? '';
}

// ---- packages ------------------------------------------------------------------------------------------------

const isHere = existsSync(join(folder, 'kernel')) && existsSync(join(folder, 'busybox'));
if (!isHere && !run('dpkg', ['--print-foreign-architectures']).split('\n').includes('arm64')) {
  console.log('apt does not know arm64 packages: dpkg --add-architecture arm64, apt-get update');
  run('dpkg', ['--add-architecture', 'arm64']);
  run('apt-get', ['update', '-qq']);
}
/** The package that the kernel's metapackage stands for at the moment. */
function kernelPackage() {
  const found = /Depends: (linux-image-\S+-arm64)/.exec(
    run('apt-cache', ['depends', 'linux-image-arm64:arm64']),
  );
  if (found === null) throw new Error('linux-image-arm64:arm64 depends on no kernel: apt-get update first');
  return `${found[1].replace(/:arm64$/, '')}:arm64`;
}
/** Downloads and unpacks a package, once; answers the folder. */
function unpacked(name, of) {
  const to = join(folder, name);
  if (existsSync(to)) return to;
  const before = new Set(readdirSync(folder));
  console.log(`downloading ${of}`);
  run('apt-get', ['download', '-qq', of]);
  const deb = readdirSync(folder).find((file) => file.endsWith('.deb') && !before.has(file));
  run('dpkg-deb', ['-x', deb, to]);
  return to;
}
const kernelFolder = join(unpacked('kernel', isHere ? '' : kernelPackage()), 'boot');
const kernel = join(
  kernelFolder,
  readdirSync(kernelFolder).find((file) => file.startsWith('vmlinuz')),
);
const busybox = join(unpacked('busybox', 'busybox-static:arm64'), 'bin', 'busybox');

if (process.argv.includes('--packages')) process.exit(0);

// ---- an initramfs: busybox, the modules of a virtio disk, and an init that reads from it and powers off -------

/** Every file below a folder. */
function* files(at) {
  for (const found of readdirSync(at, { withFileTypes: true }))
    if (found.isDirectory()) yield* files(join(at, found.name));
    else yield join(at, found.name);
}
const modules = new Map(
  [...files(join(kernelFolder, '..', 'lib', 'modules'))].map((path) => [basename(path), path]),
);
/** What a virtio disk needs, in the order in which they need each other; what is not there is part of the kernel. */
const MODULES = [
  'virtio',
  'virtio_ring',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'virtio_blk',
].filter((name) => modules.has(`${name}.ko`));

const init = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
${MODULES.map((name) => `insmod /modules/${name}.ko`).join('\n')}
dd if=/dev/vda of=/dev/null bs=4096 count=100
grep -E 'CPU|MSI' /proc/interrupts
poweroff -f
`;
/** A file of a cpio archive of the format newc. */
function entry(name, mode, data) {
  const hex = (value) => value.toString(16).padStart(8, '0');
  const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const head = Buffer.from(`070701${fields.map(hex).join('')}${name}\0`);
  const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([padded(head), padded(data)]);
}
const none = Buffer.alloc(0);
const initrd = join(folder, 'initrd.gz');
writeFileSync(
  initrd,
  gzipSync(
    Buffer.concat([
      entry('bin', 0o040755, none),
      entry('dev', 0o040755, none),
      entry('modules', 0o040755, none),
      ...MODULES.map((name) =>
        entry(`modules/${name}.ko`, 0o100644, readFileSync(modules.get(`${name}.ko`))),
      ),
      entry('init', 0o100755, Buffer.from(init)),
      entry('bin/busybox', 0o100755, readFileSync(busybox)),
      entry('TRAILER!!!', 0, none),
    ]),
  ),
);

// ---- recorded, replayed, compared ----------------------------------------------------------------------------

const disk = join(folder, 'disk.img');
if (!existsSync(disk)) writeFileSync(disk, Buffer.alloc(1 << 20));
const trace = join(folder, 'boot.gictrace');
const qemu = [
  'qemu-system-aarch64',
  ...[
    '-M',
    'virt,gic-version=3,its=on',
    '-cpu',
    'cortex-a57',
    '-smp',
    '4',
    '-m',
    '512M',
    '-nographic',
    '-no-reboot',
  ],
  ...['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyAMA0 panic=-1'],
  // Without the network card that virt has by default, whose option ROM is in a package of its own.
  ...['-nic', 'none'],
  ...['-drive', `if=none,id=d0,file=${disk},format=raw`, '-device', 'virtio-blk-pci,drive=d0,num-queues=4'],
];
const shown = { stdio: 'inherit' };
run(process.execPath, [gictrace, 'record', 'qemu', '-o', trace, '--', ...qemu], shown);
run(process.execPath, [gictrace, 'replay', trace], shown);
run(process.execPath, [gictrace, 'compare', trace, '--on', 'its,direct-lpi,mbi'], shown);
