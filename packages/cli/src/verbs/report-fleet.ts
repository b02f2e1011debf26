// gictrace report of many traces: a dataset or a database.
import { basename, resolve } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { Dataset, QueryDatabase, reportFleet } from '@gictrace/query';
import { isFolder } from '@gictrace/recorder/input';
import { grouped, json, print, VERSION } from '../context.ts';
import type { ReportRequest } from './report.ts';

/** Options that concern one or two traces. */
const OF_TRACES = ['from', 'to', 'ignore', 'rules', 'rename', 'why', 'sql'] as const;

export async function writeFleetReport(
  path: string,
  other: string | undefined,
  options: ReportRequest,
): Promise<void> {
  const usage = 'gictrace report DATASET -o FILE';
  if (other !== undefined)
    throw new GicTraceError('usage', 'the report of many traces takes one dataset or database', {}, usage);
  const wrong = OF_TRACES.find((name) => options[name] !== undefined);
  if (wrong !== undefined) throw new GicTraceError('usage', `--${wrong} is for one or two traces`, {}, usage);
  const isDataset = isFolder(path);
  const db = isDataset ? await Dataset.open(path) : new QueryDatabase(path);
  try {
    const summary = await reportFleet(
      basename(resolve(path)),
      async (sql) => (await db.ask(sql)).rows,
      options.output,
      { inputs: isDataset ? [] : [path], force: options.force === true, version: VERSION },
    );
    if (options.json) {
      print(json({ dataset: path, output: options.output, ...summary }));
      return;
    }
    const of = (n: number, one: string, many: string) => `${grouped(n)} ${n === 1 ? one : many}`;
    print(
      `${options.output}: ${of(summary.traces, 'trace', 'traces')}, ${of(summary.regressions, 'significant difference', 'significant differences')} beside a baseline, ${of(summary.trends, 'trend', 'trends')}, ${of(summary.unusual, 'unusual trace', 'unusual traces')}, ${of(summary.findings, 'rule', 'rules')} with findings, ${grouped(summary.bytes)} bytes`,
    );
  } finally {
    db.close();
  }
}
