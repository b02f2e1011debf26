// Pictures and tables of a report of many traces, as text of SVG and HTML. What comes from a trace is escaped.

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly tone: 'value' | 'slow' | 'quiet';
  readonly text: string;
}

const WIDTH = 1000;
const LEFT = 90;
const NAMES = 380;
const LINE = 20;

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const round = (n: number) => `${Math.round(n * 10) / 10}`;
const title = (text: string) => `<title>${escaped(text)}</title>`;

function figure(height: number, label: string, content: readonly string[]): string {
  return `<figure><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(label)}">${content.join('')}</svg></figure>`;
}

const text = (x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end' = 'start') =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
const line = (kind: string, x1: number, y1: number, x2: number, y2: number) =>
  `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;

/** A duration of `ns` nanoseconds with three digits, in a unit that fits. */
export function duration(ns: number): string {
  const size = Math.abs(ns);
  const [unit, of] =
    size >= 1e9 ? ['s', 1e9] : size >= 1e6 ? ['ms', 1e6] : size >= 1e3 ? ['µs', 1e3] : ['ns', 1];
  return `${Number((ns / of).toPrecision(3))} ${unit}`;
}

/** A logarithmic scale over positive values, with the powers of ten inside it. Values below 1 are at 1. */
function logScale(values: readonly number[], from: number, to: number) {
  const sizes = values.map((value) => Math.max(value, 1));
  const low = Math.floor(
    Math.log10(sizes.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)),
  );
  const high = Math.max(
    Math.ceil(Math.log10(sizes.reduce((most, value) => Math.max(most, value), 1))),
    low + 1,
  );
  const at = (value: number) => from + ((Math.log10(Math.max(value, 1)) - low) / (high - low)) * (to - from);
  const ticks = Array.from({ length: high - low + 1 }, (_, k) => 10 ** (low + k));
  return { at, ticks };
}

/** Durations over whole numbers. */
export function dots(points: readonly Point[], { x: name, label }: { x: string; label: string }): string {
  const height = 240;
  const xs = points.map(({ x }) => x);
  const [first, last] = [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))];
  const x = (value: number) =>
    last === first
      ? (LEFT + WIDTH) / 2
      : LEFT + 10 + ((value - first) / (last - first)) * (WIDTH - LEFT - 30);
  const { at, ticks } = logScale(
    points.map(({ y }) => y),
    height - 30,
    12,
  );
  return figure(height, label, [
    ...ticks.map(
      (tick) =>
        line('grid', LEFT, at(tick), WIDTH, at(tick)) + text(LEFT - 8, at(tick) + 4, duration(tick), 'end'),
    ),
    ...points.map(
      (one) =>
        `<circle class="${one.tone}" cx="${round(x(one.x))}" cy="${round(at(one.y))}" r="${one.tone === 'slow' ? 4 : 2.5}">${title(one.text)}</circle>`,
    ),
    text(x(first), height - 8, `${name} ${first}`),
    text(WIDTH - 8, height - 8, `${name} ${last}`, 'end'),
  ]);
}

/** Shares in percent, to the right of a line if they grew. */
export function bars(
  rows: readonly {
    readonly name: string;
    readonly value: number;
    readonly isSure: boolean;
    readonly text: string;
  }[],
): string {
  if (rows.length === 0) return '';
  const most = rows.reduce((sum, { value }) => Math.max(sum, Math.abs(value)), 1);
  const zero = (NAMES + WIDTH) / 2;
  const x = (value: number) => zero + (value / most) * ((WIDTH - NAMES) / 2 - 70);
  return figure(rows.length * LINE + 12, 'change beside the baseline', [
    line('zero', zero, 0, zero, rows.length * LINE + 6),
    ...rows.map(({ name, value, isSure, text: more }, k) => {
      const y = k * LINE + 6;
      const [a, b] = [Math.min(zero, x(value)), Math.max(zero, x(value))];
      const tone = value > 0 ? 'slow' : 'fast';
      return (
        text(NAMES - 8, y + 11, name.length > 56 ? `${name.slice(0, 55)}…` : name, 'end') +
        `<rect class="${tone}" x="${round(a)}" y="${y}" width="${round(Math.max(b - a, 1))}" height="14" fill-opacity="${isSure ? 1 : 0.25}">${title(`${name}: ${more}`)}</rect>` +
        text(
          value < 0 ? a - 5 : b + 5,
          y + 11,
          `${value > 0 ? '+' : ''}${value} %`,
          value < 0 ? 'end' : 'start',
        )
      );
    }),
  ]);
}

/** From one duration to another. */
export function ranges(
  rows: readonly {
    readonly name: string;
    readonly from: number;
    readonly to: number;
    readonly text: string;
  }[],
): string {
  const { at, ticks } = logScale(
    rows.flatMap(({ from, to }) => [from, to]),
    NAMES,
    WIDTH - 30,
  );
  const height = rows.length * LINE + 30;
  return figure(height, 'latency by label', [
    ...ticks.map(
      (tick) =>
        line('grid', at(tick), 0, at(tick), height - 22) +
        text(at(tick), height - 6, duration(tick), 'middle'),
    ),
    ...rows.map(({ name, from, to, text: more }, k) => {
      const y = k * LINE + 12;
      return (
        text(NAMES - 12, y + 4, name.length > 56 ? `${name.slice(0, 55)}…` : name, 'end') +
        `<g>${title(`${name}: ${more}`)}${line('span', at(from), y, at(to), y)}<circle class="value" cx="${round(at(from))}" cy="${y}" r="4.5"/><circle class="quiet" cx="${round(at(to))}" cy="${y}" r="4.5"/></g>`
      );
    }),
  ]);
}

/** A mark for each trace, in a line for each name. */
export function strips(
  rows: readonly { readonly name: string; readonly at: readonly number[] }[],
  traces: readonly number[],
  called: (trace: number) => string,
): string {
  const first = traces[0] ?? 0;
  const span = Math.max((traces.at(-1) ?? 0) - first, 1);
  const x = (trace: number) => NAMES + 6 + ((trace - first) / span) * (WIDTH - NAMES - 20);
  return figure(rows.length * LINE + 12, 'traces with findings', [
    ...rows.map(({ name, at }, k) => {
      const y = k * LINE + 6;
      return (
        text(NAMES - 8, y + 11, name, 'end') +
        line('grid', NAMES, y + 16, WIDTH, y + 16) +
        at
          .map(
            (trace, i) =>
              `<rect class="${i === 0 ? 'slow' : 'value'}" x="${round(x(trace) - (i === 0 ? 1.5 : 0.75))}" y="${y}" width="${i === 0 ? 3 : 1.5}" height="14">${title(called(trace))}</rect>`,
          )
          .join('')
      );
    }),
  ]);
}

/** A table; columns in `right` are right-aligned. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (number | string | null)[])[],
  right: readonly number[],
): string {
  const cell = (tag: 'th' | 'td', content: number | string | null, k: number) =>
    `<${tag}${right.includes(k) ? ' class="n"' : ''}>${content === null ? '' : escaped(`${content}`)}</${tag}>`;
  const body = rows.map((row) => `<tr>${row.map((content, k) => cell('td', content, k)).join('')}</tr>`);
  return `<div class="scroll"><table><thead><tr>${head.map((name, k) => cell('th', name, k)).join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}
