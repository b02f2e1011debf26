// Leaves out stimuli as long as a test holds: units first, in long runs, then single stimuli until none can be left out.
import { actOf, intidOf, KIND, RECORD_WORDS } from '@gictrace/core/record';
import { registerAt } from '@gictrace/core/spec';
import { shrink } from './shrink.ts';
import { Selection, selectionOf, type TraceStimuli, type Unit, unitsOf } from './stimuli.ts';
import type { Test } from './test.ts';

/** Lists longer than this are shortened coarsely first. */
const LONG = 1000;
/** Into how many runs a long list is divided at first, and by how much the runs of the next pass are shorter. */
const RUNS = 64;
const STEP = 8;
const MARKS_MAX = 1000;
/** If a test cannot be resumed: how many kinds of stimuli are left out on trial, and the smallest share of the list that is tried. */
const TOPICS = 60;
const SHARE_MIN = 0.005;

export interface Reduced {
  readonly selection: Selection;
  readonly isMinimal: boolean;
}

/** `tested` is called for each test with the number of stimuli that are left. */
export async function reduce(
  stimuli: TraceStimuli,
  test: Test,
  testsMax: number,
  tested: (left: number) => void,
): Promise<Reduced> {
  let left = testsMax;
  let best = stimuli.length;
  const holds = async (selection: Selection, unchanged: number) => {
    left--;
    const isGood = await test.holds(selection, unchanged, true);
    if (isGood) best = selection.length;
    tested(best);
    return isGood;
  };
  let units: readonly Unit[] = unitsOf(stimuli);
  if (!test.isResumable && units.length > LONG)
    units = await withoutTopics(stimuli, units, (list) => holds(selectionOf(stimuli, list), 0), left);
  const divided = await shrinkUnits(stimuli, units, test, holds, left);
  const positions = [...Array.from(selectionOf(stimuli, divided).positions)];
  test.prepare(new Selection(stimuli, []), []);
  const single = await shrink<number>(positions, (list) => holds(new Selection(stimuli, list), 0), {
    testsMax: Math.max(0, left),
    first: Math.ceil(positions.length / 8),
  });
  return { selection: new Selection(stimuli, single.list), isMinimal: single.isMinimal };
}

async function shrinkUnits(
  stimuli: TraceStimuli,
  units: readonly Unit[],
  test: Test,
  holds: (selection: Selection, unchanged: number) => Promise<boolean>,
  testsMax: number,
): Promise<readonly Unit[]> {
  let best = units;
  const isLong = test.isResumable && units.length > LONG;
  const { list } = await shrink<Unit>(
    units,
    async (candidate, unchanged) => {
      const selection = selectionOf(stimuli, candidate);
      const isGood = await holds(selection, below(selection.positions, best[unchanged]![0]!));
      if (isGood) best = candidate;
      return isGood;
    },
    {
      testsMax: Math.max(0, testsMax),
      ...(isLong
        ? { first: Math.ceil(units.length / RUNS), divisor: STEP }
        : { first: Math.ceil(units.length / 8) }),
      pass: (now, length) => {
        best = now;
        const runs = Math.ceil(now.length / length);
        if (!test.isResumable) return;
        const selection = selectionOf(stimuli, now);
        const at: number[] = [];
        if (now.length > LONG / 4 && runs <= MARKS_MAX)
          for (let to = now.length; to > 0; to -= length)
            at.push(below(selection.positions, now[Math.max(0, to - length)]![0]!));
        test.prepare(selection, at.reverse());
      },
    },
  );
  return list;
}

/** How many of the positions, which are in order, are below `position`. */
function below(positions: ArrayLike<number>, position: number): number {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (positions[middle]! < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Leaves out all stimuli about one interrupt, device, PE or register at a time, the most frequent first. */
async function withoutTopics(
  stimuli: TraceStimuli,
  units: readonly Unit[],
  holds: (units: readonly Unit[]) => Promise<boolean>,
  testsMax: number,
): Promise<readonly Unit[]> {
  let best = units;
  const tried = new Set<string>();
  for (let tests = 0; tests < Math.min(TOPICS, testsMax) && best.length > LONG / 4; tests++) {
    const counts = new Map<string, number>();
    for (const unit of best)
      for (const topic of topicsOf(stimuli, unit)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
    const [topic, n] = [...counts]
      .filter(([name]) => !tried.has(name))
      .sort(([a, m], [b, k]) => k - m || (a < b ? -1 : 1))[0] ?? ['', 0];
    if (n < SHARE_MIN * best.length) break;
    tried.add(topic);
    const candidate = best.filter((unit) => !topicsOf(stimuli, unit).includes(topic));
    if (candidate.length > 0 && (await holds(candidate))) best = candidate;
  }
  return best;
}

/** What a unit is about, by its first stimulus. */
function topicsOf(stimuli: TraceStimuli, unit: Unit): string[] {
  const [batch, i] = stimuli.at(unit[0]!);
  const at = i * RECORD_WORDS;
  const { words } = batch;
  const kind = batch.kind[i]!;
  const topics = [`kind ${kind}`, `PE ${batch.pe[i]}`];
  if (kind === KIND['mmio.read'] || kind === KIND['mmio.write'])
    topics.push(`register ${words[at]} ${registerAt(words[at]!, words[at + 2]!)?.name} ${kind}`);
  else if (kind === KIND['sysreg.read'] || kind === KIND['sysreg.write'])
    topics.push(`register ${words[at]} ${kind}`);
  else if (kind === KIND['msi.write'])
    topics.push(`message ${words[at + 1]}`, `message ${words[at + 1]} ${words[at + 2]}`);
  if (kind === KIND['wire.set']) topics.push(`interrupt ${words[at]}`);
  else if (actOf(batch, i) !== undefined) topics.push(`interrupt ${intidOf(batch, i)}`);
  return topics;
}
