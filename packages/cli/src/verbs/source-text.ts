// Describes for people what a source lacks as a whole: the beginning, or all lines of some kind of access.
import { type Missing, STIMULI_SORTS } from '@gictrace/recorder';

/** One line for each; none for a source that begins with the reset of the GIC and is complete. */
export function sourceLines(start: 'reset' | 'mid-life', missing: readonly string[]): string[] {
  const lines: string[] = [];
  if (start === 'mid-life')
    lines.push('begins in mid-life, while the GIC is in use: its state is unknown until the source shows it');
  if (missing.length > 0)
    lines.push(
      `has no lines for ${missing.join(', ')}, although they occurred; their effects are inferred where they become visible. To have them, record with ${[
        ...new Set(missing.map((one) => STIMULI_SORTS[one as Missing] ?? "-trace 'gicv3_*'")),
      ].join(' ')}`,
    );
  return lines;
}
