// Values from outside (a header, a configuration, a message of an adapter) against their schemas.
import * as z from 'zod/v4/core';
import en from 'zod/v4/locales/en.js';

/** Messages in English, which zod/mini does not have by itself, and no code that is compiled for one value. */
const CONTEXT = { error: en().localeError, jitless: true };

/** The value, or the first thing that is wrong with it and the keys that lead there. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly path: string; readonly message: string };

/** Holds a value against a schema of zod. */
export function checkedBy<T>(schema: z.$ZodType<T>, value: unknown): Checked<T> {
  const result = z.safeParse(schema, value, CONTEXT);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0]!;
  return { ok: false, path: issue.path.join('.'), message: issue.message };
}
