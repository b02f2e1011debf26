// From bytes to lines to tokens: the host thread, the time, the event, its register name where it has one, and
// its numbers. Works on bytes in place: no string and no object a line. Knows nothing of what the lines mean.
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
const NINE = 0x39;

export interface Token {
  /** Host thread, or 0 where the line has no stamp. */
  thread: number;
  /** Microseconds; NaN where the line has no stamp. */
  seconds: number;
  micros: number;
  stamped: boolean;
  kind: LineKind | undefined;
  /** Index of the event's name in `eventNames`, or -1. */
  event: number;
  /** The text between the name and the first number's word that starts with ICC, ICV or ICH: hash, or 0. */
  register: number;
  /** Where that word is in `bytes`. */
  registerFrom: number;
  registerTo: number;
  /** Where the last word is: a memory region's name, in quotes. */
  count: number;
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  bytes: Buffer;
  from: number;
  to: number;
  /** Where the word after the time stamp ends: the event's name. */
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
  let at = from;
  token.bytes = bytes;
  token.from = from;
  token.to = to;
  token.kind = undefined;
  token.event = -1;
  token.register = 0;
  token.count = 0;
  token.stamped = false;
  token.thread = 0;
  // TID@seconds.micros:
  let c = bytes[at]!;
  if (c >= ZERO && c <= NINE) {
    let thread = 0;
    while (at < to && (c = bytes[at]!) >= ZERO && c <= NINE) {
      thread = thread * 10 + (c - ZERO);
      at++;
    }
    if (c === 0x40 && at < to) {
      let seconds = 0;
      let micros = 0;
      at++;
      while (at < to && (c = bytes[at]!) >= ZERO && c <= NINE) {
        seconds = seconds * 10 + (c - ZERO);
        at++;
      }
      if (c === 0x2e) {
        at++;
        while (at < to && (c = bytes[at]!) >= ZERO && c <= NINE) {
          micros = micros * 10 + (c - ZERO);
          at++;
        }
        if (c === 0x3a) {
          at++;
          token.stamped = true;
          token.thread = thread;
          token.seconds = seconds;
          token.micros = micros;
        }
      }
    }
  }
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

/** Collects the numbers that stand at the start of a word, and the register's name. */
function scanNumbers(bytes: Buffer, start: number, to: number, token: Token): void {
  const { low, high } = token;
  let count = 0;
  let at = start;
  while (at < to) {
    // At a space: look at the word behind it.
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
