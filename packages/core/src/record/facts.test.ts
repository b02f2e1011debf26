// What records are about, over every register, command and record kind that is declared: a declaration that names an
// INTID and does not say so fails here.
import { describe, expect, test } from 'vitest';
import {
  type CommandSpec,
  deposit,
  type FieldSpec,
  FRAMES,
  firstIntidOf,
  GICD,
  GICR,
  GITS,
  IDENTIFIERS,
  INTID_RANGES,
  ITS_COMMANDS,
  intidClass,
  isInterrupt,
  isPrivate,
  isSpecial,
  isSpi,
  type Naming,
  type RegisterSpec,
  SYSREGS,
  type SysregName,
  type SysregSpec,
} from '../spec/index.ts';
import {
  actOf,
  CLASS_IDS,
  classOf,
  deviceOf,
  eventOf,
  fieldOffsets,
  intidOf,
  isAbout,
  isEvent,
  isObservable,
  isOperation,
  isStimulus,
  isTableAccess,
  KIND,
  mentions,
  RECORD_FLAGS,
  RECORDS,
  RecordBatch,
  type RecordField,
  type RecordKind,
  type RecordName,
  recordName,
  takenOrEnded,
  UNPREDICTABLE,
  vpeOf,
} from './index.ts';

const kinds = Object.entries(RECORDS) as [RecordName, RecordKind][];
const sysregs = Object.entries(SYSREGS) as [SysregName, SysregSpec][];
const registers = [GICD, GICR, GITS].flatMap(
  (frame, index) =>
    Object.entries(frame).map(([name, spec]) => [index, name, spec]) as [number, string, RegisterSpec][],
);
const commands = Object.entries<CommandSpec>(ITS_COMMANDS);
/** A number that any field of 4 bits or more can hold in part, and that stands for something. */
const N = 0xa5c3;

/** One record; `fill` sets its words. */
function record(name: RecordName, words: readonly number[], flags = 0): [RecordBatch, number] {
  const batch = new RecordBatch(1);
  batch.push(KIND[name], 0, 0);
  batch.flags[0] = flags;
  batch.words.set(words);
  return [batch, 0];
}
/** A system-register access with a value whose bits from `lsb` are `value`. */
function sysreg(write: boolean, register: SysregName, value: number, lsb = 0, width = 24) {
  const made = record(write ? 'sysreg.write' : 'sysreg.read', [SYSREGS[register].encoding]);
  deposit(made[0].words, 1, 0, lsb, width, value);
  return made;
}
const access = (write: boolean, frame: number, offset: number, width: number, low: number, high = 0) =>
  record(write ? 'mmio.write' : 'mmio.read', [frame, 0, offset, width, low, high]);
const texts = ([batch, i]: [RecordBatch, number]) =>
  mentions(batch, i).map(
    ({ identifier, first, last }) => `${identifier} ${first === last ? first : `${first}-${last}`}`,
  );

describe('declarations', () => {
  const NAMES_INTID = /^(v|p)?INTID$|^vLPI$|doorbell|_pINTID$/i;
  const all: [string, readonly (Naming & { name: string; kind?: string })[]][] = [
    ...kinds.map(([name, { fields }]): [string, readonly RecordField[]] => [name, fields]),
    ...sysregs.map(([name, { fields }]): [string, readonly FieldSpec[]] => [name, fields]),
    ...registers.flatMap(([, name, { fields, views }]): [string, readonly FieldSpec[]][] =>
      [fields, ...Object.values(views ?? {})].map((layout) => [name, layout]),
    ),
    ...commands.map(([name, { operands }]): [string, CommandSpec['operands']] => [name, operands]),
  ];

  test('every field called INTID, DeviceID, EventID or vPEID says what it names, and no other field does', () => {
    const silent: string[] = [];
    const others = new Set<string>();
    for (const [name, fields] of all)
      for (const field of fields) {
        const isNamed =
          field.kind !== 'flag' &&
          (NAMES_INTID.test(field.name) || ['DeviceID', 'EventID', 'vPEID'].includes(field.name));
        if (isNamed && field.identifies === undefined) silent.push(`${name}.${field.name}`);
        if (!isNamed && field.identifies !== undefined) others.add(field.name);
      }
    expect(silent).toEqual([]);
    // Fields of operations, and the one that says different things by another field.
    expect([...others].sort()).toEqual(['by', 'detail', 'device', 'vpe']);
  });

  test('where another field decides, that field is there', () => {
    let conditional = 0;
    for (const [name, fields] of all)
      for (const { identifies, countedBy } of fields) {
        const needed = [typeof identifies === 'object' ? identifies.by : undefined, countedBy];
        for (const other of needed) {
          if (other === undefined) continue;
          conditional++;
          expect(
            fields.some((field) => field.name === other),
            `${name}: ${other}`,
          ).toBe(true);
        }
      }
    expect(conditional).toBeGreaterThan(5);
  });

  test('a virtual CPU interface names vINTIDs, the physical one INTIDs', () => {
    for (const [name, { fields, does }] of sysregs) {
      if (name.startsWith('ICH_')) continue;
      const named = fields.map((field) => field.identifies).filter(Boolean);
      expect(named, name).toEqual(does === undefined ? [] : [name.startsWith('ICV_') ? 'vINTID' : 'INTID']);
    }
  });
});

