// Decides where in a log the machine was reset or a saved state was loaded. Each place that a survey has found is
// tried, and the model decides. Reads nothing itself.
import type { MachineReset } from './assemble.ts';
import type { ResetSurvey, Restart } from './resets.ts';

/** The number of places examined at which a log may continue with another state. */
const PLACES_MAX = 32;
/** How many contradictions are examined for a loaded state, how many pauses before the first, and how many lines. */
const LOOKED_AT = 5000;
const PAUSES_MAX = 6;
const LINES_BEFORE_DOUBT = 1000;
/**
 * The lines after the first contradiction in which a loaded state has to explain the differences, and the least number
 * that it has to explain.
 */
const LINES_AFTER_LOAD = 20_000;
const CONTRADICTIONS_OF_ONE_LINE = 6;

/** Finds the lines at which a log contradicts the model, up to line `until`. Stops once it has more than `most`. */
export type Contradicted = (
  resets: readonly MachineReset[],
  until: number,
  most: number,
) => Promise<readonly number[]>;

/**
 * Finds which of the places at which a log may continue after a reset are real. Each is decided separately, up to the
 * next one, by what leaves the fewest contradictions.
 */
async function resetsAt(
  restarts: readonly Restart[],
  lines: number,
  contradicted: Contradicted,
): Promise<readonly MachineReset[]> {
  let accepted: readonly MachineReset[] = [];
  for (const [n, { lines: candidates }] of restarts.entries()) {
    const until = restarts[n + 1]?.shownBy ?? lines + 1;
    let best = accepted;
    let least = (await contradicted(accepted, until, Number.POSITIVE_INFINITY)).length;
    for (const line of candidates) {
      if (least === 0) break;
      const tried: MachineReset[] = [...accepted, { line, by: 'unknown', rule: 'reset-from-registers' }];
      const now = (await contradicted(tried, until, least)).length;
      if (now < least) [best, least] = [tried, now];
    }
    accepted = best;
  }
  return accepted;
}

/**
 * Finds where a saved state was loaded: after a pause in which nothing was printed, shortly before the log begins to
 * contradict the model. Unknown state can explain wrong lines, too, so a loaded state is only assumed if there are more
 * contradictions than one wrong line causes, or if QEMU itself remembers something else and none is left.
 */
async function loadsAt(
  { pauses, jumps }: ResetSurvey,
  lines: number,
  resets: readonly MachineReset[],
  contradicted: Contradicted,
): Promise<readonly MachineReset[]> {
  let accepted = resets;
  for (let from = 0, n = 0; n < PLACES_MAX; n++) {
    const all = await contradicted(accepted, lines + 1, LOOKED_AT);
    const first = all.find((line) => line > from);
    if (first === undefined) break;
    const next = [...jumps.keys()].find((line) => line > first) ?? lines + 1;
    const until = Math.min(jumps.has(first) ? next : lines + 1, first + LINES_AFTER_LOAD);
    const old = all.filter((line) => line < until).length;
    let best = accepted;
    // Where QEMU remembers something else after a pause, a loaded state has to explain everything that follows.
    const jump = jumps.get(first);
    let fewest = jump === undefined ? old - CONTRADICTIONS_OF_ONE_LINE : 1;
    const behind = accepted.at(-1)?.line ?? 0;
    const since = Math.max(behind + 1, first - LINES_BEFORE_DOUBT);
    const candidates =
      jump === undefined
        ? pauses
            .filter((line) => line <= first && line >= since)
            .slice(-PAUSES_MAX)
            .reverse()
        : [jump];
    for (const line of candidates) {
      const load: MachineReset = { line, by: 'host', rule: 'load-from-state' };
      const tried = [...accepted, load].sort((a, b) => a.line - b.line);
      const now = (await contradicted(tried, until, fewest)).length;
      if (now < fewest) [best, fewest] = [tried, now];
    }
    from = best === accepted ? until : first;
    accepted = best;
  }
  return accepted;
}

/** Finds the resets and loaded states of a log of `total` lines. A log that does not contradict the model has none. */
export async function findResets(
  survey: ResetSurvey,
  lines: number,
  contradicted: Contradicted,
): Promise<readonly MachineReset[]> {
  const places = survey.finish().slice(0, PLACES_MAX);
  if ((places.length === 0 && survey.jumps.size === 0) || (await contradicted([], lines + 1, 0)).length === 0)
    return [];
  return loadsAt(survey, lines, await resetsAt(places, lines, contradicted), contradicted);
}
