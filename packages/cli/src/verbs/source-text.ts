// Describes for people what a source lacks as a whole: the beginning, or all lines of some kind of access.
import { type Missing, PROBES_OF, STIMULI_SORTS, TraceReader } from '@gictrace/recorder';

/**
 * One line for each; none for a source that begins with the reset of the GIC and is complete. `kind` is the kind of the
 * source, as the header of the trace has it.
 */
export function sourceLines(
  start: 'reset' | 'mid-life',
  missing: readonly string[],
  kind = 'qemu-trace',
): string[] {
  const lines: string[] = [];
  if (start === 'mid-life')
    lines.push('begins in mid-life, while the GIC is in use: its state is unknown until the source shows it');
  if (missing.length > 0)
    lines.push(
      `has no lines for ${missing.join(', ')}, although they occurred; their effects are inferred where they become visible. ${kind.endsWith('ftrace') ? ofFtrace(missing) : ofQemu(missing)}`,
    );
  return lines;
}

function ofQemu(missing: readonly string[]): string {
  const options = missing.map((one) => STIMULI_SORTS[one as Missing] ?? "-trace 'gicv3_*'");
  return `To have them, record with ${[...new Set(options)].join(' ')}`;
}

function ofFtrace(missing: readonly string[]): string {
  const events = missing.flatMap((one) => PROBES_OF[one as Missing] ?? []);
  const byHardware = missing.filter((one) => PROBES_OF[one as Missing] === undefined);
  const hardware = byHardware.length === 0 ? '' : ' The hardware does the others without a trap';
  if (events.length === 0) return hardware.trim();
  return `What Linux can show needs ${[...new Set(events)].join(', ')} (docs/import.md).${hardware}`;
}

/** The kind of the source of a trace. */
export function sourceKind(path: string): string {
  const reader = TraceReader.openAny(path);
  try {
    return reader.header.source.kind;
  } finally {
    reader.close();
  }
}
