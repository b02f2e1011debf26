// SQL functions that decode the GIC's words, from core's tables only. For arguments that make no sense they return NULL, as
// SQLite's own functions do, so that they never make a query fail.
import { commandText, fieldsText } from '@gictrace/core/disasm';
import { FRAMES, registerAt, SYSREGS, type SysregName, sysregName } from '@gictrace/core/spec';
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

/** Registers the functions with a connection. */
export function addFunctions(db: Database.Database): void {
  const options = { deterministic: true } as const;
  db.function('gic_hex', options, (value: unknown) => hex(value));
  db.function('gic_hex', options, (value: unknown, digits: unknown) => hex(value, digits));
  db.function(
    'gic_register',
    options,
    (frame: unknown, offset: unknown) => place(frame, offset)?.label ?? null,
  );
  db.function('gic_decode', options, (frame: unknown, offset: unknown, value: unknown) => {
    const found = place(frame, offset);
    const words = pair(value);
    return found === undefined || words === undefined ? null : fieldsText(found.spec.fields, ...words);
  });
  db.function('gic_sysreg', options, (encoding: unknown) => {
    const number = whole(encoding);
    return number === undefined ? null : (sysregName(Number(number)) ?? null);
  });
  db.function('gic_sysreg_decode', options, (name: unknown, value: unknown) => {
    const words = pair(value);
    if (typeof name !== 'string' || !Object.hasOwn(SYSREGS, name) || words === undefined) return null;
    return fieldsText(SYSREGS[name as SysregName].fields, ...words);
  });
  db.function('gic_command', options, (dw0: unknown, dw1: unknown, dw2: unknown, dw3: unknown) => {
    const all = [dw0, dw1, dw2, dw3].map(pair);
    return all.includes(undefined)
      ? null
      : commandText(Uint32Array.from(all.flatMap((words) => words ?? [])));
  });
}
