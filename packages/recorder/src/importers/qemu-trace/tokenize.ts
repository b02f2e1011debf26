// Turns bytes into lines and tokens: the host thread, the time, the event, its register name if it has one, and its
// numbers. Works on bytes in place, without a string or an object per line. Does not know what the lines mean.
import { LINE_KINDS, type LineKind } from './events.ts';

const NUMBERS_MAX = 12;
const names = Object.keys(LINE_KINDS);
const kinds: LineKind[] = names.map((name) => LINE_KINDS[name]!);

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
const byHash = new Map<number, number>();
names.forEach((name, index) => {
  byHash.set(hashOf(name), index);
});

const SPACE = 0x20;
const ZERO = 0x30;
const DOT = 0x2e;
const NINE = 0x39;
const DASH = 0x2d;

export interface Token {
  /** Host thread, or 0 if the line does not name one. */
  thread: number;
  /** Seconds since 1970, and microseconds, of the last line that had a time stamp. */
  seconds: number;
  micros: number;
  /** Whether the line has a time stamp. */
  stamped: boolean;
  kind: LineKind | undefined;
  /** Index of the event's name in `eventNames`, or -1. */
  event: number;
  /** Hash of the word, between the event's name and the first number, that starts with ICC, ICV or ICH; or 0. */
  register: number;
  /** Where that word is in `bytes`. */
  registerFrom: number;
  registerTo: number;
  /** How many numbers the line has; their low and high words are in `low` and `high`. */
  count: number;
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  bytes: Buffer;
  from: number;
  to: number;
  /** Where the event's name, the word after the time stamp, begins and ends. */
  nameFrom: number;
  nameTo: number;
}

export const eventNames: readonly string[] = names;

export function newToken(): Token {
  return {
    thread: 0,
    seconds: 0,
    micros: 0,
    stamped: false,
    kind: undefined,
    event: -1,
    register: 0,
    registerFrom: 0,
    registerTo: 0,
    count: 0,
    low: new Uint32Array(NUMBERS_MAX),
    high: new Uint32Array(NUMBERS_MAX),
    bytes: Buffer.alloc(0),
    from: 0,
    to: 0,
    nameFrom: 0,
    nameTo: 0,
  };
}

/** Tokenises the line `bytes[from, to)` into `token`. */
export function tokenize(bytes: Buffer, from: number, to: number, token: Token): void {
  token.bytes = bytes;
  token.from = from;
  token.to = to;
  token.kind = undefined;
  token.event = -1;
  token.register = 0;
  token.count = 0;
  token.stamped = false;
  token.thread = 0;
  let at = from;
  let c = bytes[at]!;
  if (c >= ZERO && c <= NINE)
    at = bytes[from + 4] === DASH ? dateStamp(bytes, from, to, token) : threadStamp(bytes, from, to, token);
  let hash = 0;
  token.nameFrom = at;
  while (at < to && (c = bytes[at]!) !== SPACE) {
    hash = (Math.imul(hash, 31) + c) | 0;
    at++;
  }
  token.nameTo = at;
  const event = byHash.get(hash);
  if (event === undefined) return;
  token.event = event;
  token.kind = kinds[event];
  scanNumbers(bytes, at, to, token);
}

/** Reads `TID@seconds.micros:`, which QEMU up to 10.1 prints. Returns where it ends. */
function threadStamp(bytes: Buffer, from: number, to: number, token: Token): number {
  let at = from;
  let c = 0;
  let thread = 0;
  while (at < to && (c = bytes[at]!) >= ZERO && c <= NINE) {
    thread = thread * 10 + (c - ZERO);
    at++;
  }
  if (c !== 0x40 || at >= to) return at;
  let seconds = 0;
  let micros = 0;
  at++;
  while (at < to && (c = bytes[at]!) >= ZERO && c <= NINE) {
    seconds = seconds * 10 + (c - ZERO);
    at++;
  }
  if (c !== 0x2e) return at;
  at++;
  while (at < to && (c = bytes[at]!) >= ZERO && c <= NINE) {
    micros = micros * 10 + (c - ZERO);
    at++;
  }
  if (c !== 0x3a) return at;
  token.stamped = true;
  token.thread = thread;
  token.seconds = seconds;
  token.micros = micros;
  return at + 1;
}

