// The register frames against rules that hold for any frame, and against offsets and values from outside:
// IHI 0069's register maps as quoted in public headers, and what QEMU's `virt` machine reads.
import { describe, expect, test } from 'vitest';
import { elementName, firstIntidOf, frameMap, GICD, GICR, GITS } from './index.ts';
import type { FieldSpec, RegisterSpec, RegisterTable } from './shape.ts';

const frames: readonly [string, RegisterTable, number][] = [
  ['GICD', GICD, 0x1_0000],
  ['GICR', GICR, 0x4_0000],
  ['GITS', GITS, 0x3_0000],
];

function overlapping(fields: readonly FieldSpec[]): string[] {
  const owner = new Map<number, string>();
  const bad: string[] = [];
  for (const field of fields)
    for (let bit = field.lsb; bit < field.lsb + field.width; bit++) {
      if (owner.has(bit)) bad.push(`${owner.get(bit)} and ${field.name} at bit ${bit}`);
      owner.set(bit, field.name);
    }
  return bad;
}

describe.each(frames)('%s', (prefix, table, bytes) => {
  const registers = Object.entries(table);

  test('names start with the frame, texts are there', () => {
    for (const [name, spec] of registers) {
      expect(name).toMatch(new RegExp(`^${prefix}_`));
      expect(spec.doc.length, name).toBeGreaterThan(3);
      expect(spec.source, name).not.toBe('');
      for (const field of spec.fields) expect(field.doc, `${name}.${field.name}`).not.toBe('');
    }
  });

  test('no two registers share a byte; all lie in the frame, aligned', () => {
    const owner = new Map<number, string>();
    for (const [name, spec] of registers) {
      expect(spec.offset % Math.max(spec.bytes, 4), name).toBe(0);
      const end = spec.offset + spec.bytes * (spec.count ?? 1);
      expect(end, name).toBeLessThanOrEqual(bytes);
      for (let at = spec.offset; at < end; at++) {
        expect(owner.get(at), `${name} at 0x${at.toString(16)}`).toBeUndefined();
        owner.set(at, name);
      }
    }
  });

  test('no two fields of a layout share a bit; all fit, none is wider than 52 bits; names differ', () => {
    for (const [name, spec] of registers)
      for (const layout of [spec.fields, ...Object.values(spec.views ?? {})]) {
        expect(overlapping(layout), name).toEqual([]);
        expect(new Set(layout.map((field) => field.name)).size, name).toBe(layout.length);
        for (const field of layout) {
          expect(field.width, `${name}.${field.name}`).toBeGreaterThan(0);
          expect(field.width, `${name}.${field.name}`).toBeLessThanOrEqual(52);
          expect(field.lsb + field.width, `${name}.${field.name}`).toBeLessThanOrEqual(spec.bytes * 8);
          if (field.kind === 'flag') expect(field.width, `${name}.${field.name}`).toBe(1);
          for (const value of Object.keys(field.values ?? {}))
            expect(Number(value), `${name}.${field.name}`).toBeLessThan(2 ** field.width);
        }
      }
  });

  test('access widths: the element, or a legal part of it', () => {
    for (const [name, spec] of registers) {
      for (const width of spec.accessBytes) expect([1, 2, 4, 8], name).toContain(width);
      expect(spec.accessBytes, name).toContain(spec.bytes);
      expect(spec.accessBytes.includes(8), name).toBe(spec.bytes === 8);
    }
  });

  test('the lookup agrees with a search, at every byte of the frame', () => {
    const map = frameMap(table, bytes);
    // One pass over the declarations is the search: every byte that a register owns.
    const expected = new Map<number, [number, number]>();
    registers.forEach(([, spec], index) => {
      for (let at = 0; at < spec.bytes * (spec.count ?? 1); at++)
        expected.set(spec.offset + at, [index, Math.floor(at / spec.bytes)]);
    });
    let wrong = 0;
    for (let offset = 0; offset < bytes; offset++) {
      const [index, element] = expected.get(offset) ?? [-1, 0];
      if (map.find(offset) !== index) wrong++;
      else if (index >= 0 && map.element(index, offset) !== element) wrong++;
    }
    expect(wrong).toBe(0);
    expect(map.find(bytes)).toBe(-1);
    expect(map.find(-4)).toBe(-1);
    expect(map.names).toEqual(registers.map(([name]) => name));
  });
});

