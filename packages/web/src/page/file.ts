// One file that was dropped: its thread, what it is, and its panels.
import type { Name, Questions } from '../worker/protocol.ts';
import type { ImportForm, Opened } from '../worker/session.ts';
import { button, element, grouped, tabs } from './dom.ts';
import { sqlPanel } from './sql.ts';
import type { Refusal, Thread } from './thread.ts';
import { whyPanel } from './why.ts';

/** Asks the file's thread; progress and refusals are shown. Undefined: it was refused. */
export type Asking = <N extends Name>(
  name: N,
  input: Questions[N]['in'],
) => Promise<Questions[N]['out'] | undefined>;

const FORMATS: Readonly<Record<Opened['format'], string>> = {
  qemu: 'QEMU log',
  gicv5: 'log of QEMU (GICv5)',
  ftrace: 'ftrace text',
  jsonl: 'JSON lines',
  trace: 'trace',
};

/** The name of a file without what says its format. */
const stem = (name: string) => name.replace(/\.(gz|xz|zst)$/, '').replace(/\.[^.]+$/, '');

/**
 * The section of a file, which fills as the file is read. `again` imports it anew, with the options that are then in
 * the form.
 */
export function fileSection(file: File, form: ImportForm, thread: Thread, again: () => void): HTMLElement {
  const status = element('p', { className: 'status', role: 'status' }, 'Opening…');
  const problem = element('p', { className: 'problem', role: 'alert', hidden: true });
  const summary = element('p', { className: 'note' });
  const body = element('div', {});
  const section = element('section', { className: 'file' }, summary, status, problem, body);

  const asking: Asking = async (name, input) => {
    problem.hidden = true;
    status.hidden = false;
    status.textContent = 'Working…';
    try {
      return await thread.ask(name, input, (done, unit) => {
        status.textContent = `${grouped(done)} ${unit}…`;
      });
    } catch (error) {
      const { message, isBug } = error as Refusal;
      problem.textContent = isBug ? `This is a fault of gictrace. Please report it.\n${message}` : message;
      problem.hidden = false;
      return undefined;
    } finally {
      status.hidden = true;
    }
  };

  const reportPanel = element('div', {});
  const showReport = async () => {
    const blob = await asking('report', null);
    if (blob === undefined) return;
    const url = URL.createObjectURL(blob);
    const frame = element('iframe', { title: `Report of ${file.name}`, src: url });
    const save = element('a', { href: url, download: `${stem(file.name)}.html` }, 'Save the report');
    reportPanel.replaceChildren(element('p', { className: 'note' }, save), frame);
  };

  void asking('open', { file, form }).then((opened) => {
    const repeat = button('Import again, with the options above', again);
    if (opened === undefined) {
      body.append(repeat);
      return;
    }
    const lines = opened.lines === null ? '' : ` from ${grouped(opened.lines)} lines`;
    summary.append(
      element('b', {}, FORMATS[opened.format]),
      `: ${grouped(opened.records)} records${lines}; ${opened.machine}`,
    );
    section.dataset.digest = opened.digest ?? '';
    const sql = sqlPanel(asking);
    const why = whyPanel(asking);
    const about = aboutPanel(file, opened, asking, repeat);
    const { bar, select } = tabs(`Views of ${file.name}`, [
      { title: 'Report', panel: reportPanel, first: () => void showReport() },
      { title: 'Why', panel: why },
      { title: 'SQL', panel: sql.panel, first: sql.first },
      { title: 'File', panel: about },
    ]);
    body.append(bar, reportPanel, why, sql.panel, about);
    select(0);
  });
  return section;
}

function aboutPanel(file: File, opened: Opened, asking: Asking, repeat: HTMLElement): HTMLElement {
  const { format, losses, digest } = opened;
  const facts = element('dl', {});
  const add = (name: string, value: string) =>
    facts.append(element('dt', {}, name), element('dd', {}, value));
  add('File', `${file.name}, ${grouped(file.size)} bytes`);
  if (digest !== null) add('Content digest', digest);
  for (const [what, count] of losses) add('Left out', `${grouped(count)}  ${what}`);
  const save = button('Save the trace', () => {
    void asking('file', null).then((blob) => {
      if (blob === undefined || blob === null) return;
      const url = URL.createObjectURL(blob);
      element('a', { href: url, download: `${stem(file.name)}.gictrace` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    });
  });
  return element('div', {}, facts, ...(format === 'trace' ? [] : [save, ' ', repeat]));
}
