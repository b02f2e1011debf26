// Finds the vPE of each doorbell when Linux's proxy device is used for all of them, in a first pass over a trace.
import type { GicConfig } from '@gictrace/core';
import { RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { LPI_FIRST } from '@gictrace/core/spec';
import { eachCommand } from './command-follower.ts';

const VTE_WRITE = RECORDS['vte.write'].id;
const DOORBELL_RUNG = RECORDS['doorbell.rung'].id;
const VPE_RESIDENT = RECORDS['vpe.resident'].id;

/** The vPE of a doorbell, as known at some command. */
export interface Association {
  readonly at: number;
  readonly doorbell: number;
  readonly vpe: number;
}

/** Linux's proxy device has the highest DeviceID (GITS_TYPER.Devbits). It exists if there are vLPIs and no Direct LPI. */
export function proxyDevice(config: GicConfig): number {
  const its = config.its[0];
  if (its === undefined || (config.gicr.typer & 8) !== 0) return -1;
  const typer = BigInt(its.typer);
  return (typer & 2n) === 0n ? -1 : 2 ** (Number((typer >> 13n) & 0x1fn) + 1) - 1;
}

/**
 * The vPE of each doorbell. A command, or a doorbell that rings, reveals it. If neither does, it is inferred from KVM's
 * habit of clearing the doorbell of a vPE that it has just made resident (`guessed`).
 */
export function associations(
  config: GicConfig,
  batches: Iterable<{ readonly batch: RecordBatch }>,
): { readonly found: readonly Association[]; readonly guessed: ReadonlyMap<number, number> } {
  const found: Association[] = [];
  const cleared = new Map<number, Map<number, number>>();
  let resident = -1;
  const tables = new Map<number, number>();
  const events = new Map<number, number>();
  const proxy = proxyDevice(config);
  let moved = -1;
  const add = (at: number, doorbell: number | undefined, vpe: number) => {
    if (doorbell !== undefined && doorbell >= LPI_FIRST) found.push({ at, doorbell, vpe });
  };
  eachCommand(config, batches, {
    command(n, name, o) {
      if (name === 'VMAPTI' || name === 'VMAPI') add(n, o.Dbell_pINTID, o.vPEID!);
      else if (name === 'VMOVI' && o.D) add(n, o.Dbell_pINTID, o.vPEID!);
      else if (name === 'MAPTI' && o.DeviceID === proxy) events.set(o.EventID!, o.pINTID!);
      else if (name === 'VMOVP') moved = o.vPEID!;
      else if (name === 'CLEAR' && o.DeviceID === proxy && resident >= 0) {
        const doorbell = events.get(o.EventID!) ?? 0;
        const votes = cleared.get(doorbell) ?? new Map<number, number>();
        votes.set(resident, (votes.get(resident) ?? 0) + 1);
        cleared.set(doorbell, votes);
        resident = -1;
      } else if (name === 'MOVI' && o.DeviceID === proxy && moved >= 0) add(n, events.get(o.EventID!), moved);
      if (
        name !== 'VMOVP' &&
        name !== 'VSYNC' &&
        name !== 'SYNC' &&
        !(name === 'MAPTI' && o.DeviceID === proxy) &&
        !(name === 'DISCARD' && o.DeviceID === proxy)
      )
        moved = -1;
    },
    emitted(n, shown, i) {
      const at = i * RECORD_WORDS;
      const w = shown.words;
      if (shown.kind[i] === VTE_WRITE && w[at + 2]) tables.set(w[at + 5]! * 2 ** 32 + w[at + 4]!, w[at + 1]!);
      else if (shown.kind[i] === DOORBELL_RUNG) {
        const vpe = tables.get(w[at + 2]! * 2 ** 32 + w[at + 1]!);
        if (vpe !== undefined) add(n, w[at], vpe);
      } else if (shown.kind[i] === VPE_RESIDENT && w[at + 3])
        resident = tables.get(w[at + 1]! * 2 ** 32 + w[at]!) ?? -1;
    },
  });
  const guessed = new Map<number, number>();
  const told = new Set(found.map((one) => one.doorbell));
  for (const [doorbell, votes] of cleared)
    if (doorbell >= LPI_FIRST && !told.has(doorbell))
      guessed.set(doorbell, [...votes].reduce((best, one) => (one[1] > best[1] ? one : best))[0]);
  return { found, guessed };
}
