// SQL over what the report holds. SQLite is in the page only if that was asked for; it runs in a thread of its own, which a
// button ends.
import { inflate } from './data.js';
import { el, none, table } from './dom.js';
import { grouped } from './format.js';
import { leftOutOf, sqlTables } from './sqltables.js';

/** @typedef {import('./data.js').TraceFacts} TraceFacts */
/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./view.js').View} View */
/** @typedef {import('./sections.js').Jump} Jump */
/** @typedef {readonly (number | bigint | string | null)[]} Row */
/** @typedef {{ columns: string[], rows: Row[], isCut: boolean }} Answer */

/** Columns with numbers of records, which lead to the timeline. */
const RECORDS = new Set([
  ...['record', 'asserted', 'pended', 'doorbell', 'signalled', 'acknowledged', 'eoi', 'deactivated'],
  ...['withdrawn', 'from_record', 'to_record'],
]);
const FIRST =
  'SELECT trace, INTID, pe, count(*) AS n, round(median(latency_ns) / 1000, 1) AS p50_us, round(percentile(latency_ns, 99) / 1000, 1) AS p99_us\nFROM interrupts GROUP BY trace, INTID, pe ORDER BY n DESC LIMIT 20';
const EXAMPLES = [
  ['Interrupts by INTID and PE', FIRST],
  [
    'The slowest interrupts',
    'SELECT trace, INTID, pe, cause, pended, acknowledged, round(latency_ns / 1000.0, 1) AS latency_us\nFROM interrupts WHERE latency_ns IS NOT NULL ORDER BY latency_ns DESC LIMIT 20',
  ],
  [
    'What became of messages',
    'SELECT trace, DeviceID, outcome, count(*) AS n FROM msis GROUP BY 1, 2, 3 ORDER BY n DESC',
  ],
  [
    'Writes to a register',
    "SELECT trace, record, time_ns, pe, register, gic_hex(value) AS value\nFROM mmio WHERE direction = 'write' AND register LIKE 'GICD_CTLR%' ORDER BY trace, record",
  ],
  [
    'Commands before an interrupt was withdrawn',
    'SELECT i.trace, i.INTID, i.withdrawn, c.record, c.command\nFROM interrupts i JOIN its_commands c ON c.trace = i.trace AND c.record BETWEEN i.withdrawn - 20 AND i.withdrawn\nORDER BY i.trace, i.withdrawn, c.record',
  ],
];

/** Whether the page has SQLite. */
export const hasSql = () => document.getElementById('sqlite') !== null;

/** The script of the thread and SQLite's module, from the page. */
async function engine() {
  const bytes = await inflate(document.getElementById('sqlite')?.textContent ?? '');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return { code: bytes.slice(4, 4 + length), wasm: bytes.slice(4 + length) };
}

/**
 * @param {readonly Model[]} models
 * @param {Uint8Array} columns
 * @param {View} view
 * @param {readonly Jump[]} jumps
 */
export function sqlSection(models, columns, view, jumps) {
  /** @type {Worker | null} */
  let worker = null;
  /** What was asked last. */
  let asked = '';
  /** @param {string} failure */
  const withoutAccesses = (failure) =>
    /^no such table: (?:mmio|sysregs)$/.test(failure) && !models.every(({ facts }) => facts.accesses)
      ? '; the report was made without accesses (--no-accesses)'
      : '';
  const text = el('textarea', { rows: 5, spellcheck: false, 'aria-label': 'SQL' });
  text.value = view.sql === '' ? FIRST : view.sql;
  const said = el('output', { 'aria-live': 'polite' });
  const result = el('div');
  const running = (/** @type {boolean} */ is) => {
    run.disabled = is;
    stop.disabled = !is;
  };
  /** @param {Answer} answer @param {number} ms */
  const show = ({ columns: names, rows, isCut }, ms) => {
    const numeric = names.map((_, k) => rows.every((row) => row[k] === null || typeof row[k] !== 'string'));
    const right = names.flatMap((_, k) => (numeric[k] ? [k] : []));
    const ofTrace = names.indexOf('trace');
    /** The place of a row's trace; NaN if the answer does not say which of several it is. @param {Row} row */
    const placeOf = (row) => (ofTrace >= 0 ? Number(row[ofTrace]) - 1 : models.length === 1 ? 0 : Number.NaN);
    /** @param {Row} row */
    const cells = (row) => {
      const place = placeOf(row);
      const model = models[place];
      return row.map((cell, k) => {
        if (cell === null) return '';
        const isRecord =
          RECORDS.has(names[k]) &&
          typeof cell === 'number' &&
          model !== undefined &&
          cell < model.facts.records;
        return isRecord ? jumps[place](cell) : `${cell}`;
      });
    };
    said.textContent = [
      `${grouped(rows.length)} ${rows.length === 1 ? 'row' : 'rows'}${isCut ? ', and more that are not shown' : ''}, ${ms.toFixed(1)} ms`,
      ...leftOutOf(models, asked),
    ].join('; ');
    result.replaceChildren(
      rows.length === 0 ? none('No rows.') : table(names, rows.map(cells), { right, page: 100 }),
    );
  };
  const open = async () => {
    const { code, wasm } = await engine();
    const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const made = new Worker(url);
    URL.revokeObjectURL(url);
    made.addEventListener('error', (event) => {
      running(false);
      said.textContent = event.message;
    });
    made.addEventListener('message', ({ data }) => {
      if (data.progress !== undefined) {
        said.textContent = `loading ${data.progress}`;
        return;
      }
      running(false);
      if (data.failure === undefined) show(data.answer, data.ms);
      else {
        said.textContent = `${data.failure}${withoutAccesses(data.failure)}`;
        result.replaceChildren();
      }
    });
    made.postMessage({ wasm, facts: models.map((model) => model.facts), columns });
    return made;
  };
  const ask = async () => {
    running(true);
    said.textContent = worker === null ? 'loading …' : 'running …';
    asked = text.value;
    view.sql = asked;
    view.changed();
    worker ??= await open();
    worker.postMessage(asked);
  };
  const run = el('button', { type: 'button', onclick: ask }, 'run');
  const stop = el(
    'button',
    {
      type: 'button',
      disabled: true,
      onclick: () => {
        worker?.terminate();
        worker = null;
        running(false);
        said.textContent = 'stopped';
      },
    },
    'stop',
  );
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!run.disabled) void ask();
  });
  const examples = el(
    'select',
    { 'aria-label': 'examples' },
    el('option', { value: '' }, 'examples'),
    ...EXAMPLES.map(([name, sql]) => el('option', { value: sql }, name)),
  );
  examples.addEventListener('change', () => {
    if (examples.value === '') return;
    text.value = examples.value;
    if (!run.disabled) void ask();
  });
  const tables = sqlTables(models[0], 1).map(({ name, doc, columns: names }) =>
    el('li', {}, el('code', {}, name), ` ${doc}: ${names.join(', ')}`),
  );
  return el(
    'div',
    { class: 'sql' },
    text,
    el(
      'div',
      { class: 'bar' },
      run,
      stop,
      examples,
      said,
      el('span', { class: 'note' }, 'Ctrl and Enter runs'),
    ),
    result,
    el('details', {}, el('summary', {}, 'Tables'), el('ul', {}, ...tables)),
  );
}
