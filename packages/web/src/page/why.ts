// The question why an interrupt arrived or did not.
import type { WhyQuestion } from '@gictrace/query';
import { wayPicture } from '../../../query/page/why.js';
import { element, grouped } from './dom.ts';
import type { Asking } from './file.ts';

const FIELDS = {
  intid: 'INTID',
  device: 'DeviceID',
  event: 'EventID',
  vintid: 'vINTID',
  vpe: 'vPEID',
  pe: 'PE',
  at: 'at record',
} as const;

/** A record, which has no place to go to here. */
const numbered = (record: number) => document.createTextNode(grouped(record));

/** The number in a field, decimal or 0x…; undefined if it is empty. */
function numberIn(field: HTMLInputElement): number | undefined {
  const text = field.value.trim();
  if (text === '') return undefined;
  const isNumber = /^(\d{1,15}|0x[\da-f]{1,12})$/i.test(text);
  field.setCustomValidity(isNumber ? '' : 'a number, such as 27 or 0x2001');
  return isNumber ? Number(text) : undefined;
}

export function whyPanel(asking: Asking): HTMLElement {
  const fields = Object.fromEntries(
    Object.keys(FIELDS).map((name) => [name, element('input', { size: 8, autocomplete: 'off', name })]),
  ) as Record<keyof typeof FIELDS, HTMLInputElement>;
  const labels = Object.entries(FIELDS).map(([name, label]) =>
    element('label', {}, `${label} `, fields[name as keyof typeof FIELDS]),
  );
  const picture = element('div', {});
  const answer = element('pre', { className: 'answer', ariaLive: 'polite', hidden: true });
  const form = element(
    'form',
    { className: 'bar' },
    ...labels,
    element('button', { type: 'submit' }, 'Why?'),
  );
  const { intid, device, vintid } = fields;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = Object.entries(fields).map(([name, field]) => [name, numberIn(field)] as const);
    const subjects = [intid, device, vintid].filter((field) => field.value.trim() !== '');
    if (subjects.length !== 1)
      (subjects[1] ?? intid).setCustomValidity('one of INTID, DeviceID and vINTID is needed');
    if (!form.reportValidity()) return;
    const question = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as WhyQuestion;
    void asking('why', question).then((found) => {
      if (found === undefined) return;
      const { lines, way, finding } = found;
      answer.textContent = lines.join('\n');
      answer.hidden = false;
      const steps = way.map(({ stage, state, at, text }) => ({
        stage,
        state,
        record: at?.record ?? null,
        text,
      }));
      const cause = finding?.cause ?? null;
      const named = cause === null ? null : { record: cause.record, text: cause.text, why: finding!.why };
      picture.replaceChildren(
        ...(steps.length === 0 ? [] : [wayPicture({ way: steps, cause: named }, numbered)]),
      );
    });
  });
  form.addEventListener('input', () => {
    for (const field of Object.values(fields)) field.setCustomValidity('');
  });
  return element(
    'div',
    {},
    element(
      'p',
      { className: 'note' },
      'Why did an interrupt arrive, or not? Name it by one of INTID, DeviceID and vINTID.',
    ),
    form,
    answer,
    picture,
  );
}
