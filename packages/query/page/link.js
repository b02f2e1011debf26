// The state of the page in the fragment of its address, so that a link shows a colleague the same moment. A short form is
// written by hand: #record=832, and &trace=B for the second trace.

/** @typedef {import('./view.js').View} View */
/** @typedef {import('./timeline.js').Timeline} Timeline */
/** @typedef {import('./model.js').RowKind} RowKind */

const DELAY_MS = 250;
const KINDS = /** @type {const} */ ([
  'lives',
  'msis',
  'commands',
  'accesses',
  'mappings',
  'residencies',
  'differences',
  'findings',
  'divergence',
]);

const SCOPES = /** @type {const} */ (['all', 'sight', 'range']);

/** @param {Timeline} timeline @param {RowKind} kind */
function rowsOf({ model: { facts } }, kind) {
  if (kind === 'findings') return facts.findings.length;
  if (kind === 'divergence') return facts.verdict?.first ? 1 : 0;
  return facts.tables[kind]?.rows ?? 0;
}

/** The fragment for what is shown. @param {View} view @param {readonly Timeline[]} timelines */
export function fragmentOf(view, timelines) {
  const place = (/** @type {number} */ n) => (view.axis === 'time' ? `${Math.round(n)}` : n.toFixed(1));
  const parts = [`axis=${view.axis}`, `from=${place(view.from)}`, `to=${place(view.to)}`];
  if (view.range !== null) parts.push(`range=${view.range.map(place).join(',')}`);
  if (view.open.size > 0) parts.push(`open=${[...view.open].map(encodeURIComponent).join(',')}`);
  if (view.hidden.size > 0) parts.push(`hide=${[...view.hidden].join(',')}`);
  view.lists.forEach(({ text, scope }, k) => {
    if (text !== '') parts.push(`list${'AB'[k]}=${encodeURIComponent(text)}`);
    if (scope !== 'all') parts.push(`scope${'AB'[k]}=${scope}`);
  });
  if (view.sql !== '') parts.push(`sql=${encodeURIComponent(view.sql)}`);
  timelines.forEach(({ selected }, k) => {
    if (selected !== null) parts.push(`select${'AB'[k]}=${selected.kind}.${selected.row}`);
  });
  return parts.join('&');
}

/**
 * Shows what a fragment says; what makes no sense in it is ignored. Returns whether it says anything.
 * @param {string} fragment
 * @param {View} view
 * @param {readonly Timeline[]} timelines
 * @param {(trace: number, record: number) => void} go
 */
export function applyFragment(fragment, view, timelines, go) {
  if (!fragment.includes('=')) return false;
  const of = new URLSearchParams(fragment);
  const list = (/** @type {string} */ name) => (of.get(name) ?? '').split(',').filter((one) => one !== '');
  const numbers = (/** @type {string[]} */ texts) => texts.map(Number).filter(Number.isFinite);
  const axis = view.axes.find((one) => one === of.get('axis'));
  if (axis !== undefined) view.use(axis);
  if (of.has('open')) view.open = new Set(list('open'));
  if (of.has('hide')) view.hidden = new Set(list('hide'));
  const [from, to] = numbers([of.get('from') ?? '', of.get('to') ?? ''].filter((one) => one !== ''));
  if (from !== undefined && to !== undefined && from < to) view.show(from, to);
  const [a, b] = numbers(list('range'));
  view.range = a !== undefined && b !== undefined && a < b ? [a, b] : null;
  if (of.has('sql')) view.sql = of.get('sql') ?? '';
  view.lists.forEach((filter, k) => {
    filter.text = of.get(`list${'AB'[k]}`) ?? '';
    filter.scope = SCOPES.find((one) => one === of.get(`scope${'AB'[k]}`)) ?? 'all';
  });
  timelines.forEach((timeline, k) => {
    const [, kind, row] = /^(\w+)\.(\d+)$/.exec(of.get(`select${'AB'[k]}`) ?? '') ?? [];
    const known = KINDS.find((one) => one === kind);
    if (known !== undefined && Number(row) < rowsOf(timeline, known))
      timeline.select({ kind: known, row: Number(row) });
  });
  const record = of.get('record');
  const k = of.get('trace') === 'B' && timelines.length > 1 ? 1 : 0;
  if (record !== null && /^\d+$/.test(record) && Number(record) < timelines[k].model.facts.records)
    go(k, Number(record));
  view.changed();
  return true;
}

/**
 * Keeps the fragment up to date, and follows it when the reader changes it.
 * @param {View} view
 * @param {readonly Timeline[]} timelines
 * @param {(trace: number, record: number) => void} go
 */
export function keepLink(view, timelines, go) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const write = () => {
    timer = undefined;
    try {
      history.replaceState(null, '', `#${fragmentOf(view, timelines)}`);
    } catch {
      // Where a page may not change its address, as in some viewers of mail, it works without.
    }
  };
  const soon = () => {
    if (timer === undefined) timer = setTimeout(write, DELAY_MS);
  };
  applyFragment(location.hash.slice(1), view, timelines, go);
  addEventListener('hashchange', () => applyFragment(location.hash.slice(1), view, timelines, go));
  view.listeners.push(soon);
  for (const timeline of timelines) timeline.chosen.push(soon);
}
