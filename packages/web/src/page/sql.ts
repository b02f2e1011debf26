// SQL over the trace of a file.
import type { Table } from '../worker/session.ts';
import { button, element, grouped } from './dom.ts';
import type { Asking } from './file.ts';

function tableOf({ columns, rows, numeric, isCut, ms }: Table): HTMLElement {
  const head = element(
    'tr',
    {},
    ...columns.map((name, k) => element('th', { scope: 'col', className: numeric[k] ? 'n' : '' }, name)),
  );
  const body = element(
    'tbody',
    {},
    ...rows.map((row) =>
      element('tr', {}, ...row.map((text, k) => element('td', { className: numeric[k] ? 'n' : '' }, text))),
    ),
  );
  const caption = `${grouped(rows.length)} row${rows.length === 1 ? '' : 's'}${isCut ? ', and more that are not shown' : ''}, ${ms.toFixed(1)} ms`;
  return element(
    'div',
    { className: 'scroll' },
    element('table', {}, element('caption', {}, caption), element('thead', {}, head), body),
  );
}

/** The panel, and what fills it when it is first shown. */
export function sqlPanel(asking: Asking): { readonly panel: HTMLElement; readonly first: () => void } {
  const text = element('textarea', {
    ariaLabel: 'SQL',
    rows: 5,
    spellcheck: false,
    value:
      'SELECT INTID, pe, outcome, count(*) AS n\nFROM interrupts GROUP BY INTID, pe, outcome ORDER BY n DESC',
  });
  const examples = element(
    'select',
    { ariaLabel: 'Examples' },
    element('option', { value: '' }, 'Examples…'),
  );
  const result = element('div', { className: 'result' });
  const relations = element('div', { className: 'relations' });
  const run = () =>
    asking('sql', text.value).then((table) => {
      if (table !== undefined) result.replaceChildren(tableOf(table));
    });
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void run();
    }
  });
  examples.addEventListener('change', () => {
    if (examples.value === '') return;
    text.value = examples.value;
    void run();
  });
  const first = async () => {
    const catalogue = await asking('catalogue', null);
    if (catalogue === undefined) return;
    for (const { question, sql } of catalogue.questions)
      examples.append(element('option', { value: sql }, question));
    relations.replaceChildren(
      element('h3', {}, 'Views'),
      ...catalogue.relations.map(({ name, doc, columns }) =>
        element(
          'details',
          {},
          element('summary', {}, element('code', {}, name), ` ${doc}`),
          element('p', { className: 'note' }, columns.join(', ')),
        ),
      ),
    );
    await run();
  };
  const bar = element(
    'div',
    { className: 'bar' },
    button('Run', () => void run()),
    examples,
    element('span', { className: 'note' }, 'Ctrl+Enter runs'),
  );
  const panel = element('div', {}, text, bar, result, relations);
  return { panel, first: () => void first() };
}
