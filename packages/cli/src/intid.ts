// The INTID that an option names.
import { INTID_FORM, intidNamed } from '@gictrace/core/spec';
import { InvalidOption } from './context.ts';

/** The value of `--intid`. @throws InvalidOption for a text that names no INTID. */
export function intidOf(text: string): number {
  const intid = intidNamed(text);
  if (intid !== undefined) return intid;
  throw new InvalidOption(`--intid takes ${INTID_FORM}, not '${text}'`);
}
