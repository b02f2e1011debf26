// The classes of differences, declared once: the summary counts them, rules name them and the database stores them.

export const CLASSES = {
  same: 'the same in both, in the same order',
  deleted: 'only in A',
  inserted: 'only in B',
  changed: 'in both at the same place, with another content',
  'reordered-legal': 'in both, at another place among records with which it commutes',
  'reordered-illegal': 'in both, on the other side of a record on which it depends',
  timing: 'the same in both, but later or earlier than the record before it makes it',
  unknown: 'the same as far as both sources show it; one shows less than the other',
} as const;
export type DiffClass = keyof typeof CLASSES;
export const CLASS_NAMES = Object.keys(CLASSES) as DiffClass[];
/** The number of a class, as typed arrays store it. */
export const classNumber = (name: DiffClass): number => CLASS_NAMES.indexOf(name);

/** Classes that are not a difference of behaviour, so they do not make two traces differ. */
export const NO_DIFFERENCE: ReadonlySet<DiffClass> = new Set(['same', 'unknown']);

/** Classes that `--ignore` can name. */
export const IGNORABLE = ['timing', 'reordered-legal'] as const satisfies readonly DiffClass[];
export type Ignorable = (typeof IGNORABLE)[number];
