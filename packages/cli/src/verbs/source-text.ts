// What a source lacks as a whole, for people: where it begins, and which accesses it has no line of.
import { type Missing, STIMULI_SORTS } from '@gictrace/recorder';

/** A line each; none for a source that begins with the reset of the GIC and has all. */
export function sourceLines(start: 'reset' | 'mid-life', missing: readonly string[]): string[] {
  const lines: string[] = [];
  if (start === 'mid-life')
    lines.push('begins in mid-life, while the GIC is in use: its state is unknown until the source shows it');
  if (missing.length > 0)
    lines.push(
      `has no line of ${missing.join(', ')}, which were at work: what they change is learnt from what comes of it. Record with ${[
        ...new Set(missing.map((one) => STIMULI_SORTS[one as Missing] ?? "-trace 'gicv3_*'")),
      ].join(' ')}`,
    );
  return lines;
}