/** Where a register is: by frame and name, at an offset that a public header or the specification gives. */
const offsets: readonly [RegisterTable, string, number][] = [
  [GICD, 'GICD_CTLR', 0x0],
  [GICD, 'GICD_TYPER', 0x4],
  [GICD, 'GICD_IIDR', 0x8],
  [GICD, 'GICD_TYPER2', 0xc],
  [GICD, 'GICD_STATUSR', 0x10],
  [GICD, 'GICD_SETSPI_NSR', 0x40],
  [GICD, 'GICD_CLRSPI_NSR', 0x48],
  [GICD, 'GICD_SETSPI_SR', 0x50],
  [GICD, 'GICD_CLRSPI_SR', 0x58],
  [GICD, 'GICD_IGROUPR0', 0x80],
  [GICD, 'GICD_ISENABLER31', 0x17c],
  [GICD, 'GICD_ICENABLER1', 0x184],
  [GICD, 'GICD_ISPENDR1', 0x204],
  [GICD, 'GICD_ICPENDR1', 0x284],
  [GICD, 'GICD_ISACTIVER1', 0x304],
  [GICD, 'GICD_ICACTIVER1', 0x384],
  [GICD, 'GICD_IPRIORITYR8', 0x420],
  [GICD, 'GICD_ITARGETSR0', 0x800],
  [GICD, 'GICD_ICFGR2', 0xc08],
  [GICD, 'GICD_IGRPMODR1', 0xd04],
  [GICD, 'GICD_NSACR0', 0xe00],
  [GICD, 'GICD_SGIR', 0xf00],
  [GICD, 'GICD_CPENDSGIR3', 0xf1c],
  [GICD, 'GICD_SPENDSGIR0', 0xf20],
  [GICD, 'GICD_INMIR0', 0xf80],
  [GICD, 'GICD_IGROUPR0E', 0x1000],
  [GICD, 'GICD_ISENABLER1E', 0x1204],
  [GICD, 'GICD_ICENABLER0E', 0x1400],
  [GICD, 'GICD_ISPENDR0E', 0x1600],
  [GICD, 'GICD_ICPENDR0E', 0x1800],
  [GICD, 'GICD_ISACTIVER0E', 0x1a00],
  [GICD, 'GICD_ICACTIVER0E', 0x1c00],
  [GICD, 'GICD_IPRIORITYR255E', 0x23fc],
  [GICD, 'GICD_ICFGR0E', 0x3000],
  [GICD, 'GICD_IGRPMODR0E', 0x3400],
  [GICD, 'GICD_NSACR0E', 0x3600],
  [GICD, 'GICD_INMIR0E', 0x3b00],
  [GICD, 'GICD_IROUTER32', 0x6100],
  [GICD, 'GICD_IROUTER1019', 0x7fd8],
  [GICD, 'GICD_IROUTER0E', 0x8000],
  [GICD, 'GICD_PIDR4', 0xffd0],
  [GICD, 'GICD_PIDR2', 0xffe8],
  [GICD, 'GICD_CIDR3', 0xfffc],
  [GICR, 'GICR_TYPER', 0x8],
  [GICR, 'GICR_WAKER', 0x14],
  [GICR, 'GICR_MPAMIDR', 0x18],
  [GICR, 'GICR_PARTIDR', 0x1c],
  [GICR, 'GICR_SETLPIR', 0x40],
  [GICR, 'GICR_CLRLPIR', 0x48],
  [GICR, 'GICR_PROPBASER', 0x70],
  [GICR, 'GICR_PENDBASER', 0x78],
  [GICR, 'GICR_INVLPIR', 0xa0],
  [GICR, 'GICR_INVALLR', 0xb0],
  [GICR, 'GICR_SYNCR', 0xc0],
  [GICR, 'GICR_PIDR2', 0xffe8],
  [GICR, 'GICR_IGROUPR0', 0x1_0080],
  [GICR, 'GICR_IGROUPR1E', 0x1_0084],
  [GICR, 'GICR_ISENABLER2E', 0x1_0108],
  [GICR, 'GICR_ICENABLER0', 0x1_0180],
  [GICR, 'GICR_ISPENDR0', 0x1_0200],
  [GICR, 'GICR_ICPENDR0', 0x1_0280],
  [GICR, 'GICR_ISACTIVER0', 0x1_0300],
  [GICR, 'GICR_ICACTIVER0', 0x1_0380],
  [GICR, 'GICR_IPRIORITYR7', 0x1_041c],
  [GICR, 'GICR_IPRIORITYR8E', 0x1_0420],
  [GICR, 'GICR_ICFGR1', 0x1_0c04],
  [GICR, 'GICR_ICFGR2E', 0x1_0c08],
  [GICR, 'GICR_IGRPMODR0', 0x1_0d00],
  [GICR, 'GICR_NSACR', 0x1_0e00],
  [GICR, 'GICR_INMIR0', 0x1_0f80],
  [GICR, 'GICR_VPROPBASER', 0x2_0070],
  [GICR, 'GICR_VPENDBASER', 0x2_0078],
  [GICR, 'GICR_VSGIR', 0x2_0080],
  [GICR, 'GICR_VSGIPENDR', 0x2_0088],
  [GITS, 'GITS_TYPER', 0x8],
  [GITS, 'GITS_MPAMIDR', 0x10],
  [GITS, 'GITS_PARTIDR', 0x14],
  [GITS, 'GITS_MPIDR', 0x18],
  [GITS, 'GITS_STATUSR', 0x40],
  [GITS, 'GITS_UMSIR', 0x48],
  [GITS, 'GITS_CBASER', 0x80],
  [GITS, 'GITS_CWRITER', 0x88],
  [GITS, 'GITS_CREADR', 0x90],
  [GITS, 'GITS_BASER0', 0x100],
  [GITS, 'GITS_BASER7', 0x138],
  [GITS, 'GITS_PIDR2', 0xffe8],
  [GITS, 'GITS_TRANSLATER', 0x1_0040],
  [GITS, 'GITS_SGIR', 0x2_0020],
];

