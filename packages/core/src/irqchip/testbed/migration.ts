// Migration: a machine is saved and restored on one that has just been reset, completely or without one part.
import { restore, type SavedItem, save } from '../../migrate/index.ts';
import { Machine } from '../../model/index.ts';
import type { MigratedPart } from '../operation.ts';

/** The part of the machine to which the items of each step belong. */
const PART_OF: Readonly<Record<SavedItem['step'], MigratedPart>> = {
  GICD: 'Distributor',
  wires: 'Distributor',
  GICR: 'Redistributors',
  ICC: 'CPU interfaces',
  ICH: 'CPU interfaces',
  memory: 'memory',
  GITS: 'ITS',
  tables: 'ITS',
  GITS_CTLR: 'ITS',
};

/** The number of items of one part that differ from their reset state, and their bytes. */
export interface CarriedState {
  readonly part: MigratedPart;
  readonly items: number;
  readonly bytes: number;
}

/**
 * The machine after a migration that leaves a part behind, and the size of the state of each part, whether left behind or
 * not. `prepare` is called with the new machine first.
 */
export function migrated(
  machine: Machine,
  without: MigratedPart,
  prepare: (machine: Machine) => void,
): { readonly machine: Machine; readonly carried: readonly CarriedState[] } {
  const { config } = machine.state;
  const saved = save(machine);
  const carried = stateIn(saved, save(new Machine(config)));
  const next = new Machine(config);
  prepare(next);
  restore(
    next,
    saved.filter((item) => PART_OF[item.step] !== without),
  );
  return { machine: next, carried };
}

const idOf = ({ step, name, instance, at }: SavedItem) => `${step} ${name} ${instance} ${at}`;

function stateIn(saved: readonly SavedItem[], afterReset: readonly SavedItem[]): CarriedState[] {
  const fresh = new Map(afterReset.map((item) => [idOf(item), item]));
  const parts = new Map<MigratedPart, { items: number; bytes: number }>();
  for (const item of saved) {
    const bytes = bytesOf(item, fresh.get(idOf(item)));
    if (bytes === undefined) continue;
    const part = PART_OF[item.step];
    const sum = parts.get(part) ?? { items: 0, bytes: 0 };
    sum.items++;
    sum.bytes += bytes;
    parts.set(part, sum);
  }
  return [...parts].map(([part, sum]) => ({ part, ...sum }));
}

/** Bytes of an item; for a page, the bytes that are not zero. Undefined if the item is as after reset. */
function bytesOf(item: SavedItem, reset: SavedItem | undefined): number | undefined {
  if (item.page !== undefined) return item.page.data.reduce((n, byte) => n + (byte ? 1 : 0), 0) || undefined;
  return reset?.low === item.low && reset.high === item.high ? undefined : item.width;
}
