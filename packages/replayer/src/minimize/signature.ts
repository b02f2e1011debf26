// What makes two divergences the same one: by this, one that is left after a reduction is recognised, and another bug is
// not taken for it.
import type { Divergence } from '@gictrace/core/record';

/** Words after which a number says what the record is about, and not a value. */
const NAMES = new Set([
  'INTID',
  'vINTID',
  'vLPI',
  'DeviceID',
  'EventID',
  'vPEID',
  'SPI',
  'PPI',
  'SGI',
  'LPI',
  'ICID',
]);
const NUMBER = /^\(?(0x[0-9a-f]+|\d+)[,.:;)]*$/i;
const SPECIAL_FIRST = 1020;
const SPECIAL_LAST = 1023;

/** How a record came about, and from where an access was, is said behind it. */
const withoutRemarks = (text: string) =>
  text.replace(/ \((inferred|assumed|unknown|[^()]*reserved|secure|EL3)[^()]*\)/g, '');

/**
 * A text without values. What a record is about (its PE, its register, its interrupt) is kept if `isExact`; otherwise
 * only whether there is an interrupt at all.
 */
export function shapeOf(text: string, isExact: boolean): string {
  const about = isExact ? [...text.matchAll(/\{[^}]*\b(INTID=\d+)/g)].map(([, name]) => name) : [];
  const plain = withoutRemarks(text)
    .replace(/^[+-]\S* /, '')
    .replace(/ ?\{[^}]*\}/g, '');
  let before = '';
  const words = plain.split(' ').map((word) => {
    const named = NAMES.has(before);
    before = word;
    if (NUMBER.test(word)) {
      const value = Number(word.replace(/[^0-9a-fx]/gi, ''));
      if (value >= SPECIAL_FIRST && value <= SPECIAL_LAST) return 'none';
      return named && isExact ? `${value}` : '#';
    }
    if (isExact) return word;
    // PE1, GICR[1], GICD_ISENABLER2: any PE, any element of the array.
    return word
      .replace(/^(PE|ITS)\d+/, '$1#')
      .replace(/\[[^\]]*\]/g, '[#]')
      .replace(/^(GIC[DRS]_\w*?)\d+(E?)$/, '$1#$2');
  });
  return [...words, ...about].join(' ');
}

/** The places at which two texts of the same form differ; empty if they are of different forms. */
function differences(a: string, b: string): string {
  const [x, y] = [a, b].map((text) =>
    withoutRemarks(text)
      .replace(/^[+-]\S* /, '')
      .split(' '),
  );
  if (x!.length !== y!.length) return '';
  return x!.flatMap((word, k) => (word === y![k] ? [] : [k])).join(',');
}

/** Equal for two divergences that are the same: of one kind, in one register or field, at the same sort of stimulus. */
export function signatureOf({ kind, recorded, replayed, stimulus }: Divergence, isExact: boolean): string {
  return [
    kind,
    shapeOf(recorded, isExact),
    shapeOf(replayed, isExact),
    differences(recorded, replayed),
    shapeOf(stimulus?.text ?? '', isExact),
  ].join('|');
}
