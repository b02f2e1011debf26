// Golden cases against faults that are planted into the simulator: which does a case tell, and which do its rules hide?
import { basename } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { MUTATIONS, plantMutation } from '@gictrace/core/testing';
import { TraceReader } from '@gictrace/recorder';
import type { GoldenCase } from './cases.ts';
import { hasBackend, withTrace } from './make.ts';
import { type CaseResult, judge } from './run.ts';

/**
 * - `told`: the check of the case fails, as it must.
 * - `hidden`: the trace is another one, and what the case lets differ hides all of it.
 * - `untouched`: nothing that is compared differs: the case has nothing to do with what is wrong.
 */
export type Told = 'told' | 'hidden' | 'untouched';

export interface Kills {
  /** By fault. Empty where a case has no backend: a recording that is imported only. */
  readonly by: Readonly<Record<string, Told>>;
}

/** A fault may have a driver wait for ever: beyond so many times the records of the golden trace it has been told. */
const RUNAWAY = 20;

function digestOf(path: string): { digest: string; records: number } {
  const reader = TraceReader.open(path);
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

/** Tries faults on a case whose golden trace is the same without any. */
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
      // A run that the fault keeps from its end, by whatever exception, fails a check too; one without it tells nothing.
      if (!isPlanted) throw error;
      by[name] = 'told';
    }
  }
  return { by };
}

/** A case that is the same without a fault, with them: `blind` where what it lets differ hides one. */
export function judged(result: CaseResult, { by }: Kills): CaseResult {
  const hidden = Object.keys(by).filter((name) => by[name] === 'hidden');
  return hidden.length === 0 ? result : blind(result, `what may differ hides ${hidden.join(', ')}`);
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
 * Holds the cases of each case file to what it says that it covers: one of them at least must tell it. Else the first of
 * them is `blind`. `faults`: those that were planted; `whole`: whether all cases of a case file were tried.
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
    const said = `${basename(place)} says that it covers ${names.join(', ')}, which none of its cases tells`;
    return blind(own, own.status === 'blind' ? `${own.message}; ${said}` : said);
  });
}

export interface KillScore {
  /** Faults, and those that at least one case tells. */
  readonly faults: number;
  readonly told: number;
  /** Pairs of a case and a fault that changes what is compared, and those of them that the case tells. */
  readonly pairs: number;
  readonly toldPairs: number;
  /** Cases that no fault can be planted for. */
  readonly withoutBackend: number;
  /** By fault: how many cases tell it, and how many hide it. */
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

/** The faults to plant: all, or those named. @throws GicTraceError `usage` for a name that there is not. */
export function faultsNamed(names: readonly string[]): string[] {
  const all = Object.keys(MUTATIONS);
  for (const name of names)
    if (!all.includes(name))
      throw new GicTraceError('usage', `no fault '${name}'`, {}, `give one of ${all.join(', ')}`);
  return names.length === 0 ? all : [...names];
}
