// Checks values from outside (a header, a configuration, a message of an adapter) against their schemas.
import * as z from 'zod/v4/core';
import en from 'zod/v4/locales/en.js';

/** English messages, which zod/mini does not have by default, and no JIT compilation, which does not pay for one value. */
const CONTEXT = { error: en().localeError, jitless: true };

/** The value, or the first error in it and the path of keys to that error. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly path: string; readonly message: string };

/** Checks a value against a zod schema. */
export function checkedBy<T>(schema: z.$ZodType<T>, value: unknown): Checked<T> {
  const result = z.safeParse(schema, value, CONTEXT);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0]!;
  return { ok: false, path: issue.path.join('.'), message: issue.message };
}
