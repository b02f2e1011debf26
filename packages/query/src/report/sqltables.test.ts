// SQL over a report: which texts are several statements, and what an answer may lack.
import { describe, expect, it } from 'vitest';
import type { Model } from '../../page/model.js';
import { isSeveral, leftOutOf } from '../../page/sqltables.js';

it.each([
  ['SELECT 1', false],
  ['SELECT 1;', false],
  ['SELECT 1 ; \n; ', false],
  ['SELECT \';x\', ";y", `;z`, [;w]', false],
  ["SELECT 'it''s; one'", false],
  ['SELECT 1 -- ; 2\n', false],
  ['SELECT /* ; */ 1; /* done */ -- yes', false],
  ['SELECT 1; SELECT 2', true],
  ['SELECT 1;/* */DELETE FROM x', true],
  ["SELECT '; --'; SELECT 2", true],
  ["SELECT 1; 'x'", true],
])('%o has several statements: %s', (sql, several) => expect(isSeveral(sql)).toBe(several));

describe('what an answer may lack', () => {
  const model = (window: readonly [number, number] | null, leftOut: Record<string, number>) =>
    ({ facts: { window, leftOut } }) as unknown as Model;

  it.each([
    ['SELECT * FROM interrupts', ['without 3 rows of interrupts and vinterrupts']],
    ['SELECT * FROM VInterrupts', ['without 3 rows of interrupts and vinterrupts']],
    ['SELECT * FROM sysregs', ['without 1,000 rows of mmio and sysregs']],
    ['SELECT * FROM msis', []],
  ])('%s', (sql, wanted) => {
    expect(leftOutOf([model(null, { lives: 3, accesses: 1000 })], sql)).toEqual(wanted);
  });

  it('of which trace', () => {
    expect(leftOutOf([model(null, {}), model([0, 20], { msis: 2 })], 'SELECT * FROM msis')).toEqual([
      'only records 0 to 19 of trace 2',
      'without 2 rows of msis of trace 2',
    ]);
  });
});
