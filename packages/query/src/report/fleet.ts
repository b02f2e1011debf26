// The report of many traces, from a database or a dataset: a page with a picture or table for each question about a fleet, from
// the modules of SQL. It needs no script: pictures are SVG, and each mark has its numbers as its title.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { VERSION } from '@gictrace/core';
import { OutputFile, type Ownership } from '@gictrace/recorder/output';
import { classOf } from '../sql/modules/module.ts';
import { bars, dots, duration, escaped, type Point, ranges, strips, table } from './fleet-pictures.ts';

export type FleetCell = bigint | number | string | Uint8Array | null;
/** Answers one query. */
export type FleetAsk = (sql: string) => Promise<Iterable<readonly FleetCell[]>>;

export interface FleetOptions {
  /** Files that the output must not be. */
  readonly inputs: readonly string[];
  readonly force: boolean;
  readonly version?: string;
}

export interface FleetSummary {
  readonly traces: number;
  readonly regressions: number;
  readonly trends: number;
  readonly unusual: number;
  readonly findings: number;
  readonly bytes: number;
}

const REPORT: Ownership = {
  what: 'a report of gictrace',
  recognises: (head) => head.includes('<title>gictrace report'),
};
/** Rows of a table, and bars of a picture, that are shown. */
const ROWS_MAX = 60;
const BARS_MAX = 30;
/** Below it, a difference is more than chance. */
const LEVEL = 0.05;

const STYLE = `
main { max-width: 1200px; }
figure { margin: 10px 0 4px; overflow-x: auto; }
figure svg { min-width: 640px; max-width: 1100px; }
svg .value { fill: var(--accent); }
svg .slow { fill: var(--bad); }
svg .fast { fill: var(--good); }
svg .quiet { fill: var(--muted); }
svg line.span { stroke: var(--accent); stroke-width: 3; }
svg line.grid { stroke: var(--line); }
svg line.zero { stroke: var(--soft); }
`;

type Row = readonly (number | string | null)[];

/**
 * Writes the page to `output`, completely or not at all.
 * @throws GicTraceError `usage` if `output` cannot be written, and what `ask` throws.
 */
