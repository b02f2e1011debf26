// The shape of a claim: a quote from a mailing-list discussion, the scenario and the named query that measure it, and the
// designs on which the query should find something. Verdicts are computed from runs; nothing here contains results.
import type { Scenario } from '@gictrace/recorder';
import { RUN_QUERIES } from '../run-queries.ts';
import type { Mutant } from './mutant.ts';
import { runInMemory } from './run-in-memory.ts';

/** The discussions. */
export const DISCUSSIONS = {
  'direct-lpi':
    '[RFC 1/1] irqchip/gic-v3-its: Add irq domain and chip for Direct LPI without ITS (July 2021)',
  'virtual-its': '[RFC 0/2, 1/2, 2/2] irqchip/gic-v3-its: Introduce virtual ITS (June 2021)',
  proxy: 'irqchip/gic-v3-its: Add device proxy for VPE management if !DirectLpi',
  'dev-msi': '[PATCH RFC v2 02/18] irq/dev-msi: Add support for a new DEV_MSI irq domain (August 2020)',
  spi: 'Re: [RFC 1/1] irqchip/gic-v3-its: Add irq domain and chip for Direct LPI without ITS (August 2021)',
  'hyperv-spi': 'Review of the patches "PCI: hv: Add arm64 Hyper-V vPCI support" (2021)',
} as const;
export type Thread = keyof typeof DISCUSSIONS;

export interface Claim {
  readonly name: string;
  readonly thread: Thread;
  /** The file with the discussion, if it is one of the five seeds. */
  readonly seed: string | null;
  /** The quote; empty if the claim follows from the code that was posted. */
  readonly quote: string;
  /** What the rows of the query mean, as a sentence. */
  readonly says: string;
  /** The scenarios. They are made only when needed, so that programs without claims do not read their files. */
  readonly scenarios: () => readonly Scenario[];
  readonly designs: readonly string[];
  /** The name in RUN_QUERIES. */
  readonly query: string;
  /** Further conditions on its rows. */
  readonly where?: string;
  /** If the claim holds, the query finds something on these: a design, or `design: scenario` if there are several. */
  readonly accused: readonly string[];
  /** If the claim holds, the query finds nothing on these. */
  readonly cleared: readonly string[];
  /** A remark about the result. */
  readonly note?: string;
}

type Row = Readonly<Record<string, string | number | null>>;

export interface Verdict {
  readonly claim: Claim;
  /** Names of the scenarios that were run. */
  readonly scenarios: readonly string[];
  /** By subject: a design, or `design: scenario`. */
  readonly found: ReadonlyMap<string, readonly Row[]>;
  readonly holds: boolean;
}

/** The query of a claim, for a database of `gictrace compare -o`. */
export function sqlOf({ query, where }: Claim): string {
  if (!Object.hasOwn(RUN_QUERIES, query)) throw new Error(`invariant: no query is called ${query}`);
  return `SELECT * FROM ${query}${where === undefined ? '' : ` WHERE ${where}`}`;
}

/** Runs the scenarios of a claim and decides it; with a fault in a driver or in the hardware, if `mutant` plants one. */
export function decide(claim: Claim, mutant: Mutant = {}): Verdict {
  const scenarios = claim.scenarios();
  const { db } = runInMemory(scenarios, claim.designs, mutant);
  try {
    const found = new Map<string, Row[]>();
    const subject = (design: unknown, scenario: unknown) =>
      scenarios.length === 1 ? `${design}` : `${design}: ${scenario}`;
    for (const scenario of scenarios)
      for (const design of claim.designs) found.set(subject(design, scenario.name), []);
    for (const row of db.prepare(sqlOf(claim)).all() as Row[])
      found.get(subject(row.design, row.scenario))!.push(row);
    const rowsOf = (name: string) => {
      const rows = found.get(name);
      if (rows === undefined) throw new Error(`invariant: ${claim.name} does not run ${name}`);
      return rows.length;
    };
    return {
      claim,
      scenarios: scenarios.map((one) => one.name),
      found,
      holds:
        claim.accused.every((name) => rowsOf(name) > 0) && claim.cleared.every((name) => rowsOf(name) === 0),
    };
  } finally {
    db.close();
  }
}