describe('classes', () => {
  test('every kind is of the class that its id says', () => {
    for (const [name, { id, class: of }] of kinds) {
      expect(classOf(id), name).toBe(of);
      expect([isStimulus(id), isOperation(id), isObservable(id), isEvent(id)], name).toEqual(
        (['stimulus', 'operation', 'observable', 'event'] as const).map((one) => one === of),
      );
    }
    expect(() => classOf(256)).toThrow(RangeError);
  });
  test('the ranges leave no gap', () => {
    const all = Object.values(CLASS_IDS);
    for (const [k, { first }] of all.slice(1).entries()) expect(first).toBe(all[k]!.last + 1);
    expect(all.at(-1)!.last).toBe(255);
  });
  test('KIND has each id by its name', () => {
    for (const [name, { id }] of kinds) expect(recordName(KIND[name])).toBe(recordName(id));
    expect(Object.keys(KIND).length).toBe(kinds.length);
  });
  test('table accesses', () => {
    expect(kinds.filter(([, { id }]) => isTableAccess(id)).map(([name]) => name)).toEqual(
      ['dte', 'cte', 'ite', 'vte'].flatMap((table) => [`${table}.read`, `${table}.write`]),
    );
  });
});

describe('INTIDs', () => {
  test('each is of one class, and the predicates agree with it', () => {
    const private_ = ['SGI', 'PPI', 'extended PPI'];
    for (const { first, last } of Object.values(INTID_RANGES))
      for (const intid of [first - 1, first, first + 1, last - 1, last, last + 1]) {
        if (intid < 0 || intid > 0xffff_ffff) continue;
        const of = intidClass(intid);
        expect(isPrivate(intid), `${intid}`).toBe(private_.includes(of));
        expect(isSpi(intid), `${intid}`).toBe(of === 'SPI' || of === 'extended SPI');
        expect(isSpecial(intid), `${intid}`).toBe(of === 'special');
        expect(isInterrupt(intid), `${intid}`).toBe(of !== 'special' && of !== 'reserved');
      }
    expect(
      [0, 16, 32, 1019, 1020, 1023, 1024, 1056, 1119, 1120, 4096, 5119, 5120, 8191, 8192].map(intidClass),
    ).toEqual([
      ...[
        'SGI',
        'PPI',
        'SPI',
        'SPI',
        'special',
        'special',
        'reserved',
        'extended PPI',
        'extended PPI',
        'reserved',
      ],
      ...['extended SPI', 'extended SPI', 'reserved', 'reserved', 'LPI'],
    ]);
    expect(isInterrupt(-1)).toBe(false);
  });
});

