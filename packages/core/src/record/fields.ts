// Fields that records have: how one is declared, and those that several kinds have.
import { type Identifier, SPURIOUS } from '../spec/index.ts';
import type { RecordField } from './shape.ts';
import { GROUPS } from './values.ts';

export const field = (
  name: string,
  type: RecordField['type'],
  doc: string,
  extra: Partial<RecordField> = {},
): RecordField => ({ name, type, doc, ...extra });
export const hex = { base: 'hex' } as const;
/** A field whose value names something. The value `none` names nothing; the value `all` stands for all of that sort. */
export const identifier = (
  identifies: Identifier,
  name: string,
  doc: string,
  extra: Partial<RecordField> = {},
): RecordField => field(name, 'u32', doc, { identifies, ...extra });

export const intid = identifier('INTID', 'INTID', 'interrupt identifier; 1023 if there is none', {
  none: SPURIOUS,
});
export const its = field('its', 'u32', 'index of the ITS, 0-based');
export const deviceId = identifier('DeviceID', 'DeviceID', 'DeviceID', hex);
export const eventId = identifier('EventID', 'EventID', 'EventID', hex);
export const valid = field('valid', 'bool', 'the Valid bit');
export const group = field('group', 'enum', 'interrupt group', { values: GROUPS });
export const priority = field('priority', 'u8', 'priority, 0 (highest) to 255 (idle)', hex);
export const vintid = identifier('vINTID', 'vINTID', 'virtual INTID');
export const doublewords: readonly RecordField[] = [
  field('dw0', 'u64', 'first doubleword of the command', hex),
  field('dw1', 'u64', 'second doubleword', hex),
  field('dw2', 'u64', 'third doubleword', hex),
  field('dw3', 'u64', 'fourth doubleword', hex),
];
