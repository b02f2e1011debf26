// Values that have broken programs before.
import type { Random } from './random.ts';

export const NUMBERS: readonly number[] = [
  ...[
    0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 513, 1019, 1020, 1023, 1024, 4095,
    4096,
  ],
  ...[
    8191, 8192, 8193, 16_383, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe,
    0xffff_ffff,
  ],
];
const WIDE = [
  2 ** 32,
  2 ** 40,
  2 ** 48,
  2 ** 51,
  2 ** 52 - 1,
  2 ** 52,
  2 ** 53,
  1e300,
  -1,
  -0,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];
export const TEXTS = [
  ...[
    '',
    '\0',
    '\u202e',
    '</script><script>alert(1)</script>',
    '$(touch pwned)',
    '; rm -rf x',
    '../../../../tmp/x',
  ],
  ...[
    '\x1b[2J\x1b]0;title\x07',
    'A'.repeat(70_000),
    '__proto__',
    'constructor',
    'toString',
    '\ud800',
    '\n\n',
    '\r',
  ],
  ...['architecture', 'kvm', 'qemu-virt', 'hyperv', 'gic-600', 'gic-700', 'mid-life', 'simulator@x'],
];

export function number(random: Random): number {
  return random.chance(0.7) ? random.pick(NUMBERS) : random.word();
}

/** Another value in place of one, often of the same type. */
export function instead(old: unknown, random: Random): unknown {
  if (typeof old === 'number' && random.chance(0.75)) return number(random);
  if (typeof old === 'string' && /^0x/.test(old) && random.chance(0.8))
    return `0x${Array.from({ length: 1 + random.below(16) }, () => random.pick([...'0123456789abcdefffff'])).join('')}`;
  if (typeof old === 'string' && random.chance(0.8)) return random.pick(TEXTS);
  const nest = (depth: number): unknown => (depth === 0 ? 0 : [nest(depth - 1)]);
  return random.pick<unknown>([
    ...[null, true, random.pick(WIDE), random.pick(TEXTS), [], {}, nest(30), new Uint8Array(10)],
    ...[[number(random)], Array(1000).fill(0)],
  ]);
}

/** The paths to all members of a value. */
export function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    [...path, key],
    ...pathsOf(member, [...path, key]),
  ]);
}

/** Replaces one member of a value. Returns what was done. */
export function spoil(value: object, random: Random): string {
  const paths = pathsOf(value);
  if (paths.length === 0) return 'nothing';
  const path = random.pick(paths);
  let at = value as { [key: string]: unknown };
  for (const key of path.slice(0, -1)) at = at[key] as { [key: string]: unknown };
  const key = path.at(-1)!;
  if (random.chance(0.1)) delete at[key];
  else at[key] = instead(at[key], random);
  return path.join('.');
}
