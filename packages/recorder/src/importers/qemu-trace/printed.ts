// What a log prints, by which of QEMU's trace events it has lines.
import type { RecordName } from '@gictrace/core/record';
import { FRAME_GICD, FRAME_GICR, FRAME_GITS } from '../common/record-kinds.ts';
import { accessSort } from './group.ts';
import { eventNames } from './tokenize.ts';

export interface Printed {
  /** Kinds of observables that the log has lines for. */
  readonly shows: readonly RecordName[];
  /** Whether the log prints which queue slot a command is in, and whether it prints operands of commands. */
  readonly numbersCommands: boolean;
  readonly printsOperands: boolean;
  /** Sorts of accesses of which the log has lines, but none about bad ones (`accessSort`). */
  readonly withoutBad: ReadonlySet<number>;
}

/** The events about accesses, by frame. */
const ACCESSES = (
  [
    [FRAME_GICD, 'gicv3_dist'],
    [FRAME_GICR, 'gicv3_redist'],
    [FRAME_GITS, 'gicv3_its'],
  ] as const
).flatMap(
  ([frame, unit]) =>
    [
      [frame, false, `${unit}_read`],
      [frame, true, `${unit}_write`],
    ] as const,
);
const OPERANDS = eventNames.filter((name) => name.startsWith('gicv3_its_cmd_'));
/** Which events each kind of observable comes from. */
const SHOWN_BY = {
  hppi: ['gicv3_cpuif_update'],
  vhppi: ['gicv3_cpuif_virt_update'],
  maintenance: ['gicv3_cpuif_virt_set_maint_irq'],
  'its.command': ['gicv3_its_process_command', ...OPERANDS],
  'dte.read': ['gicv3_its_dte_read'],
  'dte.write': ['gicv3_its_dte_write'],
  'cte.read': ['gicv3_its_cte_read'],
  'cte.write': ['gicv3_its_cte_write'],
  'ite.read': ['gicv3_its_ite_read'],
  'ite.write': ['gicv3_its_ite_write'],
  'vte.read': ['gicv3_its_vte_read'],
  'vte.write': ['gicv3_its_vte_write'],
  'sgi.sent': ['gicv3_redist_send_sgi'],
} as const;

/** `counts`: the number of lines by event. */
export function printedBy(counts: Uint32Array): Printed {
  const has = (event: string) => counts[eventNames.indexOf(event)]! > 0;
  const shows = (Object.entries(SHOWN_BY) as [RecordName, readonly string[]][])
    .filter(([, events]) => events.some(has))
    .map(([kind]) => kind);
  return {
    shows: [...shows, 'source.conflict'],
    numbersCommands: has('gicv3_its_process_command') || !OPERANDS.some(has),
    printsOperands: OPERANDS.some(has),
    withoutBad: new Set(
      ACCESSES.filter(([, , event]) => has(event) && !has(event.replace(/_(read|write)$/, '_bad$1'))).map(
        ([frame, write]) => accessSort(frame, write),
      ),
    ),
  };
}
