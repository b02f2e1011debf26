// Formats numbers for the reader, in the same way in every locale.

/** @param {number} n */
export function grouped(n) {
  return `${n}`.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** @param {number} n */
export function hex(n) {
  return `0x${n.toString(16)}`;
}

/**
 * A duration of nanoseconds in a unit that fits, with all the digits in the source.
 * @param {number | null} ns
 */
export function duration(ns) {
  if (ns === null || Number.isNaN(ns)) return 'unknown';
  const size = Math.abs(ns);
  const [unit, of] =
    size >= 1e9 ? ['s', 1e9] : size >= 1e6 ? ['ms', 1e6] : size >= 1e3 ? ['µs', 1e3] : ['ns', 1];
  const digits = of === 1 ? 0 : size / of >= 100 ? 1 : size / of >= 10 ? 2 : 3;
  const text = (ns / of).toFixed(digits);
  return `${text.includes('.') ? text.replace(/\.?0+$/, '') : text} ${unit}`;
}

/**
 * A time since the trace began.
 * @param {number} ns
 */
export function instant(ns) {
  const whole = Math.round(Math.abs(ns));
  const seconds = Math.floor(whole / 1e9);
  const rest = String(whole - seconds * 1e9)
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '');
  return `${ns < 0 ? '-' : ''}${seconds}.${rest} s`;
}

/**
 * Round values between `from` and `to`, at most `most` of them, and the step between them.
 * @param {number} from
 * @param {number} to
 * @param {number} most
 * @returns {{ step: number, at: number[] }}
 */
export function ticks(from, to, most) {
  const least = Math.max((to - from) / Math.max(1, most), 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = ([1, 2, 5, 10].find((m) => m * power >= least) ?? 10) * power;
  const at = [];
  for (let k = Math.ceil(from / step); k * step <= to; k++) at.push(k * step);
  return { step, at };
}

/**
 * A value on a time axis, as precise as the step between ticks requires.
 * @param {number} ns
 * @param {number} step
 */
export function tickTime(ns, step) {
  const [unit, of] =
    step >= 1e7 ? ['s', 1e9] : step >= 1e4 ? ['ms', 1e6] : step >= 100 ? ['µs', 1e3] : ['ns', 1];
  const digits = Math.max(0, Math.ceil(Math.log10(of / step) - 1e-9));
  const [whole, part] = (ns / of).toFixed(of === 1 ? 0 : digits).split('.');
  return `${grouped(Number(whole))}${part === undefined ? '' : `.${part}`} ${unit}`;
}
