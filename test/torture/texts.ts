// Texts that are changed: logs by number, line and order; JSON and YAML also by member, so that what is read is still a
// document; and parts of logs.
import { parse, stringify } from 'yaml';
import type { Random } from './random.ts';
import { number, spoil } from './values.ts';

const BIG = ['0', '1', '511', '512', '1023', '8192', '4294967295', '18446744073709551616', '9007199254740'];
const WIDE = ['0x0', '0xffff', '0xffffffff', '0xffffffffffffffff', '0x10000000000000000'];
/** Lines of a log that are kept, so that thousands of logs can be tried. */
const HEAD_MAX = 300;
const LINES_MAX = 1000;
/** Texts that YAML gives a meaning, or that have broken readers of YAML. */
const YAML = [
  '&a [*a]',
  '*nobody',
  '!!binary aGVsbG8=',
  '!!js/function "x"',
  '{<<: {}}',
  '"\\x1b[2J"',
  '.inf',
  '0x1_0000',
  '2026-11-30',
  '~',
  '? [1]',
  '[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]',
];

/** Changes a text by number, line and order. */
export function mutateText(text: string, random: Random): string {
  const lines = text.split('\n');
  const share = random.pick([0.002, 0.02, 0.1]);
  const out = lines.map((line) => {
    if (!random.chance(share)) return line;
    return line.replace(/0x[0-9a-f]+|\b\d+\b/g, (digits) => {
      if (random.chance(0.6)) return digits;
      if (!digits.startsWith('0x')) return random.pick([...BIG, `${random.word()}`]);
      return random.pick([
        random.pick(WIDE),
        `0x${random.word().toString(16)}`,
        `0x${number(random).toString(16)}`,
      ]);
    });
  });
  for (let n = random.below(4); n > 0; n--) {
    const i = random.below(out.length);
    const j = random.below(out.length);
    const how = random.pick(['swap', 'drop', 'double', 'join', 'cut', 'bytes'] as const);
    if (how === 'swap') [out[i], out[j]] = [out[j]!, out[i]!];
    else if (how === 'drop' && out.length > 30) out.splice(i, 1 + random.below(20));
    else if (how === 'double') out.splice(j, 0, ...out.slice(i, i + 20));
    else if (how === 'join') out[i] = `${out[i]!.slice(0, random.below(40))}${out[j]!}`;
    else if (how === 'cut') out[i] = out[i]!.slice(0, random.below(out[i]!.length + 1));
    else out[i] = `${out[i]!.slice(0, 20)}\x00\x1b[2J\u00ff${out[i]!.slice(20)}`;
  }
  return out.join('\n');
}

/** A part of a log: as a rule its beginning, which says what there is, and a stretch of it. */
export function partOf(text: string, random: Random): string {
  const lines = text.split('\n');
  const count = 10 + random.below(LINES_MAX);
  if (lines.length <= count || random.chance(0.05)) return text;
  const from = random.below(lines.length - count);
  const head = random.chance(0.7) ? Math.min(from, random.below(HEAD_MAX)) : 0;
  return [...lines.slice(0, head), ...lines.slice(from, from + count)].join('\n');
}

/** Changes members of the values of JSON lines, and sometimes the text as well. */
export function mutateJsonLines(text: string, random: Random): string {
  const lines = text.split('\n');
  for (let n = 1 + random.below(8); n > 0; n--) {
    const i = random.chance(0.2) ? 0 : random.below(lines.length);
    try {
      const value = JSON.parse(lines[i]!) as object;
      spoil(value, random);
      lines[i] = JSON.stringify(value);
    } catch {
      // The empty line at the end, or one that is no object any more.
    }
  }
  const out = lines.join('\n');
  return random.chance(0.3) ? mutateText(out, random) : out;
}

/** Changes members of a YAML document, or its text. */
export function mutateYaml(text: string, random: Random): string {
  if (random.chance(0.3)) return mutateText(text, random);
  try {
    const value = parse(text) as object;
    for (let n = 1 + random.below(3); n > 0; n--) spoil(value, random);
    const out = stringify(value);
    if (random.chance(0.8)) return out;
    // A value of one line becomes something that YAML understands in its own way.
    const lines = out.split('\n');
    const i = random.below(lines.length);
    lines[i] = lines[i]!.replace(/: .*$|$/, `: ${random.pick(YAML)}`);
    return lines.join('\n');
  } catch {
    return mutateText(text, random);
  }
}
