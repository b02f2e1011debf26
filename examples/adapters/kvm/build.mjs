// `node examples/adapters/kvm/build.mjs FOLDER [SUITE]`: makes FOLDER/kvm-adapter, a command that is KVM's GIC behind
// gictrace's adapter protocol. On an arm64 host with /dev/kvm it runs the adapter there. Anywhere else it runs the adapter
// in a machine of QEMU's, whose CPUs are emulated with EL2: Debian's kernel of that suite (trixie by default) hosts KVM.
// That machine is booted once, here, and kept as it is then, so that the command starts in a fraction of a second.
//
// It takes Debian with qemu-system-arm; the cross compiler, the kernel and busybox are downloaded into the folder (about
// 160 MB, once) if they are not there. Nothing is installed and no root is needed. docs/kvm.md says what it does.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { basename, delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ownSuite, privateApt, runner, unpackAll } from '../../../scripts/debian-packages.mjs';
import { ENDED, MACHINE, QEMU } from './machine.mjs';

const NAME = 'kvm-adapter';
const run = runner(NAME);
const [, , to, suite = 'trixie'] = process.argv;
if (to === undefined || !/^[a-z]+(-backports)?$/.test(suite)) {
  console.error(
    'kvm-adapter: give a folder, and perhaps a suite of Debian: bookworm, trixie, trixie-backports',
  );
  process.exit(2);
}
const folder = resolve(to);
const here = fileURLToPath(new URL('.', import.meta.url));
const at = (...names) => join(folder, ...names);
const TRIPLET = 'aarch64-linux-gnu';
/** How long the machine may take to boot, in seconds. */
const BOOT_SECONDS = 120;
mkdirSync(folder, { recursive: true });

// ---- packages ------------------------------------------------------------------------------------------------

/** Every file below a folder. */
function* files(root) {
  for (const found of readdirSync(root, { withFileTypes: true }))
    if (found.isDirectory()) yield* files(join(root, found.name));
    else yield join(root, found.name);
}

/** The folder with the compiler's programs, and what they are run with; downloads the compiler if there is none. */
function compiler() {
  const trial = { input: '#include <stdio.h>\nint main(void) { return 0; }\n' };
  const { status } = spawnSync(`${TRIPLET}-gcc`, ['-static', '-xc', '-', '-o', '/dev/null'], trial);
  if (status === 0) return { bin: '', env: {} };
  const root = at('compiler');
  if (!existsSync(root)) {
    const work = at('compiler.partial');
    rmSync(work, { recursive: true, force: true });
    const apt = privateApt(NAME, work, [ownSuite()]);
    apt('apt-get', 'update');
    apt('apt-get', 'install', '--download-only', '-y', `gcc-${TRIPLET}`, 'libc6-dev-arm64-cross');
    unpackAll(NAME, work, join(work, 'root'));
    renameSync(join(work, 'root'), root);
    rmSync(work, { recursive: true });
  }
  const libraries = readdirSync(join(root, 'usr', 'lib')).find(
    (name) => /-linux-gnu$/.test(name) && name !== TRIPLET,
  );
  return {
    bin: `${join(root, 'usr', 'bin')}/`,
    env: {
      LD_LIBRARY_PATH: join(root, 'usr', 'lib', libraries),
      PATH: `${join(root, 'usr', 'bin')}${delimiter}${process.env.PATH}`,
    },
  };
}

/** Downloads and unpacks the kernel and busybox, once; answers the folder. */
function system() {
  const root = at('system');
  if (existsSync(root)) return root;
  const work = at('system.partial');
  rmSync(work, { recursive: true, force: true });
  const base = suite.replace(/-backports$/, '');
  const apt = privateApt(NAME, work, base === suite ? [suite] : [base, suite], 'arm64');
  apt('apt-get', 'update');
  const wanted = (of) =>
    [...apt('apt-cache', 'depends', of).matchAll(/Depends: (linux-(?:image|binary|modules)-\d\S+)/g)].map(
      ([, name]) => name.replace(/:arm64$/, ''),
    );
  const direct = wanted(base === suite ? 'linux-image-arm64' : `linux-image-arm64/${suite}`);
  const kernels = [...new Set([...direct, ...direct.flatMap(wanted)])];
  if (kernels.length === 0) {
    console.error(`${NAME}: ${suite} has no linux-image-arm64`);
    process.exit(3);
  }
  const debs = join(work, 'cache', 'archives');
  run('sh', ['-c', 'cd "$0" && exec apt-get -qq download "$@"', debs, ...kernels, 'busybox-static'], {
    APT_CONFIG: join(work, 'apt.conf'),
  });
  unpackAll(NAME, work, join(work, 'root'));
  renameSync(join(work, 'root'), root);
  rmSync(work, { recursive: true });
  return root;
}

