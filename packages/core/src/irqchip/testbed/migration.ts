// Migration: a machine is saved, reset and restored, completely or without one part. What it does are stimuli, so that a trace
// of it says what was lost.
import { type RunStimulus, restoreBy, type SavedItem, save } from '../../migrate/index.ts';
import { Machine } from '../../model/index.ts';
import { KNOWN_STATE, NO_PE, RECORDS, RESET_CAUSES } from '../../record/index.ts';
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

const GIC_RESET = RECORDS['gic.reset'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const STATE_KNOWN = RECORDS['state.known'].id;
const BY_HOST = RESET_CAUSES.indexOf('host');
const LEVEL = KNOWN_STATE.indexOf('level');
const PAGE = 4096;
/** Pages of one `mem.known`: 2 GiB. */
const STRETCH_PAGES = 1 << 19;

/**
 * Migrates a machine by stimuli: it is reset, as the machine at the destination is, and then restored in KVM's order, except
 * for a part that is left behind. Memory that is left behind is zero. Returns the size of the state of each part, whether left
 * behind or not. `walked` is called with the number of items that were saved, before they are restored.
 */
export function migrate(
  machine: Machine,
  without: MigratedPart,
  run: RunStimulus,
  walked: (items: number) => void,
): readonly CarriedState[] {
  const { config } = machine.state;
  const saved = save(machine);
  walked(saved.length);
  const carried = stateIn(saved, save(new Machine(config)));
  run(GIC_RESET, NO_PE, BY_HOST);
  // Some machines keep their lines when they are reset; those of the destination are low until they are restored.
  for (const { step, instance, at } of saved)
    if (step === 'wires') run(STATE_KNOWN, instance < 0 ? NO_PE : instance, LEVEL, 0, 0, 0, at, 0, 0);
  if (without === 'memory') for (const item of saved) if (item.step === 'memory') forgotten(item, run);
  // Guest memory is not changed by the reset.
  restoreBy(
    run,
    saved.filter((item) => PART_OF[item.step] !== without && item.step !== 'memory'),
  );
  return carried;
}

/** Memory of the destination that nobody has written. */
function forgotten({ at, stretch }: SavedItem, run: RunStimulus): void {
  const pages = stretch?.pages ?? 1;
  for (let done = 0; done < pages; done += STRETCH_PAGES) {
    const address = at + PAGE * done;
    const bytes = PAGE * Math.min(STRETCH_PAGES, pages - done);
    run(MEM_KNOWN, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), bytes, 0);
  }
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
