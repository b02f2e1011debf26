// The form for what a log does not show: the options of `gictrace import`, under the names that messages use.
import { LOG_FORMATS, LOG_OPTIONS, type LogOption } from '@gictrace/recorder';
import type { ImportForm } from '../worker/session.ts';
import { element } from './dom.ts';

type Field = HTMLInputElement | HTMLSelectElement;

function choice(values: readonly string[], none: string): HTMLSelectElement {
  const options = values.map((value) => element('option', { value }, value));
  return element('select', {}, element('option', { value: '' }, none), ...options);
}

function fieldOf(name: string, { values, takes }: LogOption): Field {
  if (name === 'like') return element('input', { type: 'file', accept: '.gictrace' });
  if (values !== undefined) return choice(values, '');
  return element('input', { size: 14, autocomplete: 'off', spellcheck: false, placeholder: takes ?? '' });
}

/** The form, and what reads it. */
export function importOptions(): { readonly element: HTMLElement; read(): ImportForm } {
  const format = choice(Object.keys(LOG_FORMATS), 'recognised');
  const fields = Object.entries<LogOption>(LOG_OPTIONS).map(([name, option]) => {
    const field = fieldOf(name, option);
    const label = element('label', { title: option.doc }, element('code', {}, option.flag), ' ', field);
    return { name, option, field, label };
  });
  const labels = element('textarea', { rows: 2, spellcheck: false, placeholder: 'kernel=6.12' });
  format.addEventListener('change', () => {
    // What the format does not have is not in the way, and is not sent.
    for (const { option, field, label } of fields) {
      const isFor = format.value === '' || option.formats.some((one) => one === format.value);
      label.hidden = !isFor;
      field.disabled = !isFor;
    }
  });
  const grid = element(
    'div',
    { className: 'options' },
    element('label', {}, 'format ', format),
    ...fields.map(({ label }) => label),
    element('label', {}, element('code', {}, '--label'), ' one on each line ', labels),
  );
  const help = element(
    'dl',
    {},
    ...fields.flatMap(({ option }) => [
      element('dt', {}, element('code', {}, option.flag)),
      element('dd', {}, option.doc),
    ]),
  );
  const made = element(
    'details',
    {},
    element('summary', {}, 'Import options'),
    element(
      'p',
      { className: 'note' },
      'For what a log does not show. They are those of the command, and apply to the logs that are dropped from now on.',
    ),
    grid,
    element('details', {}, element('summary', {}, 'What they mean'), help),
  );
  return {
    element: made,
    read: () => {
      const given = fields.filter(({ field }) => !field.disabled && field.value !== '');
      const like = given.find(({ name }) => name === 'like')?.field as HTMLInputElement | undefined;
      return {
        format: format.value,
        options: Object.fromEntries(
          given.filter(({ name }) => name !== 'like').map(({ name, field }) => [name, field.value.trim()]),
        ),
        like: like?.files?.[0],
        labels: labels.value.split('\n').filter((line) => line.trim() !== ''),
      };
    },
  };
}
