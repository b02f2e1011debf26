// An answer as a graph: the way of the interrupt from stage to stage, and the records that decided, as DOT or Mermaid.
import type { Answer, Step } from './question.ts';

export const GRAPH_FORMATS = ['mermaid', 'dot'] as const;
export type GraphFormat = (typeof GRAPH_FORMATS)[number];

interface Node {
  readonly id: string;
  readonly lines: readonly string[];
  readonly state: Step['state'] | 'cause' | 'subject';
}

const COLOURS: Readonly<Record<Node['state'], string>> = {
  subject: '#ffffff',
  passed: '#d9f2d9',
  open: '#d9f2d9',
  blocked: '#f7c6c5',
  'not reached': '#eeeeee',
  'not in the source': '#fff2cc',
  cause: '#f2a09e',
};

/** The answer as a graph in the language of Graphviz or of Mermaid. */
export function answerGraph(answer: Answer, format: GraphFormat): string {
  const { finding, way } = answer;
  const nodes: Node[] = [{ id: 'subject', lines: [answer.subject], state: 'subject' }];
  const edges: [string, string, string][] = [];
  for (const [k, { stage, state, at, text }] of way.entries()) {
    nodes.push({
      id: `s${k}`,
      lines: [stage, text, at === null ? '' : `record ${at.record}`].filter(Boolean),
      state,
    });
    edges.push([k === 0 ? 'subject' : `s${k - 1}`, `s${k}`, '']);
  }
  if (finding !== null) {
    const { cause, why } = finding;
    const lines = cause === null ? [why] : [`record ${cause.record}`, cause.text, why];
    nodes.push({ id: 'cause', lines, state: 'cause' });
    const blocked = way.findLastIndex(({ state }) => state === 'blocked');
    edges.push(['cause', blocked < 0 ? 'subject' : `s${blocked}`, finding.reason]);
  }
  return format === 'dot' ? dot(nodes, edges) : mermaid(nodes, edges);
}

function dot(nodes: readonly Node[], edges: readonly (readonly [string, string, string])[]): string {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const label = (lines: readonly string[]) => quoted(lines.join('\n')).replaceAll('\n', '\\n');
  return [
    'digraph why {',
    '  node [shape=box style=filled fontname="sans-serif"];',
    ...nodes.map(({ id, lines, state }) => `  ${id} [label=${label(lines)} fillcolor="${COLOURS[state]}"];`),
    ...edges.map(([from, to, text]) => `  ${from} -> ${to}${text === '' ? '' : ` [label=${quoted(text)}]`};`),
    '}',
  ].join('\n');
}

function mermaid(nodes: readonly Node[], edges: readonly (readonly [string, string, string])[]): string {
  const quoted = (text: string) =>
    `"${text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}"`;
  const label = (lines: readonly string[]) => quoted(lines.join('\n')).replaceAll('\n', '<br>');
  return [
    'flowchart TD',
    ...nodes.map(({ id, lines }) => `  ${id}[${label(lines)}]`),
    ...edges.map(([from, to, text]) => `  ${from} -->${text === '' ? '' : `|${quoted(text)}|`} ${to}`),
    ...nodes.map(({ id, state }) => `  style ${id} fill:${COLOURS[state]}`),
  ].join('\n');
}