describe('system registers', () => {
  const EXPECTED = {
    acknowledge: /^IC[CV]_(IAR[01]|NMIAR1)_EL1$/,
    show: /^IC[CV]_HPPIR[01]_EL1$/,
    end: /^IC[CV]_EOIR[01]_EL1$/,
    deactivate: /^IC[CV]_DIR_EL1$/,
    generate: /^ICC_A?SGI[01]R_EL1$/,
  } as const;

  test('every register: what it does, by the direction in which it can be accessed', () => {
    for (const [name, { access: way }] of sysregs)
      for (const write of [false, true]) {
        const wanted = Object.entries(EXPECTED).find(([, pattern]) => pattern.test(name))?.[0];
        const act = actOf(...sysreg(write, name, 40));
        const isPossible = wanted !== undefined && (way === 'WO') === write;
        expect(act?.does, `${name} ${write}`).toBe(isPossible ? wanted : undefined);
        if (act === undefined) continue;
        expect(act.isVirtual, name).toBe(name.startsWith('ICV_'));
        expect(act.register).toBe(name);
        expect(act.group, name).toBe(
          /DIR/.test(name) && !/HPPIR/.test(name) ? undefined : /0R?_EL1$/.test(name) ? 0 : 1,
        );
      }
  });

  test('every register that carries an INTID names it; no other names any', () => {
    let walked = 0;
    for (const [name, { access: way, fields }] of sysregs)
      for (const write of [false, true]) {
        const field = fields.find((one) => one.name === 'INTID');
        const isPossible = field !== undefined && (way === 'WO') === write;
        const value = field === undefined ? N : N % 2 ** field.width;
        const made = sysreg(write, name, value, field?.lsb ?? 0, field?.width ?? 16);
        const space = name.startsWith('ICV_') ? 'vINTID' : 'INTID';
        if (/^ICH_LR/.test(name)) {
          expect(texts(made), name).toEqual([`vINTID ${N}`]);
          continue;
        }
        expect(texts(made), `${name} ${write}`).toEqual(isPossible ? [`${space} ${value}`] : []);
        if (!isPossible) continue;
        walked++;
        expect(intidOf(...made)).toBe(value);
        expect(isAbout(...made, space, value)).toBe(true);
        expect(isAbout(...made, space, value ^ 1)).toBe(false);
        expect(isAbout(...made, space === 'INTID' ? 'vINTID' : 'INTID', value)).toBe(false);
        made[0].flags[0] = RECORD_FLAGS.valueUnknown;
        expect(texts(made)).toEqual([]);
        expect(intidOf(...made)).toBe(-1);
      }
    // Eight of each interface (IAR, EOIR, HPPIR twice, NMIAR1, DIR), and three that generate SGIs.
    expect(walked).toBe(8 * 2 + 3);
  });

  test('what a physical interface took or ended', () => {
    for (const [name] of sysregs)
      for (const write of [false, true]) {
        const made = sysreg(write, name, 0xff_2001, 0);
        const counts = write ? /^ICC_EOIR[01]/.test(name) : /^ICC_(IAR[01]|NMIAR1)/.test(name);
        expect(takenOrEnded(...made), `${name} ${write}`).toBe(counts ? 0xff_2001 : -1);
        made[0].flags[0] = RECORD_FLAGS.valueUnknown;
        expect(takenOrEnded(...made)).toBe(-1);
      }
    expect(takenOrEnded(...sysreg(false, 'ICC_IAR1_EL1', 1023))).toBe(1023);
    // RES0 above bit 23, in what software writes back.
    expect(takenOrEnded(...sysreg(true, 'ICC_EOIR1_EL1', 0x100_0028, 0, 32))).toBe(40);
    expect(takenOrEnded(...record('irq.acknowledged', [40]))).toBe(-1);
  });

  test('list registers: the virtual interrupt, and with HW the physical one', () => {
    const lr = (low: number, high: number) =>
      texts(record('sysreg.write', [SYSREGS.ICH_LR3_EL2.encoding, low, high]));
    expect(lr(27, (1 << 31) >>> 0)).toEqual(['vINTID 27']);
    expect(lr(27, ((3 << 29) | 30) >>> 0)).toEqual(['vINTID 27', 'INTID 30']);
    expect(lr(0, 0)).toEqual([]);
    // Virtual SGI 0 is an interrupt.
    expect(lr(0, 1 << 28)).toEqual(['vINTID 0']);
  });
});

