// A QEMU process that gictrace starts in a folder of its own. Process and folder are removed whatever happens. This file
// knows the command line only as a list of words.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { Qtest } from './qtest.ts';

export const QEMU = 'qemu-system-aarch64';
export const QEMU_PACKAGE = 'qemu-system-arm';

/** The version of QEMU that a command runs. @throws GicTraceError `backend` if there is none. */
export function qemuVersion(command = QEMU): string {
  const result = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  const found = /version (\S+)/.exec(result.stdout ?? '');
  if (result.error !== undefined || found === null)
    throw new GicTraceError(
      'backend',
      `${command} is not installed, or does not run`,
      {},
      `Debian and Ubuntu: apt-get install ${QEMU_PACKAGE}`,
    );
  return found[1]!;
}

/**
 * Why a `virt` machine with its default devices does not start, in QEMU's words; `undefined` if it starts. The backend needs
 * none of these devices, but the machines that users record mostly have them.
 */
export function qemuProblem(command = QEMU): string | undefined {
  // With dumpdtb, QEMU ends as soon as the machine is complete.
  const { status, stderr, error } = spawnSync(command, ['-M', 'virt,dumpdtb=/dev/null', '-display', 'none'], {
    ...{ encoding: 'utf8', timeout: 20_000 },
  });
  if (error === undefined && status === 0) return undefined;
  const said = stderr.trim().split('\n').at(-1)!;
  return error?.message ?? (said === '' ? `exit code ${status}` : said.replace(/^\S+: /, ''));
}

/**
 * A shell script that becomes QEMU, and leaves a process behind that kills QEMU and removes the folder once this process's
 * end of standard input is closed. If the folder is gone, QEMU has been ended already, and its process id may be reused.
 */
const GUARDED =
  'exec 3<&0; (cat <&3 >/dev/null; [ -d "$0" ] && kill -9 $$ 2>/dev/null; rm -rf "$0") >/dev/null 2>&1 & exec "$@" 3<&- </dev/null';

const alive = new Set<QemuProcess>();
let handlers = false;

function onExit(): void {
  for (const one of alive) one.kill();
}
function onSignal(signal: NodeJS.Signals): void {
  onExit();
  process.kill(process.pid, signal);
}

export interface QemuOptions {
  /** The command; `qemu-system-aarch64` if absent. */
  readonly command?: string;
  /** How long QEMU may send nothing, in ms; 20,000 if absent. */
  readonly timeoutMs?: number;
}

export class QemuProcess {
  readonly folder: string;
  readonly log: string;
  private readonly child: ChildProcess;
  private readonly servers: Server[];
  private errors = '';
  /** Whether it ended without having been killed from here. */
  endedItself = false;
  qtest!: Qtest;
  private qmpSocket!: Socket;
  private readonly qmpWaiters: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  private failure: Error | undefined;

  private constructor(folder: string, args: readonly string[], servers: Server[], command: string) {
    this.folder = folder;
    this.log = join(folder, 'log');
    this.servers = servers;
    const files = ['-qtest', `unix:${join(folder, 'qtest')}`, '-qtest-log', 'none'];
    files.push('-qmp', `unix:${join(folder, 'qmp')}`, '-D', this.log);
    this.child = spawn('sh', ['-c', GUARDED, folder, command, ...args, ...files], {
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: false,
    });
    this.child.stdin!.on('error', () => undefined);
    this.child.stderr!.on('data', (data: Buffer) => {
      this.errors = (this.errors + data.toString('latin1')).slice(-2000);
    });
    this.child.on('error', () => this.fail('could not be started'));
    this.child.on('close', (code, signal) => {
      this.endedItself = this.failure === undefined;
      this.fail(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
      this.kill();
    });
    alive.add(this);
    if (!handlers) {
      handlers = true;
      process.once('exit', onExit);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, onSignal);
    }
  }

  /** Starts QEMU and connects to it. @throws GicTraceError `backend` if it does not start. */
  static async start(args: readonly string[], options: QemuOptions = {}): Promise<QemuProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'gictrace-qemu-'));
    const timeoutMs = options.timeoutMs ?? 20_000;
    const names = ['qtest', 'qmp'];
    const servers = names.map(() => createServer());
    let started: QemuProcess | undefined;
    try {
      const sockets = servers.map(
        (server, k) =>
          new Promise<Socket>((resolve, reject) => {
            server.once('connection', resolve);
            server.once('error', reject);
            server.listen(join(folder, names[k]!));
          }),
      );
      started = new QemuProcess(folder, args, servers, options.command ?? QEMU);
      const one = started;
      const late = new Promise<never>((_, reject) => {
        one.rejectStart = reject;
        setTimeout(() => reject(one.error(`did not start within ${timeoutMs / 1000} s`)), timeoutMs).unref();
      });
      const [qtest, qmp] = (await Promise.race([Promise.all(sockets), late])) as [Socket, Socket];
      one.qtest = new Qtest(qtest, timeoutMs);
      if (one.failure !== undefined) throw one.failure;
      one.listen(qmp);
      await Promise.race([one.qmp('qmp_capabilities'), late]);
      one.rejectStart = undefined;
      return one;
    } catch (error) {
      started?.kill();
      for (const server of servers) server.close();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }
  private rejectStart: ((error: Error) => void) | undefined;

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Runs a command of the QEMU Machine Protocol and returns its result. */
  qmp(execute: string, args: object = {}): Promise<unknown> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.qmpWaiters.push({ resolve, reject });
      this.qmpSocket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
  }

  /** Ends QEMU and removes its folder. May be called at any time and repeatedly. */
  kill(): void {
    if (!alive.delete(this)) return;
    this.child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    this.child.stdin?.destroy();
    this.child.unref();
    for (const server of this.servers) server.close();
    this.qmpSocket?.destroy();
    this.fail('was ended');
  }

  private listen(socket: Socket): void {
    this.qmpSocket = socket;
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      text += data.toString('utf8');
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const message = JSON.parse(text.slice(0, end)) as {
          return?: unknown;
          error?: { desc: string };
        };
        text = text.slice(end + 1);
        if (message.error !== undefined)
          this.qmpWaiters
            .shift()
            ?.reject(new GicTraceError('backend', `QEMU refused: ${message.error.desc}`));
        else if ('return' in message) this.qmpWaiters.shift()?.resolve(message.return);
      }
    });
  }

  private error(what: string): GicTraceError {
    const said = this.errors
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .at(-1);
    return new GicTraceError('backend', `QEMU ${what}${said === undefined ? '' : `; it said: ${said}`}`);
  }

  private fail(what: string): void {
    if (this.failure !== undefined) return;
    this.failure = this.error(what);
    this.rejectStart?.(this.failure);
    this.qtest?.fail(this.failure);
    for (const { reject } of this.qmpWaiters.splice(0)) reject(this.failure);
  }
}
