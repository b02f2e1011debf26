// A layer under all outputs that counts the calls to the file system, and at the n-th fails with an error, or is killed: no later
// call does anything.
import { type OutputFiles, replaceOutputFiles } from './index.ts';

const CALLS = ['create', 'openToSync', 'write', 'fsync', 'close', 'rename', 'remove'] as const;
export type Fault = 'ENOSPC' | 'EIO' | 'killed';

/** What a process that was killed would have done next, it does not do. */
export class Killed extends Error {}

/** Puts the layer in place. `isShort`: each write writes half of what is left, as the system may do. */
export function faultyFiles(n: number, how: Fault, isShort = false) {
  const seen = { calls: 0 };
  const layer = (node: OutputFiles): OutputFiles => {
    const wrapped = { ...node } as Record<string, (...args: never[]) => unknown>;
    for (const name of CALLS) {
      const own = node[name] as (...args: never[]) => unknown;
      wrapped[name] = (...args: never[]) => {
        seen.calls++;
        if (how === 'killed' && seen.calls >= n) throw new Killed();
        if (seen.calls === n) throw Object.assign(new Error(how), { code: how });
        if (name === 'write' && isShort) {
          const [fd, bytes, from] = args as unknown as [number, Uint8Array, number];
          return node.write(fd, bytes.subarray(0, from + Math.ceil((bytes.length - from) / 2)), from);
        }
        return own(...args);
      };
    }
    return wrapped as unknown as OutputFiles;
  };
  return { seen, restore: replaceOutputFiles(layer) };
}