export async function reportFleet(
  name: string,
  ask: FleetAsk,
  output: string,
  options: FleetOptions,
): Promise<FleetSummary> {
  const rows = async (sql: string): Promise<Row[]> =>
    Array.from(await ask(sql), (row) =>
      row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell instanceof Uint8Array ? null : cell)),
    );
  const traces = await rows('SELECT trace, name FROM traces ORDER BY trace');
  const names = new Map(traces.map(([trace, of]) => [Number(trace), `${of}`]));
  const byTrace = await rows(
    `SELECT trace, ${classOf('INTID')} AS class, count(*) AS n, median(latency_ns) AS p50_ns, percentile(latency_ns, 99) AS p99_ns FROM interrupts WHERE latency_ns IS NOT NULL GROUP BY 1, 2 ORDER BY 2, 1`,
  );
  const regressions = await rows(
    'SELECT label, baseline, value, class, phase, baseline_traces, traces, baseline_ns, p50_ns, change, z, p, p_adjusted FROM regressions WHERE baseline < value ORDER BY p_adjusted, p, label, baseline, value, class, phase',
  );
  const trends = await rows(
    'SELECT label, class, phase, traces, from_value, to_value, rho, p, slope_ns FROM latency_trend WHERE p IS NOT NULL ORDER BY p, label, class, phase',
  );
  const labels = await rows(
    "SELECT label, value, class, n, p50_ns, p90_ns, p99_ns FROM latency_by_label WHERE phase = 'queueing' AND p50_ns IS NOT NULL ORDER BY label, class, value",
  );
  const unusual = await rows(
    'SELECT trace, name, class, phase, n, p50_ns, usual_ns, deviation_ns FROM unusual_traces ORDER BY abs(p50_ns - usual_ns) / deviation_ns DESC, trace, class, phase',
  );
  const findings = await rows(
    'SELECT rule, severity, traces, findings, first_trace, last_trace FROM findings_by_trace ORDER BY traces DESC, rule',
  );
  const found = await rows('SELECT DISTINCT rule, trace FROM findings ORDER BY rule, trace');
  const called = (trace: Row[number] | undefined) => names.get(Number(trace)) ?? `${trace}`;
  const odd = new Set(
    unusual.filter(([, , , phase]) => phase === 'queueing').map(([t, , of]) => `${t} ${of}`),
  );
  const classes = [...new Set(byTrace.map(([, of]) => `${of}`))];
  const significant = regressions.filter((row) => Number(row[12]) < LEVEL);
  const compared = (significant.length > 0 ? significant : regressions).filter((row) => row[9] !== null);

  const parts = [
    `<h1>${escaped(name)}</h1>`,
    `<p>${traces.length} traces, ${grouped(byTrace.reduce((sum, row) => sum + Number(row[2]), 0))} acknowledged interrupts with times. Latency is from becoming pending to the acknowledge. Traces are in the order of their numbers.</p>`,
    section(
      'From trace to trace',
      'The median (dot) and the 99th percentile (light) of each trace, on a logarithmic scale; red: a trace that differs from the others (unusual_traces).',
      classes.length === 0
        ? nothing('No interrupt was acknowledged, or the sources have no times.')
        : classes.map((of) => {
            const own = byTrace.filter((row) => row[1] === of);
            const points = own.flatMap(([trace, , n, p50, p99]): Point[] => [
              { x: Number(trace), y: Number(p99), tone: 'quiet', text: `${called(trace)}: p99 ${ns(p99)}` },
              {
                x: Number(trace),
                y: Number(p50),
                tone: odd.has(`${trace} ${of}`) ? 'slow' : 'value',
                text: `${called(trace)}: p50 ${ns(p50)} of ${n}`,
              },
            ]);
            return `<h3>${escaped(of)}</h3>${dots(points, { x: 'trace', label: `${of}: latency by trace` })}`;
          }),
      trends.length === 0
        ? nothing(
            'No label whose values are whole numbers, such as a build number, is on ten traces or more: there is no test for a trend.',
          )
        : table(
            ['label', 'class', 'phase', 'traces', 'from', 'to', 'rank correlation', 'p', 'change per step'],
            trends.slice(0, ROWS_MAX).map((row) => [...row.slice(0, 7), chance(row[7]), ns(row[8])]),
            [3, 4, 5, 6, 7, 8],
          ),
      others(trends.length - ROWS_MAX, 'rows', 'latency_trend'),
    ),
    section(
      'Beside a baseline',
      'The change of the median for each pair of values of a label, with the Mann-Whitney test over traces (regressions). Solid: p below 0.05 even after multiplying it by the number of tests. Red is slower than the first value.',
      regressions.length === 0
        ? nothing('No label has two values with at least five traces each.')
        : bars(
            compared.slice(0, BARS_MAX).map((row) => ({
              name: `${row[0]} ${row[1]} → ${row[2]}: ${row[3]} ${row[4]}`,
              value: Number(row[9]),
              isSure: Number(row[12]) < LEVEL,
              text: `${ns(row[7])} → ${ns(row[8])}, p ${chance(row[11])}, times tests ${chance(row[12])}`,
            })),
          ),
      others(compared.length - BARS_MAX, 'bars', 'regressions'),
      regressions.length === 0
        ? ''
        : table(
            [
              'label',
              'baseline',
              'value',
              'class',
              'phase',
              'traces of the baseline',
              'traces',
              'p50 of the baseline',
              'p50',
              'change',
              'z',
              'p',
              'p × tests',
            ],
            regressions
              .slice(0, ROWS_MAX)
              .map((row) => [
                ...row.slice(0, 7),
                ns(row[7]),
                ns(row[8]),
                row[9] === null ? '' : `${row[9]} %`,
                row[10] ?? null,
                chance(row[11]),
                chance(row[12]),
              ]),
            [5, 6, 7, 8, 9, 10, 11, 12],
          ),
      others(regressions.length - ROWS_MAX, 'rows', 'regressions'),
    ),
    section(
      'By label',
      'From the median to the 99th percentile of all interrupts of the traces with that value.',
      labels.length === 0
        ? nothing('No trace has a label: gictrace import --label kernel=6.12.')
        : ranges(
            labels.slice(0, ROWS_MAX).map(([label, value, of, n, p50, , p99]) => ({
              name: `${label} ${value}: ${of}`,
              from: Number(p50),
              to: Number(p99),
              text: `p50 ${ns(p50)}, p99 ${ns(p99)} of ${n}`,
            })),
          ),
      others(labels.length - ROWS_MAX, 'lines', 'latency_by_label'),
    ),
    section(
      'Traces unlike the others',
      '',
      unusual.length === 0
        ? nothing('No trace is far from the others, or there are fewer than five.')
        : table(
            ['trace', 'class', 'phase', 'interrupts', 'p50', 'usual', 'usual distance'],
            unusual
              .slice(0, ROWS_MAX)
              .map(([, of, ...row]) => [of ?? null, ...row.slice(0, 3), ...row.slice(3).map(ns)]),
            [3, 4, 5, 6],
          ),
      others(unusual.length - ROWS_MAX, 'rows', 'unusual_traces'),
    ),
    section(
      'Findings',
      'A mark for each trace in which gictrace check finds something; red: the first.',
      findings.length === 0
        ? nothing('Nothing was found in any trace.')
        : strips(
            findings.map((row) => ({
              name: `${row[0]}`,
              at: found.filter(([rule]) => rule === row[0]).map(([, trace]) => Number(trace)),
            })),
            traces.map(([trace]) => Number(trace)),
            called,
          ),
      findings.length === 0
        ? ''
        : table(
            ['rule', 'severity', 'traces', 'findings', 'first trace', 'last trace'],
            findings.map((row) => [...row.slice(0, 4), called(row[4]), called(row[5])]),
            [2, 3],
          ),
    ),
  ];
  const out = new OutputFile(output, REPORT, { inputs: options.inputs, force: options.force });
  try {
    out.write(Buffer.from(pageOf(name, parts.join('\n'), options.version ?? VERSION)));
    out.commit();
  } catch (error) {
    out.discard();
    throw error;
  }
  return {
    traces: traces.length,
    regressions: significant.length,
    trends: trends.filter((row) => Number(row[7]) < LEVEL).length,
    unusual: new Set(unusual.map(([trace]) => trace)).size,
    findings: findings.length,
    bytes: out.bytes,
  };
}

