// Names and colours of the classes of interrupts and of differences.
import { NONE } from './data.js';

export const CLASSES = ['SGI', 'PPI', 'SPI', 'LPI', 'extended PPI', 'extended SPI', 'virtual'];
export const VIRTUAL = 6;

/** The class of each type of a GICv5, which an INTID of it has in bits 31:29. @type {Readonly<Record<number, number>>} */
const GICV5_CLASSES = { 1: 1, 2: 3, 3: 2 };
const TYPE_LSB = 29;

/** @param {number} intid */
export function classOf(intid) {
  if (intid >>> TYPE_LSB !== 0) return GICV5_CLASSES[intid >>> TYPE_LSB] ?? 0;
  if (intid < 16) return 0;
  if (intid < 32) return 1;
  if (intid >= 8192) return 3;
  if (intid >= 4096) return 5;
  return intid >= 1056 ? 4 : 2;
}

/** The number of an interrupt in its class: the ID on a GICv5. @param {number} intid */
export const idOf = (intid) => (intid >>> TYPE_LSB === 0 ? intid : intid & 0xff_ffff);

/** An INTID as it is printed. @param {number} intid */
export const intidText = (intid) =>
  intid >>> TYPE_LSB === 0 ? `${intid}` : `${CLASSES[classOf(intid)]} ${idOf(intid)}`;

/** @param {number} n */
export const known = (n) => (n === NONE ? 'unknown' : `${n}`);

/** Names of the classes of differences by number; {@link nameDifferences} sets them. @type {string[]} */
let DIFF_CLASSES = [];
/** @param {readonly string[]} names */
export function nameDifferences(names) {
  DIFF_CLASSES = [...names];
}
/** @param {number} n */
export const differenceName = (n) => DIFF_CLASSES[n];

/** Colours of the classes of differences. @type {Readonly<Record<string, string>>} */
const DIFF_COLOURS = {
  deleted: 'bad',
  inserted: 'good',
  changed: 'class-0',
  'reordered-legal': 'muted',
  'reordered-illegal': 'class-6',
  timing: 'warn',
};
/** @param {string} name */
export const differenceColour = (name) => DIFF_COLOURS[name] ?? 'ground';
