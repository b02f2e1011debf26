// SQL functions that decode the GIC's words, from core's tables only. For arguments that make no sense they return NULL, as
// SQLite's own functions do, so that they never make a query fail.
import { commandText, fieldsText } from '@gictrace/core/disasm';
import {
  ALL_SYSREGS,
  type AnySysregName,
  anyIntidText,
  anySysregName,
  FRAMES,
  registerAt,
} from '@gictrace/core/spec';
import type Database from 'better-sqlite3';

const DIGITS_MAX = 16;

/** An SQL value as 64 bits, unsigned; undefined if it is not an integer. */
function whole(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return BigInt.asUintN(64, value);
  if (typeof value === 'number' && Number.isFinite(value))
    return BigInt.asUintN(64, BigInt(Math.trunc(value)));
  if (typeof value === 'string' && /^(0x[0-9a-f]+|[0-9]+)$/i.test(value))
    return BigInt.asUintN(64, BigInt(value));
  return undefined;
}

/** The same as two words, low word first. */
function pair(value: unknown): [number, number] | undefined {
  const bits = whole(value);
  return bits === undefined ? undefined : [Number(bits & 0xffff_ffffn), Number(bits >> 32n)];
}

function hex(value: unknown, digits: unknown = 1): string | null {
  const bits = whole(value);
  const least = whole(digits);
  if (bits === undefined || least === undefined) return null;
  return `0x${bits.toString(16).padStart(Math.min(Number(least), DIGITS_MAX), '0')}`;
}

function place(frame: unknown, offset: unknown) {
  const name = FRAMES.find((known) => known === frame);
  const at = whole(offset);
  return name === undefined || at === undefined ? undefined : registerAt(name, Number(at));
}

interface SqlFunction {
  /** How many arguments it takes. */
  readonly parameters: readonly number[];
  /** Takes integers as bigints, text, null. */
  readonly result: (...args: readonly unknown[]) => string | null;
}

/** The functions by name. They are registered with SQLite here and with DuckDB in dataset/duckdb.ts. */
export const SQL_FUNCTIONS: Readonly<Record<string, SqlFunction>> = {
  gic_hex: { parameters: [1, 2], result: (value, digits) => hex(value, digits) },
  gic_register: { parameters: [2], result: (frame, offset) => place(frame, offset)?.label ?? null },
  gic_decode: {
    parameters: [3],
    result: (frame, offset, value) => {
      const found = place(frame, offset);
      const words = pair(value);
      return found === undefined || words === undefined ? null : fieldsText(found.spec.fields, ...words);
    },
  },
  gic_intid: {
    parameters: [1],
    result: (intid) => {
      const number = whole(intid);
      return number === undefined || number > 0xffff_ffffn ? null : anyIntidText(Number(number));
    },
  },
  gic_sysreg: {
    parameters: [1],
    result: (encoding) => {
      const number = whole(encoding);
      return number === undefined ? null : (anySysregName(Number(number)) ?? null);
    },
  },
  gic_sysreg_decode: {
    parameters: [2],
    result: (name, value) => {
      const words = pair(value);
      if (typeof name !== 'string' || !Object.hasOwn(ALL_SYSREGS, name) || words === undefined) return null;
      return fieldsText(ALL_SYSREGS[name as AnySysregName].fields, ...words);
    },
  },
  gic_command: {
    parameters: [4],
    result: (...dws) => {
      const all = dws.map(pair);
      return all.includes(undefined)
        ? null
        : commandText(Uint32Array.from(all.flatMap((words) => words ?? [])));
    },
  },
};

/** Registers the functions with a connection of SQLite. */
export function addFunctions(db: Database.Database): void {
  // better-sqlite3 takes the number of arguments from the function's length.
  const withLength = ({ result }: SqlFunction, length: number) =>
    [
      () => result(),
      (a: unknown) => result(a),
      (a: unknown, b: unknown) => result(a, b),
      (a: unknown, b: unknown, c: unknown) => result(a, b, c),
      (a: unknown, b: unknown, c: unknown, d: unknown) => result(a, b, c, d),
    ][length]!;
  for (const [name, one] of Object.entries(SQL_FUNCTIONS))
    for (const n of one.parameters) db.function(name, { deterministic: true }, withLength(one, n));
}
