// A report read as its page reads it, without a browser.
import { readFileSync } from 'node:fs';
import { inflate, split, unpack } from '../packages/query/page/data.js';
import { Model } from '../packages/query/page/model.js';
import type { ReportFacts } from '../packages/query/src/report/facts.ts';

export interface ReadReport {
  readonly html: string;
  readonly facts: ReportFacts;
  readonly models: readonly Model[];
  readonly anchors: Record<string, Uint32Array> | null;
}

export async function readReport(path: string): Promise<ReadReport> {
  const html = readFileSync(path, 'utf8');
  const data = /<script type="application\/octet-stream" id="data">([^<]*)<\/script>/.exec(html)![1]!;
  const { facts, columns } = split(await inflate(data));
  return {
    html,
    facts,
    models: facts.traces.map((one) => new Model(one, columns, facts.kindNames)),
    anchors: facts.anchors === null ? null : unpack(facts.anchors, columns),
  };
}