/** How many are not shown, and where they are. */
const others = (n: number, what: string, module: string) =>
  n <= 0 ? '' : nothing(`${grouped(n)} more ${what} are not shown: all are in <code>${module}</code>.`);
const nothing = (text: string) => `<p class="note">${text}</p>`;

function section(title: string, note: string, ...content: readonly (string | readonly string[])[]): string {
  return `<section><h2>${title}</h2>${note === '' ? '' : nothing(note)}${content.flat().join('\n')}</section>`;
}

function grouped(n: number): string {
  return `${n}`.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

const ns = (value: Row[number] | undefined): string =>
  value === null || value === undefined ? 'unknown' : duration(Number(value));

/** A probability, of which four decimals are known. */
const chance = (p: Row[number] | undefined) => (Number(p) < 0.0001 ? '< 0.0001' : `${p}`);

function pageOf(name: string, body: string, version: string): string {
  const style = readFileSync(new URL('../../page/style.css', import.meta.url), 'utf8') + STYLE;
  const hash = createHash('sha256').update(style).digest('base64');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>gictrace report: ${escaped(name)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<style>${style}</style>
</head>
<body>
<main>
${body}
<p class="note">Made by gictrace ${escaped(version)}. This page has no script, needs no network and sends nothing.</p>
</main>
</body>
</html>
`;
}
