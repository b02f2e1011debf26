// `gictrace doctor`: reports which of the tools that gictrace can use are installed.
import { spawnSync } from 'node:child_process';
import { GicTraceError } from '@gictrace/core';
import { sqliteVersion } from '@gictrace/query';
import { missingRom } from '@gictrace/recorder';
import { QEMU, QEMU_PACKAGE, qemuProblem, qemuVersion } from '@gictrace/replayer';
import type { Command } from 'commander';
import { json, print, VERSION } from '../context.ts';

interface Tool {
  readonly name: string;
  /** The version that the tool reports; null if it is not installed. */
  readonly version: string | null;
  readonly use: string;
  /** How to get it, or what it lacks. */
  readonly hint: string;
  /** What does not work, in the tool's own words. */
  readonly problem?: string;
}

const TOOLS: readonly { readonly name: string; readonly use: string; readonly package: string }[] = [
  { name: 'cc', use: 'build the adapter in examples/adapters/c', package: 'gcc' },
  { name: 'xz', use: 'import logs that end in .xz', package: 'xz-utils' },
  { name: 'zstd', use: 'import logs that end in .zst', package: 'zstd' },
];

/** The first line that a tool prints for `--version`, from its first digit on; null if it does not run. */
function versionOf(name: string): string | null {
  const result = spawnSync(name, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  if (result.error !== undefined || result.status !== 0) return null;
  return /\d+\.\d[^\s,)]*/.exec(result.stdout)?.[0] ?? 'unknown';
}

function qemu(): string | null {
  try {
    return qemuVersion();
  } catch (error) {
    if (error instanceof GicTraceError) return null;
    throw error;
  }
}

/** The version of better-sqlite3, which is native code; null if it does not load in this Node. */
function sqlite(): string | null {
  try {
    return sqliteVersion();
  } catch {
    return null;
  }
}

function qemuTool(): Tool {
  const version = qemu();
  const problem = version === null ? undefined : qemuProblem();
  const install = `apt-get install ${QEMU_PACKAGE}`;
  return {
    ...{ name: QEMU, version, use: 'replay --on qemu, fuzz --on qemu, record qemu' },
    ...(problem === undefined ? { hint: install } : { hint: missingRom(problem) ?? install, problem }),
  };
}

function look(): Tool[] {
  return [
    {
      ...{ name: 'better-sqlite3', version: sqlite() },
      use: 'load, query, shell, diff -o, compare -o',
      hint: `npm rebuild better-sqlite3, for Node ${process.versions.node}`,
    },
    qemuTool(),
    ...TOOLS.map((tool) => ({
      ...{ name: tool.name, version: versionOf(tool.name), use: tool.use },
      hint: `apt-get install ${tool.package}`,
    })),
  ];
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('report which of the tools that gictrace can use are installed')
    .description('Looks for the programs that some verbs need, and says how to get those that are missing.')
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace doctor\n')
    .action((options: { json?: boolean }) => {
      const tools = look();
      if (options.json) {
        print(json({ gictrace: VERSION, node: process.versions.node, tools }));
        return;
      }
      const width = Math.max(...tools.map(({ name }) => name.length));
      print(`gictrace ${VERSION}, Node.js ${process.versions.node}`);
      for (const { name, version, use, hint, problem } of tools) {
        print(
          `${name.padEnd(width)}  ${version ?? 'missing'}  (${use}${version === null ? `: ${hint}` : ''})`,
        );
        if (problem !== undefined)
          print(
            `${' '.repeat(width)}  the virt machine does not start with its default devices: ${problem} (${hint})`,
          );
      }
    });
}
