// Where in a log the machine was reset, or a saved state was loaded: each place that a survey has found is tried, and the
// model decides. Reads nothing itself.
import type { MachineReset } from './assemble.ts';
import type { ResetSurvey, Restart } from './resets.ts';

/** Places where a log may go on with another state that are looked at. */
const PLACES_MAX = 32;
/** Contradictions among which a loaded state is looked for; pauses in front of the first, and how many lines. */
const LOOKED_AT = 5000;
const PAUSES_MAX = 6;
const LINES_BEFORE_DOUBT = 1000;
/** Lines behind the first contradiction in which a loaded state has to explain what differs; and more than this. */
const LINES_AFTER_LOAD = 20_000;
const CONTRADICTIONS_OF_ONE_LINE = 6;

/** The lines at which a log contradicts the model, up to line `until`; more than `most` are not needed. */
export type Contradicted = (
  resets: readonly MachineReset[],
  until: number,
  most: number,
) => Promise<readonly number[]>;

/**
 * Which of the places where a log may go on behind a reset are ones: each is taken by itself, up to the next, as what
 * leaves the fewest contradictions.
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
 * Where a saved state was loaded: after a pause in which nothing was printed, shortly before the log begins to contradict
 * the model. State that is unknown explains what is wrong, too: it takes more contradictions than one wrong line makes.
 */
async function loadsAt(
  pauses: readonly number[],
  lines: number,
  resets: readonly MachineReset[],
  contradicted: Contradicted,
): Promise<readonly MachineReset[]> {
  let accepted = resets;
  for (let from = 0, n = 0; n < PLACES_MAX; n++) {
    const all = await contradicted(accepted, lines + 1, LOOKED_AT);
    const first = all.find((line) => line > from);
    if (first === undefined) break;
    const until = Math.min(lines + 1, first + LINES_AFTER_LOAD);
    const old = all.filter((line) => line < until).length;
    let best = accepted;
    let fewest = old - CONTRADICTIONS_OF_ONE_LINE;
    const behind = accepted.at(-1)?.line ?? 0;
    const since = Math.max(behind + 1, first - LINES_BEFORE_DOUBT);
    const candidates = pauses.filter((line) => line <= first && line >= since).slice(-PAUSES_MAX);
    for (const line of candidates.reverse()) {
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

/** Resets and loaded states of a log of so many lines. A log that does not contradict the model has none. */
export async function findResets(
  survey: ResetSurvey,
  lines: number,
  contradicted: Contradicted,
): Promise<readonly MachineReset[]> {
  const places = survey.finish().slice(0, PLACES_MAX);
  if (places.length === 0 || (await contradicted([], lines + 1, 0)).length === 0) return [];
  return loadsAt(survey.pauses, lines, await resetsAt(places, lines, contradicted), contradicted);
}