describe('memory-mapped registers', () => {
  test('every register that carries an INTID in its value names it', () => {
    const found: string[] = [];
    for (const [frame, name, spec] of registers) {
      if (spec.bitsPerIntid !== undefined) continue;
      const field = spec.fields.find((one) => /^[pv]?INTID$/.test(one.name));
      if (field === undefined) continue;
      found.push(name);
      const value = N % 2 ** field.width;
      const made = access(true, frame, spec.offset, spec.bytes, value);
      expect(texts(made)[0], name).toBe(`${field.name === 'vINTID' ? 'vINTID' : 'INTID'} ${value}`);
      expect(intidOf(...made)).toBe(value);
      // What cannot be read names nothing when it is read; nor does an access that was reserved.
      expect(texts(access(false, frame, spec.offset, spec.bytes, value)), name).toEqual([]);
      made[0].flags[0] = RECORD_FLAGS.reserved;
      expect(texts(made)).toEqual([]);
    }
    expect(found).toEqual([
      ...['GICD_SETSPI_NSR', 'GICD_CLRSPI_NSR', 'GICD_SETSPI_SR', 'GICD_CLRSPI_SR', 'GICD_SGIR'],
      ...['GICR_SETLPIR', 'GICR_CLRLPIR', 'GICR_INVLPIR', 'GITS_SGIR'],
    ]);
  });

  test('every register array over INTIDs concerns exactly those of each element', () => {
    let arrays = 0;
    for (const [frame, name, spec] of registers) {
      const bits = spec.bitsPerIntid;
      if (bits === undefined) continue;
      arrays++;
      for (let element = 0; element < (spec.count ?? 1); element++) {
        const first = firstIntidOf(spec, element)!;
        const last = first + (8 * spec.bytes) / bits - 1;
        const at = spec.offset + element * spec.bytes;
        const range = `INTID ${first === last ? first : `${first}-${last}`}`;
        const place = `${name} ${element}`;
        expect(texts(access(false, frame, at, spec.bytes, 0)), place).toEqual([range]);
        const none = access(true, frame, at, spec.bytes, 0);
        expect(texts(none), place).toEqual(spec.writesOnes ? [] : [range]);
        if (!spec.writesOnes) continue;
        expect(texts(access(true, frame, at, 4, 0xffff_ffff)), place).toEqual([range]);
        expect(texts(access(true, frame, at, 4, 0x8000_0106)), place).toEqual(
          [`${first + 1}-${first + 2}`, first + 8, first + 31].map((one) => `INTID ${one}`),
        );
        none[0].flags[0] = RECORD_FLAGS.valueUnknown;
        expect(texts(none), place).toEqual([range]);
      }
    }
    expect(arrays).toBeGreaterThan(35);
  });

  test('every register array is over INTIDs, except these', () => {
    const others = registers.filter(
      ([, , spec]) => spec.count !== undefined && spec.bitsPerIntid === undefined,
    );
    expect(others.map(([, name]) => name)).toEqual(['GICD_PIDR', 'GICR_PIDR', 'GITS_BASER', 'GITS_PIDR']);
  });

  test('set and clear registers are those that act on the bits that are 1', () => {
    const acting = registers.filter(([, , spec]) => spec.writesOnes).map(([, name]) => name);
    expect(acting).toEqual(
      registers.map(([, name]) => name).filter((name) => /_I[SC](ENABLE|PEND|ACTIVE)R/.test(name)),
    );
  });

  test('part of an access: a byte of IPRIORITYR, half of IROUTER, half of INVLPIR', () => {
    const gicd = FRAMES.indexOf('GICD');
    const gicr = FRAMES.indexOf('GICR');
    expect(texts(access(true, gicd, 0x400 + 40, 1, 0xa0))).toEqual(['INTID 40']);
    expect(texts(access(true, gicd, 0x400 + 40, 4, 0xa0a0_a0a0))).toEqual(['INTID 40-43']);
    expect(texts(access(true, gicd, 0x6000 + 8 * 40 + 4, 4, 0))).toEqual(['INTID 40']);
    expect(intidOf(...access(true, gicd, 0x6000 + 8 * 40, 8, 0))).toBe(40);
    expect(texts(access(true, gicr, 0xa0, 8, 8192, 0x8000_0003))).toEqual(['vINTID 8192', 'vPEID 3']);
    expect(texts(access(true, gicr, 0xa0, 8, 8192))).toEqual(['INTID 8192']);
    expect(texts(access(true, gicr, 0xa0, 4, 8192))).toEqual(['INTID 8192']);
    expect(texts(access(true, gicr, 0xa4, 4, 0x8000_0003))).toEqual(['vPEID 3']);
    expect(texts(access(true, gicd, 0x0, 4, 40))).toEqual([]);
    expect(texts(access(true, gicd, 0x14, 4, 40))).toEqual([]);
  });
});

