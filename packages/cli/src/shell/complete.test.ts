// What Tab offers: the right names at the right places, spelled as they are, and nothing inside of text.
import { MODULES, VIEWS } from '@gictrace/query';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { complete, type Vocabulary } from './complete.ts';

const vocabulary: Vocabulary = {
  relations: [
    ...VIEWS.map(({ name, doc, columns }) => ({ name, doc, columns, kind: 'view' as const })),
    ...MODULES.map(({ name, doc, columns }) => ({ name, doc, columns, kind: 'module' as const })),
  ],
  functions: ['gic_hex', 'gic_decode'],
  tableFunctions: ['gic_state'],
  commands: { '.mode': ['table', 'json'], '.modules': [], '.columns': ['msis', 'mmio'], '.output': null },
  files: (prefix) => [`${prefix}.txt`],
};
const offers = (line: string, before = '', after = '') => complete(line, vocabulary, before, after)[0];

describe('offers', () => {
  test('views, modules and functions with rows behind FROM and JOIN, and names that WITH gives', () => {
    expect(offers('SELECT * FROM m')).toEqual([
      'mapping_differences',
      'mapping_history',
      'mappings',
      'mmio',
      'msis',
    ]);
    expect(offers('SELECT * FROM msis m JOIN str')).toEqual(['stranded']);
    expect(offers('SELECT * FROM msis m, interr')).toEqual(['interrupts']);
    expect(offers('SELECT * FROM gic_')).toEqual(['gic_state(']);
    expect(offers('WITH worst AS (SELECT 1) SELECT * FROM wor')).toEqual(['worst']);
    expect(offers('SELECT * FROM ')).toContain('latency_percentiles');
  });

  test('columns of the views of the statement, of an alias, and of views that follow', () => {
    expect(offers('SELECT * FROM msis WHERE Dev')).toEqual(['DeviceID']);
    expect(offers('SELECT i.lat', '', ' FROM interrupts AS i')).toEqual(['latency_ns']);
    expect(offers('WHERE m.ev', 'SELECT *\nFROM msis m\n')).toEqual(['EventID']);
    expect(offers('SELECT devi', '', ' FROM msis')).toEqual(['DeviceID']);
    expect(offers('SELECT msis.o FROM msis WHERE msis.o')).toEqual(['outcome']);
    expect(offers('SELECT * FROM interrupts WHERE ')).toEqual([
      ...Object.keys(VIEWS.find(({ name }) => name === 'interrupts')!.columns),
    ]);
  });

  test('keywords in the case in which they are typed, and functions', () => {
    expect(offers('sel')).toEqual(['select']);
    expect(offers('SEL')).toEqual(['SELECT']);
    expect(offers('SELECT gic_')).toEqual(['gic_decode(', 'gic_hex(']);
  });

  test('dot-commands and their arguments, but not behind a statement that has begun', () => {
    expect(offers('.mod')).toEqual(['.mode', '.modules']);
    expect(offers('.mode j')).toEqual(['json']);
    expect(offers('.columns m')).toEqual(['mmio', 'msis']);
    expect(offers('.output out')).toEqual(['out.txt']);
    expect(offers('.mod', 'SELECT 1\n')).toEqual([]);
  });

  test('nothing inside of strings and comments; anew behind a statement that has ended', () => {
    for (const line of ["SELECT 'sel", 'SELECT 1 -- sel', 'SELECT /* sel']) expect(offers(line)).toEqual([]);
    expect(offers('SELECT * FROM msis; SELECT De')).toEqual(['DESC']);
  });
});

test('a completion is what was typed and more, whatever is typed', () => {
  const word = fc.constantFrom(
    'SELECT',
    'from',
    'msis',
    'm',
    '.',
    ' ',
    ',',
    'i.',
    "'",
    '(',
    'gic_',
    ';',
    '\n',
    '.mode',
    'INT',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), fc.array(word, { maxLength: 4 }), (typed, before) => {
      const line = typed.join('').replaceAll('\n', ' ');
      const [candidates, replaced] = complete(line, vocabulary, `${before.join('')}\n`);
      expect(line.endsWith(replaced)).toBe(true);
      for (const one of candidates) expect(one.toLowerCase().startsWith(replaced.toLowerCase())).toBe(true);
    }),
    { numRuns: 500 },
  );
});
