// Records the GIC of this host's KVM guests: runs the script of `script.ts`, which sets up and takes down, and imports the
// text of the trace that it wrote.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import { type ImportInto, type ImportReport, importFtraceToTrace } from '../../import-trace.ts';
import type { FtraceOptions } from '../../importers/ftrace/index.ts';
import { kvmScript, type ScriptOptions } from './script.ts';

export interface RecordKvmOptions extends FtraceOptions, ImportInto, ScriptOptions {
  /** The virtual machine: process ids, or the name that its QEMU was given. Needed if several run. */
  readonly vm?: string;
}

export interface KvmReport {
  readonly imported: ImportReport;
  /** The exit code of the command; 0 without one. */
  readonly code: number;
}

/** The file descriptor whose end tells the script that this process is gone. */
const ALIVE = 7;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Where the text of the trace of a recording is until it has been imported. */
export const textOf = (out: string): string => `${out}.ftrace.txt`;

/**
 * Records KVM while a command runs, or without one until this process gets SIGINT or SIGTERM. If the text cannot be imported,
 * it stays, and the error names it.
 * @throws GicTraceError `usage` for a machine that does not run, `backend` if this kernel cannot be recorded.
 */
export async function recordKvm(
  command: readonly string[],
  out: string,
  { vm, plain, bufferKib, ...options }: RecordKvmOptions = {},
): Promise<KvmReport> {
  const text = textOf(out);
  if (existsSync(text))
    throw new GicTraceError(
      'usage',
      'exists: the text of a recording that was not imported',
      { path: text },
      'import it with gictrace import ftrace, or remove it',
    );
  const of = vm === undefined ? {} : { vm: processesOf(vm) };
  const script = kvmScript({
    ...(plain === undefined ? {} : { plain }),
    ...(bufferKib === undefined ? {} : { bufferKib }),
  });
  const code = await run(['-c', script, 'gictrace', text, ...command]);
  if (!existsSync(text) || statSync(text).size === 0) {
    rmSync(text, { force: true });
    throw new GicTraceError(
      'backend',
      code === 3 ? 'KVM cannot be recorded here' : 'nothing of a GIC has been recorded',
      {},
      'docs/kvm.md says what a kernel must have; gictrace import ftrace takes a log of another host',
    );
  }
  try {
    const imported = await importFtraceToTrace(text, out, { ...options, ...of });
    rmSync(text);
    return { imported, code };
  } catch (error) {
    if (!(error instanceof GicTraceError)) throw error;
    const kept = `what was recorded is in ${text}: gictrace import ftrace takes it`;
    throw new GicTraceError(
      error.code,
      error.message,
      error.place,
      error.hint === undefined ? kept : `${error.hint}; ${kept}`,
    );
  }
}

/** Runs the shell with the standard streams of this process; signals reach the script, which then ends in order. */
function run(args: readonly string[]): Promise<number> {
  const stdio: ('inherit' | 'ignore' | 'pipe')[] = [
    'inherit',
    'inherit',
    'inherit',
    'ignore',
    'ignore',
    'ignore',
    'ignore',
  ];
  stdio[ALIVE] = 'pipe';
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', args, { stdio });
    const pass = (signal: NodeJS.Signals) => child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    for (const signal of SIGNALS) process.on(signal, pass);
    const over = () => {
      for (const signal of SIGNALS) process.off(signal, pass);
    };
    child.on('error', (error) => {
      over();
      reject(new GicTraceError('backend', `the shell cannot be started: ${error.message}`));
    });
    child.on('exit', (code) => {
      over();
      resolve(code ?? 3);
    });
  });
}

/** Process ids of a virtual machine that is named as QEMU names it (`-name guest=NAME`), or given by its ids. */
export function processesOf(vm: string, proc = '/proc'): string {
  if (/^(\d+(,\d+)*|0x[0-9a-f]+)$/i.test(vm)) return vm;
  const found: string[] = [];
  for (const pid of readdirSync(proc).filter((name) => /^\d+$/.test(name))) {
    let args: string[];
    try {
      args = readFileSync(`${proc}/${pid}/cmdline`, 'latin1').split('\0');
    } catch {
      continue; // It has ended, or is not ours to read.
    }
    const name = args[args.indexOf('-name') + 1];
    if (!args.includes('-name') || name === undefined) continue;
    if (name.split(',').some((part) => part === vm || part === `guest=${vm}`)) found.push(pid);
  }
  if (found.length === 1) return found[0]!;
  throw new GicTraceError(
    'usage',
    found.length === 0
      ? `no virtual machine is named '${vm}'`
      : `'${vm}' names ${found.length} virtual machines`,
    {},
    'give --vm with the process id of its QEMU',
  );
}
