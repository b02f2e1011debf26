// What answers SQL in a report's page: a script and SQLite as WebAssembly, as scripts/bundle-sql.mjs has made them.
import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { GicTraceError } from '@gictrace/core';

/** The length of the script (32 bits), the script, and the module, deflated, in base64. */
export function sqlEngine(): string {
  const folder = new URL('../../dist/page-sql/', import.meta.url);
  let script: Buffer;
  let module: Buffer;
  try {
    script = readFileSync(new URL('worker.js', folder));
    module = readFileSync(new URL('sqlite3.wasm', folder));
  } catch (error) {
    throw new GicTraceError(
      'backend',
      `SQLite for the page cannot be read: ${(error as Error).message}`,
      {},
      'gictrace must be installed completely (in a clone: npm run setup)',
    );
  }
  const length = Buffer.alloc(4);
  length.writeUInt32LE(script.length);
  return deflateRawSync(Buffer.concat([length, script, module]), { level: 9 }).toString('base64');
}
