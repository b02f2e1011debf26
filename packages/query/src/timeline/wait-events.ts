// Which events can change what a pending interrupt of a GICv3 or GICv4 waits for. With a hundred thousand pending LPIs it
// matters that most events are about none of them.
import type { Machine } from '@gictrace/core/model';
import { KIND, RECORD_WORDS, type RecordBatch, UNITS } from '@gictrace/core/record';

/** Whose waits an event changes: no one's, those of the interrupt that it names, or anyone's. */
export type Concerned = 'none' | 'one' | 'all';

/** Units of which no register decides what a physical interrupt waits for. */
const OTHER_UNITS: ReadonlySet<number> = new Set([UNITS.indexOf('GITS'), UNITS.indexOf('ICH')]);

/** About ITSs, virtual interrupts and what an access did besides. */
const NONE = [
  ...['msi.translated', 'msi.dropped', 'msi.undecided', 'access.reserved', 'memory.assumed', 'its.command'],
  ...['dte.read', 'dte.write', 'cte.read', 'cte.write', 'ite.read', 'ite.write', 'vte.read', 'vte.write'],
  ...['vlpi.pended', 'vlpi.cleared', 'vlpi.loaded', 'vlpi.forgotten', 'vpe.resident', 'vmsi.translated'],
  ...['doorbell.rung', 'virq.acknowledged', 'virq.dropped', 'virq.deactivated'],
] as const;
/** Others wait for something else only if a PE has another highest-priority pending interrupt thereby. */
const ONE = [
  ...['irq.changed', 'irq.routed', 'wire.changed', 'irq.pended', 'irq.unpended', 'irq.activated'],
  ...['irq.deactivated', 'lpi.pended', 'lpi.cleared', 'lpi.configured'],
] as const;
/** They change the configuration of LPIs if the GIC reads it whenever it needs it. */
const MEMORY = ['mem.written', 'mem.marked'] as const;

/** Tells of events of this GIC whose waits they change. */
export function waitEvents(machine: Machine): (events: RecordBatch, i: number) => Concerned {
  const of = new Map<number, Concerned>();
  for (const kind of NONE) of.set(KIND[kind], 'none');
  for (const kind of ONE) of.set(KIND[kind], 'one');
  for (const kind of MEMORY) of.set(KIND[kind], machine.profile.lpiConfig === 'live' ? 'all' : 'none');
  const changed = KIND['reg.changed'];
  return ({ kind, words }, i) => {
    const k = kind[i]!;
    if (k === changed) return OTHER_UNITS.has(words[i * RECORD_WORDS]!) ? 'none' : 'all';
    return of.get(k) ?? 'all';
  };
}