/** A date and a time of day in UTC, with digits in place of each 0: with microseconds, and as it is printed if they are 0. */
const DATE = Buffer.from('0000-00-00T00:00:00.000000Z ', 'latin1');
const WHOLE_SECOND = Buffer.from('0000-00-00T00:00:00Z ', 'latin1');
/** Where each of its numbers begins and ends. */
const [YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MICROS] = [
  [0, 4],
  [5, 7],
  [8, 10],
  [11, 13],
  [14, 16],
  [17, 19],
  [20, 26],
] as const;
/** Days before each month of a year that begins in March, so that a leap day is the last day of its year. */
const DAYS_BEFORE = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
/** Days from 1 March of the year 0 to 1 January 1970. */
const EPOCH_DAYS = 719_468;

function digits(bytes: Buffer, start: number, [from, to]: readonly [number, number]): number {
  let value = 0;
  for (let at = start + from; at < start + to; at++) value = value * 10 + (bytes[at]! - ZERO);
  return value;
}

/**
 * Reads `2026-11-29T09:38:07.484046Z `, which QEMU 10.2 and later print without the thread. GLib's g_date_time_format_iso8601
 * leaves microseconds out if there are none: `2026-11-29T09:38:07Z `. Returns where it ends, or `from` if it is not such a
 * date.
 */
function dateStamp(bytes: Buffer, from: number, to: number, token: Token): number {
  const form = bytes[from + SECOND[1]] === DOT ? DATE : WHOLE_SECOND;
  const end = from + form.length;
  if (end > to) return from;
  for (let k = 0; k < form.length; k++) {
    const c = bytes[from + k]!;
    if (form[k] === ZERO ? c < ZERO || c > NINE : c !== form[k]) return from;
  }
  const month = digits(bytes, from, MONTH);
  if (month < 1 || month > 12) return from;
  const year = digits(bytes, from, YEAR) - (month < 3 ? 1 : 0);
  const leaps = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  const day = year * 365 + leaps + DAYS_BEFORE[month - 1]! + digits(bytes, from, DAY) - 1 - EPOCH_DAYS;
  const minutes = (day * 24 + digits(bytes, from, HOUR)) * 60 + digits(bytes, from, MINUTE);
  token.stamped = true;
  token.seconds = minutes * 60 + digits(bytes, from, SECOND);
  token.micros = form === DATE ? digits(bytes, from, MICROS) : 0;
  return end;
}

/** Collects the numbers that begin a word, and the register's name. */
function scanNumbers(bytes: Buffer, start: number, to: number, token: Token): void {
  const { low, high } = token;
  let count = 0;
  let at = start;
  while (at < to) {
    // At a space: continue with the next word.
    at++;
    let c = bytes[at]!;
    if (at >= to) break;
    let negative = false;
    if (c === 0x2d) {
      negative = true;
      c = bytes[++at]!;
    }
    if (c >= ZERO && c <= NINE && count < NUMBERS_MAX) {
      let lo = 0;
      let hi = 0;
      if (c === ZERO && bytes[at + 1] === 0x78) {
        at += 2;
        for (; at < to; at++) {
          c = bytes[at]!;
          let digit: number;
          if (c >= ZERO && c <= NINE) digit = c - ZERO;
          else if (c >= 0x61 && c <= 0x66) digit = c - 0x57;
          else break;
          hi = (hi << 4) | (lo >>> 28);
          lo = (lo << 4) | digit;
        }
      } else {
        let value = 0;
        for (; at < to; at++) {
          c = bytes[at]!;
          if (c < ZERO || c > NINE) break;
          value = value * 10 + (c - ZERO);
        }
        if (negative) value = -value;
        lo = value | 0;
        hi = negative ? -1 : Math.floor(value / 2 ** 32);
      }
      low[count] = lo;
      high[count] = hi;
      count++;
    } else if (
      c === 0x49 &&
      bytes[at + 1] === 0x43 &&
      token.register === 0 &&
      (bytes[at + 2] === 0x43 || bytes[at + 2] === 0x56 || bytes[at + 2] === 0x48)
    ) {
      let hash = 0;
      token.registerFrom = at;
      for (; at < to && (c = bytes[at]!) !== SPACE; at++) hash = (Math.imul(hash, 31) + c) | 0;
      token.registerTo = at;
      token.register = hash === 0 ? 1 : hash;
    }
    while (at < to && bytes[at] !== SPACE) at++;
  }
  token.count = count;
}
