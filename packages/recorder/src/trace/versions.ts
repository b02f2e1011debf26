// Reads traces of earlier versions. The reader finds the version of a trace; then each upcaster in turn converts a raw
// payload from version n to n + 1.
import { GicTraceError } from '@gictrace/core';
import { FORMAT_VERSION } from './constants.ts';

export interface Upcaster {
  /** The version that it reads. */
  readonly from: number;
  /** Converts a raw payload of a frame type to the next version. */
  upcast(type: number, raw: Uint8Array): Uint8Array;
}

export const upcasters: readonly Upcaster[] = [
  // Version 2 adds optional fields to the header: stateVersion and config.vtr. Everything in version 1 is unchanged.
  { from: 1, upcast: (_type, raw) => raw },
];

/** Refuses what this code cannot read. */
export function checkVersion(version: number, path: string): void {
  if (version > FORMAT_VERSION)
    throw new GicTraceError(
      'trace',
      `is of format version ${version}; this gictrace reads up to ${FORMAT_VERSION}`,
      { path },
      'use a newer gictrace',
    );
  if (version < 1) throw new GicTraceError('trace', `has the impossible format version ${version}`, { path });
}

/** A raw payload in the form of the current version. */
export function upcast(version: number, type: number, raw: Uint8Array): Uint8Array {
  let out = raw;
  for (let from = version; from < FORMAT_VERSION; from++) {
    const upcaster = upcasters.find((candidate) => candidate.from === from);
    if (upcaster === undefined)
      throw new GicTraceError('trace', `no way leads from format version ${from} to ${from + 1}`);
    out = upcaster.upcast(type, out);
  }
  return out;
}
