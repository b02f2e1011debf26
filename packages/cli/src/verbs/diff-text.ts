// Prints an aligned comparison for people: as text for a screen, as Markdown for a review. It knows no options.
import {
  CLASSES,
  type Diff,
  type DiffClass,
  type DiffExample,
  type Half,
  type OverviewRow,
  type SubjectRow,
} from '@gictrace/query';
import { grouped } from '../context.ts';

/** Rows of the table of subjects. */
const SUBJECTS_MAX = 18;
/** Rows of what matters. */
const OVERVIEW_MAX = 20;
const classNames = Object.keys(CLASSES) as DiffClass[];

type Row = readonly string[];

/** Columns as wide as their cells; all but the last are aligned to the right. */
function columns(rows: readonly Row[], indent = '  '): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [k, cell] of row.entries()) widths[k] = Math.max(widths[k] ?? 0, cell.length);
  return rows.map((row) =>
    `${indent}${row.map((cell, k) => (k === row.length - 1 ? cell : cell.padStart(widths[k]!))).join('  ')}`.trimEnd(),
  );
}

function markdownTable(head: Row, rows: readonly Row[], text: number): string[] {
  const line = (cells: Row) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, k) => (k === text ? '---' : '---:'))), ...rows.map(line), ''];
}

const differs = (diff: Diff) => classNames.filter((name) => name !== 'same' && diff.counts[name] > 0);

const count = (n: number) => `${grouped(n)} difference${n === 1 ? '' : 's'}`;

function headline(diff: Diff): string {
  const all = differs(diff)
    .filter((name) => name !== 'unknown')
    .reduce((sum, name) => sum + diff.counts[name], diff.config.length);
  const passed = diff.tolerated.reduce((sum, one) => sum + one.n, 0);
  if (diff.same) return passed > 0 ? `SAME, except for ${count(passed)} tolerated` : 'SAME';
  return `DIFFERS: ${count(all - passed)}${passed > 0 ? `, and ${grouped(passed)} tolerated` : ''}`;
}

function sides(diff: Diff): Row[] {
  return (['a', 'b'] as const).map((side) => {
    const { path, records, compared } = diff[side];
    return [side.toUpperCase(), `${path}: ${grouped(records)} records, ${grouped(compared)} compared`];
  });
}

/** What is not compared, for both traces side by side. */
function left(diff: Diff): Row[] {
  const reasons = [...new Set([...Object.keys(diff.a.left), ...Object.keys(diff.b.left)])].sort();
  return reasons.map((reason) => [
    grouped(diff.a.left[reason] ?? 0),
    grouped(diff.b.left[reason] ?? 0),
    reason,
  ]);
}

function notes(diff: Diff): string[] {
  const out: string[] = [];
  if (diff.renamed !== null)
    out.push(
      `renamed: ${Object.entries(diff.renamed)
        .map(([space, n]) => `${grouped(n)} ${space}`)
        .join(', ')}`,
    );
  if (diff.coarse > 0)
    out.push(
      `coarse: ${grouped(diff.coarse)} records differ too much for an exact alignment; there may be fewer differences among them`,
    );
  if (diff.a.orderDigest === diff.b.orderDigest)
    out.push(`order digest ${diff.a.orderDigest}: the same up to legal reordering and times`);
  else out.push(`order digests ${diff.a.orderDigest} : ${diff.b.orderDigest}`);
  return out;
}

const subjectHead = [
  'A',
  'B',
  ...classNames.slice(1, -1).map((name) => name.replace('reordered-', '')),
  'what',
];
function subjectRow({ subject, a, b, classes }: SubjectRow): Row {
  return [
    grouped(a),
    grouped(b),
    ...classNames.slice(1, -1).map((name) => (classes[name] === undefined ? '' : grouped(classes[name]))),
    subject,
  ];
}

function half(name: string, { record, around, slice }: Half): string[] {
  if (around.length === 0) return [`  ${name}  no such place`];
  const lines = around.map((one) => `  ${name} ${one.record === record?.record ? '>' : ' '} ${one.text}`);
  return [...lines, ...slice.map((one) => `  ${name}   because of ${one.text}`)];
}

function title({ class: name, subject, reason }: DiffExample): string {
  return `${name}: ${subject}${reason === '' ? '' : `, ${reason}`}`;
}

