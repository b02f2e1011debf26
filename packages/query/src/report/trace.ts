// One trace of a report: reads it twice, returns its facts, and adds its tables to the packer.

import { basename } from 'node:path';
import { CHECKS } from '@gictrace/core/check';
import { RECORDS, type RecordName, RULES, type Verdict, verdictWord } from '@gictrace/core/record';
import type { AnyTraceReader } from '@gictrace/recorder';
import type { ExportSource } from '../export/source.ts';
import type { Question } from '../why/index.ts';
import { attribute } from './attribute.ts';
import { Collector, type Extent } from './collect.ts';
import type { Column, Packer } from './columns.ts';
import type { Differences } from './differences.ts';
import { type FindingFacts, NONE, STEPS, type TraceFacts } from './facts.ts';
import { momentsOf, type Named } from './moments.ts';
import { recordsOf, whyFacts } from './why-facts.ts';

/** A sort key is a record number times this, plus a row. */
const ROWS = 2 ** 20;

export interface TraceRequest {
  readonly reader: AnyTraceReader;
  readonly extent: Extent;
  readonly verdict: Verdict | null;
  readonly why: readonly Question[];
  /** The differences for which this trace has a record. */
  readonly differences: Differences | null;
  readonly progress: (records: number) => void;
}

export function traceFacts(request: TraceRequest, packer: Packer): TraceFacts {
  const { reader, extent, verdict, differences } = request;
  const why = request.why.map((question) => whyFacts(reader, question));
  const { header, footer, records } = reader;
  const source: ExportSource = {
    name: basename(reader.path),
    header,
    timed: footer!.chunks.some(([, , , earliest]) => earliest !== null),
    *batches() {
      for (const one of reader.batches()) {
        yield one;
        request.progress(one.batch.count);
      }
    },
  };
  const found = new Collector(records, extent);
  found.follow(source);
  attribute(found);
  found.nameRest();
  const { named } = found;
  // Both ends of the trace, and the records to which verdict and comparison point.
  const others = [
    0,
    records - 1,
    verdict?.first?.record,
    verdict?.firstAnomaly?.record,
    verdict?.first?.suspect?.record,
    ...why.flatMap(recordsOf),
  ];
  for (const record of others) if (record !== undefined && record >= 0 && record < records) named.add(record);
  for (const record of differences?.at.all() ?? []) named.add(record);
  named.close();
  const moments = momentsOf(source, named);
  const tables = {
    moments: packer.table(moments.columns),
    lives: packer.table(livesColumns(found, named)),
    msis: packer.table({ ...raw(found.msis), at: ranked(found.msis.at, named) }),
    commands: packer.table({ ...raw(found.commands), at: ranked(found.commands.at, named) }),
    accesses: packer.table({ ...raw(found.accesses.columns), at: ranked(found.accesses.columns.at, named) }),
    mappings: packer.table({
      ...raw(found.mappings),
      from: ranked(found.mappings.from, named),
      to: ranked(found.mappings.to, named),
    }),
    residencies: packer.table({
      ...raw(found.residencies),
      from: ranked(found.residencies.from, named),
      to: ranked(found.residencies.to, named),
    }),
    ...(differences === null
      ? {}
      : {
          differences: packer.table({
            at: ranked(differences.at, named),
            class: differences.class.all(),
            subject: Uint32Array.from(differences.subject.all(), (k) =>
              found.strings.put(differences.subjects.things[k]!),
            ),
          }),
        }),
  };
  if (differences !== null && differences.leftOut > 0) found.leftOut.differences = differences.leftOut;
  const { config } = header;
  return {
    name: source.name,
    records,
    timed: source.timed,
    untimed: moments.untimed,
    late: moments.late,
    unitNs: moments.unitNs,
    writer: `${header.writer.name} ${header.writer.version}`,
    source: {
      kind: header.source.kind,
      name: header.source.name,
      provenance: Object.entries(header.source.provenance),
    },
    clock: header.clock.name,
    profile: config.profile,
    architecture: config.architecture,
    affinities: config.pes.map((pe) => pe.affinity),
    itsCount: config.its?.length ?? 0,
    contentDigest: footer!.contentDigest,
    semanticDigest: footer!.semanticDigest,
    seed: header.seed,
    losses: [...header.losses, ...footer!.losses],
    kinds: sortedCounts(footer!.kinds),
    rules: Object.entries(footer!.rules).map(([name, n]) => ({ name, n, ...ruleOf(name) })),
    lives: found.livesBy.all().map(({ a, b, n }) => ({ class: a as never, outcome: b, n })),
    distributions: found.latencies.distributions(),
    slowest: found.latencies.slowest(),
    commands: found.commandsBy.all().map(({ a, b, n }) => ({ op: a, outcome: b, n })),
    msis: found.msisBy.all().map(({ a, n }) => [a, n] as const),
    findings: found.findings.map(
      ({ rule, at, pe, text, lastedNs, related }): FindingFacts => ({
        rule,
        severity: CHECKS[rule].severity,
        record: at.record,
        line: at.line > 0 ? at.line : null,
        pe: pe < 0 ? null : pe,
        text,
        lastedNs,
        related: related.map((one) => ({ record: one.record, text: one.text })),
      }),
    ),
    findingCounts: [...found.findingCounts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([rule, n]) => {
        const { severity, doc, hint } = CHECKS[rule];
        return { rule, n, severity, doc: `${doc} ${hint}` };
      }),
    why,
    verdict,
    verdictWord: verdict === null ? null : verdictWord(verdict),
    window: extent.from === 0 && extent.to >= records ? null : [extent.from, Math.min(extent.to, records)],
    accesses: extent.accesses,
    leftOut: found.leftOut,
    strings: found.strings.things,
    events: found.events.things,
    tables,
  };
}

function sortedCounts(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

function ruleOf(name: string): { class: string; doc: string } {
  const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof typeof RULES] : undefined;
  return { class: rule?.class ?? 'unknown', doc: rule?.doc ?? '' };
}

function raw(table: Readonly<Record<string, Column>>): Record<string, Uint32Array> {
  return Object.fromEntries(Object.entries(table).map(([name, column]) => [name, column.all()]));
}

/** Record numbers, converted to the ranks of moments. */
function ranked(column: Column, named: Named): Uint32Array {
  return column.all().map((record) => (record === NONE ? NONE : named.rank(record)));
}

/** Lifetimes in the order in which they began. A step is 1 plus the number of moments since the first, or 0 if not seen. */
function livesColumns({ lives }: Collector, named: Named): Record<string, Uint32Array> {
  const n = lives.intid.length;
  const steps = STEPS.map((step) => ranked(lives[step], named));
  const first = new Uint32Array(n);
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let least = NONE;
    for (const step of steps) least = Math.min(least, step[i]!);
    first[i] = least;
    keys[i] = least * ROWS + i;
  }
  keys.sort();
  const order = Uint32Array.from(keys, (key) => key % ROWS);
  const sorted = (values: Uint32Array) => order.map((i) => values[i]!);
  const began = sorted(first);
  const out: Record<string, Uint32Array> = { first: began };
  for (const name of ['intid', 'pe', 'vpe', 'virtual', 'cause', 'outcome', 'event'] as const)
    out[name] = sorted(lives[name].all());
  for (const [k, step] of STEPS.entries())
    out[step] = sorted(steps[k]!).map((moment, i) => (moment === NONE ? 0 : moment - began[i]! + 1));
  return out;
}

/** Names of record kinds by id, for the page. */
export const KIND_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  (Object.keys(RECORDS) as RecordName[]).map((name) => [RECORDS[name].id, name]),
);
