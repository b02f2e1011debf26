// The page: files are dropped or chosen, and each gets a thread of its own. It makes no request; its policy forbids them.
import type { Modules } from '../worker/protocol.ts';
import { element, type Tab, tabs } from './dom.ts';
import { fileSection } from './file.ts';
import { importOptions } from './options.ts';
import { Thread } from './thread.ts';

/** The bytes of a part of the page: base64 of a deflated stream. */
async function part(id: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = document.getElementById(id)!.textContent!;
  const stored = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const stream = new Blob([stored]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const [worker, brotli, sqlite] = await Promise.all([part('worker'), part('brotli'), part('sqlite')]);
const workerUrl = URL.createObjectURL(new Blob([worker], { type: 'text/javascript' }));
const modules: Modules = { brotli, sqlite };

const drop = document.getElementById('drop')!;
const chooser = document.getElementById('chooser') as HTMLInputElement;
const files = document.getElementById('files')!;
const opened: Tab[] = [];
const options = importOptions();
document.getElementById('options')!.append(options.element);

/** A file with its thread. */
function panelOf(file: File): HTMLElement {
  const panel = element('div', {});
  let thread: Thread | undefined;
  const begin = () => {
    thread?.stop();
    thread = new Thread(workerUrl, modules);
    panel.replaceChildren(fileSection(file, options.read(), thread, begin));
  };
  begin();
  return panel;
}

/** Opens files, the last of which is shown. */
function open(list: Iterable<File>): void {
  for (const file of list) opened.push({ title: file.name, panel: panelOf(file) });
  if (opened.length === 0) return;
  document.body.classList.add('used');
  const { bar, select } = tabs('Files', opened);
  files.replaceChildren(
    ...(opened.length > 1 ? [bar] : [element('h2', {}, opened[0]!.title)]),
    ...opened.map(({ panel }) => panel),
  );
  select(opened.length - 1);
}

chooser.addEventListener('change', () => {
  open(chooser.files ?? []);
  chooser.value = '';
});
for (const name of ['dragenter', 'dragover', 'dragleave', 'drop'])
  addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', name === 'dragenter' || name === 'dragover');
  });
addEventListener('drop', (event) => open(event.dataTransfer?.files ?? []));
document.documentElement.dataset.ready = 'yes';