/** A count, or a duration. */
function amount(value: number | null, unit: OverviewRow['unit']): string {
  if (value === null) return 'unknown';
  if (unit === 'count') return grouped(value);
  if (value >= 1e9) return `${(value / 1e9).toFixed(3)} s`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(3)} ms` : `${(value / 1e3).toFixed(1)} us`;
}

function change({ a, b }: OverviewRow): string {
  if (a === null || b === null || a <= 0) return '';
  const percent = (100 * (b - a)) / a;
  return `${percent < 0 ? '-' : '+'}${Math.abs(percent).toFixed(Math.abs(percent) < 10 ? 1 : 0)} %`;
}

/** What matters, before single records. */
function* overviewText(matters: readonly OverviewRow[]): Generator<string> {
  if (matters.length === 0) return;
  yield 'what matters (A, B):';
  const rows = matters
    .slice(0, OVERVIEW_MAX)
    .map((row) => [
      amount(row.a, row.unit),
      amount(row.b, row.unit),
      change(row),
      `${row.topic}: ${row.what}${row.isBeyondChance === false ? ' (no more than chance)' : ''}`,
    ]);
  yield* columns(rows);
  if (matters.length > rows.length)
    yield `  … and ${grouped(matters.length - rows.length)} more: --json has all`;
}

/** The text for a screen. */
export function* diffText(diff: Diff, matters: readonly OverviewRow[] = []): Generator<string> {
  yield headline(diff);
  yield* columns(sides(diff));
  yield* overviewText(matters);
  const notCompared = left(diff);
  if (notCompared.length > 0) {
    yield 'not compared (A, B):';
    yield* columns(notCompared);
  }
  const named = (name: DiffClass) => `${name}: ${CLASSES[name]}`;
  yield 'by class:';
  yield* columns(
    classNames
      .filter((name) => diff.counts[name] > 0)
      .map((name) => [grouped(diff.counts[name]), named(name)]),
  );
  if (diff.tolerated.length > 0) {
    yield 'tolerated by rules:';
    yield* columns(diff.tolerated.map(({ by, n }) => [grouped(n), n === 0 ? `${by} (never needed)` : by]));
  }
  if (diff.config.length > 0) {
    yield 'configuration (A : B):';
    yield* columns(
      diff.config.map(({ field, a, b, tolerated }) => [
        `${field} ${a} : ${b}${tolerated === null ? '' : ` (tolerated: ${tolerated})`}`,
      ]),
    );
  }
  if (diff.subjects.length > 0) {
    const shown = diff.subjects.slice(0, SUBJECTS_MAX);
    yield 'by subject; first those that one trace has more of:';
    yield* columns([subjectHead, ...shown.map(subjectRow)]);
    if (shown.length < diff.subjects.length)
      yield `  … and ${grouped(diff.subjects.length - shown.length)} more: --json and -o have all`;
  }
  for (const line of notes(diff)) yield line;
  for (const example of diff.examples) {
    yield '';
    yield `first ${title(example)}`;
    yield* half('A', example.a);
    yield* half('B', example.b);
  }
}

/** The Markdown for a review. */
export function* diffMarkdown(diff: Diff): Generator<string> {
  yield `**${headline(diff)}**`;
  yield '';
  for (const [name, text] of sides(diff)) yield `- ${name}: ${text}`;
  for (const [a, b, reason] of left(diff)) yield `- not compared: ${a} : ${b} ${reason}`;
  for (const line of notes(diff)) yield `- ${line}`;
  yield '';
  yield* markdownTable(
    ['class', 'records', 'means'],
    classNames
      .filter((name) => diff.counts[name] > 0)
      .map((name) => [name, grouped(diff.counts[name]), CLASSES[name]]),
    2,
  );
  if (diff.tolerated.length > 0)
    yield* markdownTable(
      ['tolerated by', 'records'],
      diff.tolerated.map(({ by, n }) => [by, grouped(n)]),
      0,
    );
  if (diff.config.length > 0)
    yield* markdownTable(
      ['configuration', 'A', 'B', 'tolerated by'],
      diff.config.map(({ field, a, b, tolerated }) => [field, a, b, tolerated ?? '']),
      0,
    );
  if (diff.subjects.length > 0) {
    const shown = diff.subjects.slice(0, SUBJECTS_MAX);
    yield* markdownTable(subjectHead, shown.map(subjectRow), subjectHead.length - 1);
    if (shown.length < diff.subjects.length)
      yield `… and ${grouped(diff.subjects.length - shown.length)} more\n`;
  }
  for (const example of diff.examples) {
    yield `First ${title(example)}`;
    yield '';
    yield '```';
    yield* half('A', example.a);
    yield* half('B', example.b);
    yield '```';
    yield '';
  }
}
