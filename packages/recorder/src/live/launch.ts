// Starts a QEMU through a small helper, run by an interpreter that is installed almost everywhere. The helper asks the kernel
// to end QEMU if gictrace dies, and makes QEMU's standard error a pipe that holds only two lines. Both need system calls
// that Node does not have.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** prctl, by Node's name of the processor. */
const PRCTL: Readonly<Record<string, number>> = {
  x64: 157,
  arm64: 167,
  riscv64: 167,
  ppc64: 171,
  s390x: 172,
};
const PR_SET_PDEATHSIG = 1;
const SIGTERM = 15;
const F_SETFL = 4;
/** O_DIRECT, which on a pipe means that each write is read separately; 0 if the system does not have it. */
const PACKETS = constants.O_DIRECT ?? 0;
const F_SETPIPE_SZ = 1031;
/**
 * Two pages, which in packet mode hold two writes. An access that makes the GIC read memory writes at least three lines,
 * the last one when everything is done. Until that line is read, the access is not complete and its PE waits. Later QEMUs
 * write a line in several parts, and are therefore ahead by less.
 */
const PIPE_BYTES = 8192;

/** The helpers. Each takes the number of prctl, the flag for packet mode or 0, and a command. */
const HELPERS: readonly (readonly [string, ...string[]])[] = [
  [
    'perl',
    '-e',
    `my ($prctl, $packets) = splice @ARGV, 0, 2;
     syscall $prctl, ${PR_SET_PDEATHSIG}, ${SIGTERM} if $prctl;
     if ($packets) {
       fcntl(STDERR, ${F_SETFL}, $packets + 0) or exit 125;
       fcntl(STDERR, ${F_SETPIPE_SZ}, ${PIPE_BYTES}) or exit 125;
     }
     exec { $ARGV[0] } @ARGV or exit 126;`,
  ],
  [
    'python3',
    '-c',
    [
      'import ctypes, fcntl, os, sys',
      'prctl, packets = int(sys.argv[1]), int(sys.argv[2])',
      `if prctl: ctypes.CDLL(None).syscall(prctl, ${PR_SET_PDEATHSIG}, ${SIGTERM}, 0, 0, 0)`,
      'if packets:',
      `    fcntl.fcntl(2, ${F_SETFL}, packets)`,
      `    fcntl.fcntl(2, ${F_SETPIPE_SZ}, ${PIPE_BYTES})`,
      'os.execvp(sys.argv[3], sys.argv[3:])',
    ].join('\n'),
  ],
];

/** Whether there is a program of this name. */
export function isProgram(name: string): boolean {
  const places = name.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  return places.some((folder) => {
    const path = folder === '' ? name : join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

/** A way to start programs, with or without a helper. */
export interface Launcher {
  /** Whether standard error can be made a pipe that holds two lines. */
  readonly packets: boolean;
  start(command: readonly string[], stderr: number | 'inherit'): ChildProcess;
}

/**
 * The helper that works on this system. `pipe` is a pipe, open for writing, that should hold only two lines; undefined if
 * that is not wanted.
 */
export function launcher(pipe: number | undefined): Launcher {
  const prctl = PRCTL[process.arch] ?? 0;
  for (const packets of pipe === undefined ? [0] : [PACKETS, 0])
    for (const helper of HELPERS) {
      const words = [...helper.slice(1), String(prctl), String(packets), 'true'];
      const tried = spawnSync(helper[0], words, { stdio: ['ignore', 'ignore', pipe ?? 'ignore'] });
      if (tried.status !== 0) continue;
      return {
        packets: packets !== 0,
        start: (command, stderr) => {
          const mode = stderr === 'inherit' ? '0' : String(packets);
          return spawn(helper[0], [...helper.slice(1), String(prctl), mode, ...command], {
            stdio: ['inherit', 'inherit', stderr],
          });
        },
      };
    }
  return {
    packets: false,
    start: ([program, ...args], stderr) => spawn(program!, args, { stdio: ['inherit', 'inherit', stderr] }),
  };
}