describe('record kinds and commands', () => {
  test('every kind that has a field for an INTID names it', () => {
    let walked = 0;
    for (const [name, kind] of kinds)
      kind.fields.forEach((field, k) => {
        const { identifies } = field;
        if (identifies === undefined) return;
        walked++;
        const offsets = fieldOffsets(kind);
        const cases =
          typeof identifies === 'string' ? [[identifies, -1, 0] as const] : casesOf(kind, identifies);
        for (const [identifier, word, value] of cases) {
          const made = record(name, []);
          if (word >= 0) made[0].words[word] = value;
          made[0].words[offsets[k]!] = N;
          if (field.countedBy !== undefined) made[0].words[offsets[k]! + 1] = 1;
          const mine = mentions(...made).filter((one) => one.field === field.name);
          expect(
            mine.map(({ identifier: what, first, last }) => [what, first, last]),
            `${name}.${field.name}`,
          ).toEqual(IDENTIFIERS.includes(identifier) ? [[identifier, N, N]] : []);
          for (const nothing of [field.none].filter((one) => one !== undefined)) {
            made[0].words[offsets[k]!] = nothing;
            expect(mentions(...made).filter((one) => one.field === field.name)).toEqual([]);
          }
        }
      });
    expect(walked).toBeGreaterThan(60);
  });

  /** [what, the word that decides, its value] for each case that is declared. */
  function casesOf(
    kind: RecordKind,
    { by, is }: { by: string; is: Readonly<Record<number, (typeof IDENTIFIERS)[number]>> },
  ) {
    const word = fieldOffsets(kind)[kind.fields.findIndex((field) => field.name === by)]!;
    return Object.entries(is).map(([value, what]) => [what, word, Number(value)] as const);
  }

  test('every operand that names something, queued and executed; only those that the source shows', () => {
    let walked = 0;
    for (const [name, { opcode, operands }] of commands)
      operands.forEach(({ identifies, also, dw, lsb, width, name: operand, none }, k) => {
        if (identifies === undefined) return;
        walked++;
        const value = N % 2 ** width;
        const wanted = [identifies, ...(also === undefined ? [] : [also])].map((what) => `${what} ${value}`);
        const mine = (made: [RecordBatch, number]) =>
          mentions(...made)
            .filter((one) => one.field === operand)
            .map(({ identifier, first }) => `${identifier} ${first}`);
        const executed = record('its.command', [0, 0, 0, 1 << k, opcode]);
        deposit(executed[0].words, 4, dw, lsb, width, value);
        expect(mine(executed), `${name}.${operand}`).toEqual(wanted);
        executed[0].words[3] = ~(1 << k);
        expect(mine(executed)).toEqual([]);
        const queued = record('queue.write', [0, 0, 0, opcode]);
        deposit(queued[0].words, 3, dw, lsb, width, value);
        expect(mine(queued), `${name}.${operand}`).toEqual(wanted);
        if (none === undefined) return;
        deposit(queued[0].words, 3, dw, lsb, width, none);
        expect(mine(queued)).toEqual([]);
      });
    expect(walked).toBeGreaterThan(30);
  });

  test('one of each', () => {
    const mapti = record('its.command', [0, 0, 0, 0xf, 0x0a, 7, 3, 8200, 1]);
    expect(texts(mapti)).toEqual(['DeviceID 7', 'EventID 3', 'INTID 8200']);
    expect([intidOf(...mapti), deviceOf(...mapti), eventOf(...mapti), vpeOf(...mapti)]).toEqual([
      8200, 7, 3, -1,
    ]);
    expect(intidOf(...record('its.command', [0, 0, 0, 0xf, 0x0b, 7, 8200]))).toBe(8200);
    expect(texts(record('hppi', [1023, 0, 255]))).toEqual([]);
    expect(texts(record('vhppi', [16, 8192]))).toEqual(['vINTID 8192']);
    expect(texts(record('lpi.forgotten', [0]))).toEqual([`INTID 8192-${0xffff_ffff}`]);
    expect(intidOf(...record('lpi.forgotten', [0]))).toBe(-1);
    expect(texts(record('ite.write', [0, 0, 0, 1, 1, 0, 8200, 0, 9, 8300]))).toEqual([
      'EventID 1',
      'vINTID 8200',
      'vPEID 9',
      'INTID 8300',
    ]);
    expect(intidOf(...record('ite.write', [0, 0, 0, 1, 1, 0, 8200, 0, 9, 8300]))).toBe(8200);
    expect(texts(record('ite.write', [0, 0, 0, 1, 1, 1, 8200, 0, 9, 8300]))).toEqual([
      'EventID 1',
      'INTID 8200',
    ]);
    expect(texts(record('op.vm.alloc', [4, 3]))).toEqual(['vPEID 4-6']);
    const detail = (what: (typeof UNPREDICTABLE)[number]) =>
      texts(record('behaviour.unpredictable', [UNPREDICTABLE.indexOf(what), 0, 40]));
    expect(detail('configured-while-enabled')).toEqual(['INTID 40']);
    expect(detail('baser-while-enabled')).toEqual([]);
  });

  test('events that acknowledge, end and deactivate', () => {
    const acts = kinds.flatMap(([name, { class: of }]) => {
      const act = of === 'stimulus' ? undefined : actOf(...record(name, [40]));
      return act === undefined ? [] : [`${name} ${act.does}${act.isVirtual ? ' virtual' : ''}`];
    });
    expect(acts).toEqual([
      'sgi.sent generate',
      ...['irq.deactivated deactivate', 'irq.acknowledged acknowledge', 'irq.dropped end'],
      ...[
        'virq.acknowledged acknowledge virtual',
        'virq.dropped end virtual',
        'virq.deactivated deactivate virtual',
      ],
      'int.acknowledged acknowledge',
    ]);
  });
});