// ---- the adapter ---------------------------------------------------------------------------------------------

const SOURCES = ['kvm_adapter.c', 'stimuli.c', 'operations.c', 'groups.c', 'snapshots.c', 'machine.c'];
const HEADERS = ['snapshots.h', 'stimuli.h', 'machine.h', 'layout.h', 'stub.S', join('..', 'c', 'wire.h')];

/** The adapter for arm64, without a shared library; compiled if a source is newer. */
function adapter() {
  const program = at('gictrace-kvm');
  const newest = Math.max(...[...SOURCES, ...HEADERS].map((name) => statSync(join(here, name)).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs > newest) return program;
  const { bin, env } = compiler();
  const tool = (name, ...args) => run(`${bin}${TRIPLET}-${name}`, args, env);
  tool('gcc', '-c', '-o', at('stub.o'), join(here, 'stub.S'));
  tool('ld', '-Ttext=0', '-o', at('stub.elf'), at('stub.o'));
  tool('objcopy', '-O', 'binary', '-j', '.text', at('stub.elf'), at('stub.bin'));
  const bytes = [...readFileSync(at('stub.bin'))];
  writeFileSync(
    at('stub.h'),
    `static const unsigned char stub_bin[] = { ${bytes.join(', ')} };\nstatic const unsigned stub_bin_len = sizeof stub_bin;\n`,
  );
  const own = [...SOURCES.map((name) => join(here, name)), '-I', folder, '-I', here];
  tool('gcc', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-static', '-o', program, ...own);
  return program;
}

// ---- the machine that hosts KVM ------------------------------------------------------------------------------

/** A file of a cpio archive of the format newc. */
function entry(name, mode, data) {
  const hex = (value) => value.toString(16).padStart(8, '0');
  const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const head = Buffer.from(`070701${fields.map(hex).join('')}${name}\0`);
  const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([padded(head), padded(data)]);
}

/** What a virtio console needs, in the order in which they need each other; what is not there is part of the kernel. */
const MODULES = [
  'virtio',
  'virtio_ring',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'virtio_console',
];

/** Modules by name, and their bytes. */
function modulesOf(root) {
  const found = new Map();
  for (const path of files(root)) {
    const name = /^(\w+)\.ko(\.xz)?$/.exec(basename(path).replaceAll('-', '_'));
    if (name !== null && MODULES.includes(name[1])) found.set(name[1], path);
  }
  return MODULES.filter((name) => found.has(name)).map((name) => {
    const path = found.get(name);
    if (!path.endsWith('.xz')) return { name, bytes: readFileSync(path) };
    const { stdout, status } = spawnSync('xz', ['-dc', path], { maxBuffer: 2 ** 26 });
    if (status !== 0) throw new Error(`${path} cannot be decompressed`);
    return { name, bytes: stdout };
  });
}

function initrd(root) {
  const modules = modulesOf(root);
  const init = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
mount -t tracefs tracefs /sys/kernel/tracing
${modules.map(({ name }) => `insmod /modules/${name}.ko`).join('\n')}
echo 1 > /proc/sys/kernel/printk
stty -F /dev/ttyAMA0 raw
echo READY
{ sh 0<> /dev/vport0p2 1>&0 2>&1; poweroff -f; } &
/bin/gictrace-kvm /dev/vport0p1
echo "${ENDED} $?"
poweroff -f
`;
  const none = Buffer.alloc(0);
  return gzipSync(
    Buffer.concat([
      ...['bin', 'dev', 'modules'].map((name) => entry(name, 0o040755, none)),
      ...modules.map(({ name, bytes }) => entry(`modules/${name}.ko`, 0o100644, bytes)),
      entry('init', 0o100755, Buffer.from(init)),
      entry(
        'bin/busybox',
        0o100755,
        readFileSync([...files(root)].find((path) => path.endsWith('/busybox'))),
      ),
      entry('bin/gictrace-kvm', 0o100755, readFileSync(adapter())),
      entry('TRAILER!!!', 0, none),
    ]),
  );
}

/** Boots the machine, and keeps it as it is when the adapter waits for its first message. */
async function template() {
  for (const name of ['console', 'state']) rmSync(at(name), { force: true });
  const root = system();
  // boot/vmlinuz-VERSION, or, since Linux 7, usr/lib/modules/VERSION/vmlinuz.
  const kernel = [...files(root)].find((path) => /\/(boot\/vmlinuz-|modules\/.*\/vmlinuz$)/.test(path));
  if (kernel === undefined) {
    console.error(`${NAME}: no kernel is in ${root} where Debian's packages have it`);
    process.exit(3);
  }
  writeFileSync(at('initrd'), initrd(root));
  const socket = at('qmp');
  rmSync(socket, { force: true });
  const started = performance.now();
  const printed = openSync(at('console'), 'w');
  const qemu = spawn(
    QEMU,
    [
      ...MACHINE,
      ...[
        '-kernel',
        kernel,
        '-initrd',
        at('initrd'),
        '-append',
        'console=ttyAMA0 panic=-1 quiet nokaslr kvm-arm.mode=nvhe',
      ],
      ...['-qmp', `unix:${socket},server=on,wait=off`],
    ],
    { stdio: ['ignore', printed, 'inherit', 'pipe', 'pipe'] },
  );
  const over = new Promise((_, reject) => {
    qemu.on('error', (error) => reject(new Error(`${QEMU}: ${error.message}`)));
    qemu.on('exit', (code) => reject(new Error(`${QEMU} ended with ${code} before the machine was ready`)));
    setTimeout(
      () => reject(new Error(`the machine did not boot within ${BOOT_SECONDS} s`)),
      BOOT_SECONDS * 1000,
    ).unref();
  });
  over.catch(() => undefined);
  try {
    await Promise.race([over, ready()]);
    await Promise.race([over, keep(socket)]);
  } catch (error) {
    console.error(`${NAME}: ${error.message}; ${at('console')} is what it printed`);
    process.exitCode = 3;
  } finally {
    qemu.removeAllListeners('exit');
    qemu.kill('SIGKILL');
  }
  if (process.exitCode !== 3)
    console.error(`${NAME}: booted in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function ready() {
  while (!existsSync(at('console')) || !readFileSync(at('console'), 'latin1').includes('READY'))
    await pause(100);
  await pause(1500);
}

/** Writes the machine's state to a file. */
async function keep(path) {
  const socket = createConnection(path);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  const ask = async (execute, args = {}) => {
    text = '';
    socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    for (;;) {
      const line = text.split('\n').find((one) => /^\{"(return|error)"/.test(one));
      if (line !== undefined) {
        const { return: value, error } = JSON.parse(line);
        if (error) throw new Error(`${execute}: ${error.desc}`);
        return value;
      }
      await pause(20);
    }
  };
  while (!text.includes('QMP')) await pause(20);
  await ask('qmp_capabilities');
  await ask('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 });
  await ask('migrate', { uri: `exec:cat > '${at('state.partial')}'` });
  for (;;) {
    const { status } = await ask('query-migrate');
    if (status === 'completed') break;
    if (status === 'failed' || status === 'cancelled') throw new Error('its state cannot be written');
    await pause(50);
  }
  socket.destroy();
  renameSync(at('state.partial'), at('state'));
}

const quoted = (text) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The command. */
function command() {
  const relay = [process.execPath, join(here, 'machine.mjs'), folder].map(quoted).join(' ');
  // The saved machine belongs to the QEMU that saved it.
  return `#!/bin/sh
# KVM's GIC behind gictrace's adapter protocol; made by gictrace's examples/adapters/kvm/build.mjs.
export GICTRACE_QEMU=${quoted(QEMU)}
if [ "$(uname -m)" = aarch64 ] && [ -w /dev/kvm ]; then exec ${quoted(at('gictrace-kvm'))}; fi
exec ${relay}
`;
}

if (!existsSync(at('state')) || statSync(adapter()).mtimeMs > statSync(at('state')).mtimeMs) await template();
if (process.exitCode === 3) process.exit();
else {
  writeFileSync(at('kvm-adapter'), command());
  chmodSync(at('kvm-adapter'), 0o755);
  console.log(at('kvm-adapter'));
}
