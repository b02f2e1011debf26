// `gictrace record kvm`: records the GIC of this host's KVM guests, or writes the script that does so elsewhere.
import { EXIT_CODES, GicTraceError } from '@gictrace/core';
import { kvmScript, recordKvm } from '@gictrace/recorder';
import { OutputFile, type Ownership } from '@gictrace/recorder/output';
import { grouped, json, note, print, VERSION } from '../context.ts';
import { sourceLines } from './source-text.ts';

export interface KvmOptions {
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly vm?: string;
  readonly plain?: boolean;
  readonly script?: boolean;
  readonly bufferKib?: number;
}

const HEAD = '#!/bin/sh\n# Records what KVM';
const SCRIPT: Ownership = {
  what: 'a script of record kvm',
  recognises: (head) => head.toString('latin1').startsWith(HEAD),
};

/** Records KVM. Returns 0 if the command exited normally, or because gictrace was told to stop. */
export async function recordKvmVerb(command: readonly string[], options: KvmOptions): Promise<number> {
  const own = {
    ...(options.plain === undefined ? {} : { plain: options.plain }),
    ...(options.bufferKib === undefined ? {} : { bufferKib: options.bufferKib }),
  };
  if (options.script) {
    if (command.length > 0 || options.vm !== undefined)
      throw new GicTraceError(
        'usage',
        '--script takes neither a command nor --vm',
        {},
        'give them to the script, and to import',
      );
    const out = new OutputFile(options.output, SCRIPT, { force: options.force === true });
    try {
      out.write(Buffer.from(kvmScript(own)));
      out.commit();
    } finally {
      out.discard();
    }
    note(
      `wrote ${options.output}: sh ${options.output} LOG [COMMAND…] there, then gictrace import ftrace LOG -o TRACE`,
    );
    return 0;
  }
  const { imported, code } = await recordKvm(command, options.output, {
    ...own,
    version: VERSION,
    force: options.force === true,
    ...(options.vm === undefined ? {} : { vm: options.vm }),
  });
  if (options.json)
    print(
      json({
        trace: options.output,
        ...imported.summary,
        lines: imported.stats.lines,
        config: imported.config,
        losses: imported.stats.losses,
        start: imported.start,
        code,
      }),
    );
  else {
    print(
      `${options.output}: ${grouped(imported.summary.records)} records from ${grouped(imported.stats.lines)} lines`,
    );
    for (const line of sourceLines(imported.start, imported.missing)) print(`the recording ${line}`);
  }
  note(`wrote ${options.output}`);
  if (code === 0) return 0;
  note(`the command ended with exit code ${code}: what it did until then has been recorded`);
  return EXIT_CODES.backend;
}
