// SQL functions that decode what the GIC's words mean. From core's tables only.
import { commandText, fieldsText, registerAt, SYSREGS, type SysregName, sysregName } from '@gictrace/core';
import type Database from 'better-sqlite3';

type Value = number | bigint | string | null;

function words(value: Value): [number, number] {
  const whole = BigInt.asUintN(
    64,
    typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value ?? 0))),
  );
  return [Number(whole & 0xffff_ffffn), Number(whole >> 32n)];
}

/** Registers the functions with a connection. */
export function addFunctions(db: Database.Database): void {
  const options = { deterministic: true } as const;
  const hex = (value: Value, digits: Value) => {
    if (value === null) return null;
    const [low, high] = words(value);
    return `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16).padStart(Number(digits ?? 1), '0')}`;
  };
  db.function('gic_hex', options, (value: unknown) => hex(value as Value, null));
  db.function('gic_hex', options, (value: unknown, digits: unknown) => hex(value as Value, digits as Value));
  db.function(
    'gic_register',
    options,
    (frame: unknown, offset: unknown) => place(frame, offset)?.label ?? null,
  );
  db.function('gic_decode', options, (frame: unknown, offset: unknown, value: unknown) => {
    const found = place(frame, offset);
    return found === undefined ? null : fieldsText(found.spec.fields, ...words(value as Value));
  });
  db.function('gic_sysreg', options, (encoding: unknown) => sysregName(Number(encoding)) ?? null);
  db.function('gic_sysreg_decode', options, (name: unknown, value: unknown) => {
    const spec = SYSREGS[String(name) as SysregName];
    return spec === undefined ? null : fieldsText(spec.fields, ...words(value as Value));
  });
  db.function('gic_command', options, (dw0: unknown, dw1: unknown, dw2: unknown, dw3: unknown) => {
    const all = [dw0, dw1, dw2, dw3].flatMap((dw) => words(dw as Value));
    return commandText(Uint32Array.from(all));
  });
}

function place(frame: unknown, offset: unknown) {
  const name = String(frame);
  if (name !== 'GICD' && name !== 'GICR' && name !== 'GITS') return undefined;
  return registerAt(name, Number(offset));
}
