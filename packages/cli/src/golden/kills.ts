// Runs golden cases with faults planted into the simulator: which faults does a case detect, and which do its rules hide?
import { basename } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { MUTATIONS, plantMutation } from '@gictrace/core/testing';
import { TraceReader } from '@gictrace/recorder';
import type { GoldenCase } from './cases.ts';
import { hasBackend, withTrace } from './make.ts';
import { type CaseResult, judge } from './run.ts';

/**
 * - `told`: the check of the case fails, as it must: the case detects the fault.
 * - `hidden`: the trace has changed, but the case tolerates every difference.
 * - `untouched`: nothing that is compared has changed: the fault does not concern the case.
 */
export type Told = 'told' | 'hidden' | 'untouched';

export interface Kills {
  /** By fault. Empty if a case has no backend, as for a recording that is only imported. */
  readonly by: Readonly<Record<string, Told>>;
}

/** A fault may make a driver wait for ever. It counts as detected once the trace has this many times the golden records. */
const RUNAWAY = 20;

function digestOf(path: string): { digest: string; records: number } {
  const reader = TraceReader.openAny(path);
  try {
    return { digest: reader.footer!.contentDigest, records: reader.footer!.records };
  } finally {
    reader.close();
  }
}

function toldBy(one: GoldenCase, trace: string, own: string): Told {
  if (digestOf(trace).digest === own) return 'untouched';
  if (judge(one, trace).status !== 'same') return 'told';
  const strict = { ...one, options: {}, rules: undefined };
  return judge(strict, trace).status === 'same' ? 'untouched' : 'hidden';
}

/** Tries faults on a case that is the same as its golden trace without any fault. */
export async function killsOf(one: GoldenCase, faults: readonly string[]): Promise<Kills> {
  const by: Record<string, Told> = {};
  if (!hasBackend(one)) return { by };
  const own = await withTrace(one, digestOf);
  for (const name of faults) {
    let isPlanted = false;
    try {
      by[name] = await withTrace(one, (trace) => toldBy(one, trace, own.digest), {
        machine: (machine) => {
          plantMutation(machine, name);
          isPlanted = true;
        },
        recordsMax: RUNAWAY * (own.records + 1000),
      });
    } catch (error) {
      // If the fault makes the run throw, whatever the exception, the check would fail too. A run that throws without
      // the fault having been planted says nothing about the fault.
      if (!isPlanted) throw error;
      by[name] = 'told';
    }
  }
  return { by };
}

/** The result of a case that is the same without a fault: `blind` if it tolerates the effects of one of the faults. */
export function judged(result: CaseResult, { by }: Kills): CaseResult {
  const hidden = Object.keys(by).filter((name) => by[name] === 'hidden');
  return hidden.length === 0 ? result : blind(result, `what it tolerates hides ${hidden.join(', ')}`);
}

const blind = (result: CaseResult, message: string): CaseResult => ({
  ...result,
  status: 'blind',
  message,
  diff: null,
});

export interface Tried {
  readonly result: CaseResult;
  readonly kills: Kills;
}

/**
 * Checks that each fault that a case file claims to cover is detected by at least one of its cases. Otherwise the first
 * of them becomes `blind`. `faults` are those that were planted; `whole` says whether all cases of a file were tried.
 */
export function covered(
  tried: readonly Tried[],
  faults: readonly string[],
  whole: (place: string) => boolean,
): CaseResult[] {
  const missed = new Map<string, string[]>();
  for (const { result } of tried) {
    const { place, options } = result.case;
    if (missed.has(place) || !whole(place)) continue;
    const family = tried.filter((other) => other.result.case.place === place);
    missed.set(
      place,
      (options.covers ?? []).filter(
        (name) => faults.includes(name) && !family.some(({ kills }) => kills.by[name] === 'told'),
      ),
    );
  }
  return tried.map(({ result, kills }) => {
    const { place } = result.case;
    const own = judged(result, kills);
    const names = missed.get(place) ?? [];
    missed.delete(place);
    if (names.length === 0) return own;
    const said = `${basename(place)} says that it covers ${names.join(', ')}, which none of its cases detects`;
    return blind(own, own.status === 'blind' ? `${own.message}; ${said}` : said);
  });
}

export interface KillScore {
  /** The number of faults, and of those that at least one case detects. */
  readonly faults: number;
  readonly told: number;
  /** Pairs of a case and a fault that changes what is compared, and those of them in which the case detects the fault. */
  readonly pairs: number;
  readonly toldPairs: number;
  /** Cases for which no fault can be planted. */
  readonly withoutBackend: number;
  /** By fault: how many cases detect it, and how many hide it. */
  readonly byFault: Readonly<Record<string, { readonly told: number; readonly hidden: number }>>;
}

export function scoreOf(kills: readonly Kills[], faults: readonly string[]): KillScore {
  const count = (name: string, what: Told) => kills.filter(({ by }) => by[name] === what).length;
  const byFault = Object.fromEntries(
    faults.map((name) => [name, { told: count(name, 'told'), hidden: count(name, 'hidden') }]),
  );
  const rows = Object.values(byFault);
  const toldPairs = rows.reduce((sum, { told }) => sum + told, 0);
  return {
    faults: faults.length,
    told: rows.filter(({ told }) => told > 0).length,
    pairs: toldPairs + rows.reduce((sum, { hidden }) => sum + hidden, 0),
    toldPairs,
    withoutBackend: kills.filter(({ by }) => Object.keys(by).length === 0).length,
    byFault,
  };
}

/** The faults to plant: all, or those named. @throws GicTraceError `usage` for an unknown name. */
export function faultsNamed(names: readonly string[]): string[] {
  const all = Object.keys(MUTATIONS);
  for (const name of names)
    if (!all.includes(name))
      throw new GicTraceError('usage', `no fault '${name}'`, {}, `give one of ${all.join(', ')}`);
  return names.length === 0 ? all : [...names];
}
