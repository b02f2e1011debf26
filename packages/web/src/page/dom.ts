// Elements of the page. Text is always text: nothing that comes from a file becomes markup.

type Child = Node | string;
type Properties<Name extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[Name], 'style' | 'dataset' | 'children'>
> & { readonly role?: string };

/** An element with properties and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties<Name> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

/** A button. */
export function button(text: string, act: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button' }, text);
  made.addEventListener('click', act);
  return made;
}

/** A number with its thousands apart. */
export function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

export interface Tab {
  readonly title: string;
  readonly panel: HTMLElement;
  /** Called when the tab is shown for the first time. */
  readonly first?: () => void;
}

/** Tabs, with their panels, as the ARIA practices have them: arrows go from tab to tab. */
export function tabs(
  label: string,
  list: readonly Tab[],
): { readonly bar: HTMLElement; select(k: number): void } {
  const bar = element('div', { className: 'tabs', role: 'tablist', ariaLabel: label });
  const seen = new Set<number>();
  const heads = list.map(({ title, panel }, k) => {
    const head = button(title, () => select(k));
    head.role = 'tab';
    panel.role = 'tabpanel';
    panel.ariaLabel = title;
    head.addEventListener('keydown', ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: list.length - 1 }[key];
      if (step === undefined) return;
      const next = (k + step) % list.length;
      select(next);
      heads[next]!.focus();
    });
    bar.append(head);
    return head;
  });
  function select(wanted: number): void {
    for (const [k, head] of heads.entries()) {
      head.ariaSelected = String(k === wanted);
      head.tabIndex = k === wanted ? 0 : -1;
      list[k]!.panel.hidden = k !== wanted;
    }
    if (!seen.has(wanted)) {
      seen.add(wanted);
      list[wanted]!.first?.();
    }
  }
  return { bar, select };
}