test('registers are where the architecture has them, under its names', () => {
  for (const [table, expected, offset] of offsets) {
    const map = frameMap(table, 0x4_0000);
    const index = map.find(offset);
    const name =
      index < 0 ? '' : elementName(map.names[index]!, map.specs[index]!, map.element(index, offset));
    expect(name, `0x${offset.toString(16)}`).toBe(expected);
  }
});

test('locations that the architecture reserves are no register', () => {
  for (const offset of [0x14, 0x3c, 0x7c, 0x3100, 0x6000, 0x60fc, 0x7fe0, 0xffcc])
    expect(frameMap(GICD, 0x1_0000).find(offset), `GICD 0x${offset.toString(16)}`).toBe(-1);
  for (const offset of [0x20, 0xc4, 0x1_0000, 0x1_0460, 0x2_0090])
    expect(frameMap(GICR, 0x4_0000).find(offset), `GICR 0x${offset.toString(16)}`).toBe(-1);
  for (const offset of [0x1c, 0x98, 0x140, 0x1_0044])
    expect(frameMap(GITS, 0x3_0000).find(offset), `GITS 0x${offset.toString(16)}`).toBe(-1);
});

test('which INTID an element starts at', () => {
  const cases: readonly [RegisterSpec, number, number | undefined][] = [
    [GICD.GICD_ISENABLER, 1, 32],
    [GICD.GICD_ICFGR, 2, 32],
    [GICD.GICD_IPRIORITYR, 36, 36],
    [GICD.GICD_IROUTER, 0, 32],
    [GICD.GICD_IROUTER, 4, 36],
    [GICD.GICD_IGROUPRE, 1, 4128],
    [GICR.GICR_ISENABLER, 0, 0],
    [GICR.GICR_ISENABLER, 1, 1056],
    [GICR.GICR_ICFGR, 1, 16],
    [GICR.GICR_ICFGR, 3, 1072],
    [GICR.GICR_IPRIORITYR, 31, 31],
    [GICR.GICR_IPRIORITYR, 33, 1057],
    [GICD.GICD_CTLR, 0, undefined],
  ];
  for (const [spec, element, intid] of cases) expect(firstIntidOf(spec, element), spec.source).toBe(intid);
});
