// Registers as text: values that QEMU's `virt` machine reads (10.2 and 7.2 agree), and accesses that do not
// reach a whole register.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FrameName, GICD, GICR, GITS } from '../spec/index.ts';
import { decodeRegister, registerText } from './register.ts';

function fields(frame: FrameName, offset: number, value: bigint, width?: number): Record<string, number> {
  return Object.fromEntries(
    decodeRegister(frame, offset, value, width)!.fields.map((f) => [f.name, f.value]),
  );
}

describe('identity registers', () => {
  test('GICD_TYPER 0x37a0007: 256 INTIDs, LPIs, 16 INTID bits', () => {
    expect(fields('GICD', GICD.GICD_TYPER.offset, 0x37a0007n)).toEqual({
      ITLinesNumber: 7,
      CPUNumber: 0,
      ESPI: 0,
      NMI: 0,
      SecurityExtn: 0,
      num_LPIs: 0,
      MBIS: 0,
      LPIS: 1,
      DVIS: 0,
      IDbits: 16,
      A3V: 1,
      No1N: 1,
      RSS: 0,
      ESPI_range: 0,
    });
  });

  test('GICD_TYPER 0x37e0007: direct injection too (GICv4)', () => {
    expect(fields('GICD', 4, 0x37e0007n)).toMatchObject({ LPIS: 1, DVIS: 1, IDbits: 16 });
  });

  test('GITS_TYPER 0x1f0001efb1: 16 bits of everything, 12-byte entries, no vLPIs', () => {
    expect(fields('GITS', GITS.GITS_TYPER.offset, 0x1f0001efb1n)).toEqual({
      Physical: 1,
      Virtual: 0,
      CCT: 0,
      ITT_entry_size: 12,
      ID_bits: 16,
      Devbits: 16,
      SEIS: 0,
      PTA: 0,
      HCC: 0,
      CIDbits: 16,
      CIL: 1,
      VMOVP: 0,
      MPAM: 0,
      VSGI: 0,
      VMAPP: 0,
      SVPET: 0,
      nID: 0,
      UMSI: 0,
      UMSIirq: 0,
      INV: 0,
    });
    expect(fields('GITS', 8, 0x3f0001efb3n)).toMatchObject({ Virtual: 1, VMOVP: 1 });
  });

  test('GITS_BASER0 and 1: devices and collections, 8-byte entries, 64 KB pages', () => {
    expect(registerText('GITS', 0x100, 8, 0x200, 0x0107_0000)).toBe(
      'GITS_BASER0 0x107000000000200 {Size=1 Page_Size=64KB Entry_Size=8 Type=devices}',
    );
    expect(registerText('GITS', 0x108, 8, 0x200, 0x0407_0000)).toBe(
      'GITS_BASER1 0x407000000000200 {Size=1 Page_Size=64KB Entry_Size=8 Type=collections}',
    );
  });

  test('GICR_TYPER of the second of two PEs', () => {
    expect(registerText('GICR', GICR.GICR_TYPER.offset, 8, 0x111, 1)).toBe(
      'GICR_TYPER 0x100000111 {PLPIS Last Processor_Number=1 Aff0=1}',
    );
  });

  test('GICD_CTLR 0x50, GICD_IIDR 0x43b, PIDR2', () => {
    expect(registerText('GICD', 0, 4, 0x50)).toBe('GICD_CTLR 0x50 {ARE DS}');
    expect(registerText('GICD', 8, 4, 0x43b)).toBe('GICD_IIDR 0x43b {Implementer=0x43b}');
    expect(registerText('GICD', 0xffe8, 4, 0x3b)).toBe('GICD_PIDR2 0x3b');
  });
});

test('of a word that is all zero nothing is said, not even by fields that are stored less one', () => {
  expect(registerText('GITS', 0x100, 8, 0)).toBe('GITS_BASER0 0x0');
  expect(fields('GITS', 0x100, 0n)).toMatchObject({ Size: 1, Entry_Size: 1, Valid: 0 });
});

describe('addresses and enumerations', () => {
  test('GICR_PROPBASER', () => {
    // 16 INTID bits, inner shareable, RaWaWb, table at 0x425c0000.
    expect(registerText('GICR', 0x70, 8, 0x425c_078f, 0)).toBe(
      'GICR_PROPBASER 0x425c078f {IDbits=16 InnerCache=RaWaWb Shareability=inner Physical_Address=0x425c0000}',
    );
  });

  test('an address above 4 GB is whole', () => {
    expect(fields('GITS', 0x80, 0x800f_edcb_a987_6000n).Physical_Address).toBe(0xf_edcb_a987_6000);
  });
});

describe('arrays over INTIDs', () => {
  test.each<[number, number, number, string]>([
    [0x104, 4, 0x10000, 'GICD_ISENABLER1 0x10000 {INTID 48}'],
    [0x184, 4, 0xffff_ffff, 'GICD_ICENABLER1 0xffffffff {INTID 32-63}'],
    [0x104, 4, 0x8000_0005, 'GICD_ISENABLER1 0x80000005 {INTID 32 34 63}'],
    [0x104, 4, 0, 'GICD_ISENABLER1 0x0'],
    [0x424, 4, 0xa0a0_a0a0, 'GICD_IPRIORITYR9 0xa0a0a0a0 {INTID 36-39=0xa0}'],
    [0x425, 1, 0xa0, 'GICD_IPRIORITYR9[15:8] 0xa0 {INTID 37=0xa0}'],
    [0xc08, 4, 0x8000_0002, 'GICD_ICFGR2 0x80000002 {INTID 32=2 47=2}'],
    [0x1204, 4, 1, 'GICD_ISENABLER1E 0x1 {INTID 4128}'],
  ])('GICD 0x%s', (offset, width, value, text) => {
    expect(registerText('GICD', offset, width, value)).toBe(text);
  });

  test('extended PPIs go on at INTID 1056', () => {
    expect(registerText('GICR', 0x1_0100, 4, 0x0800_0000)).toBe('GICR_ISENABLER0 0x8000000 {INTID 27}');
    expect(registerText('GICR', 0x1_0104, 4, 0x3)).toBe('GICR_ISENABLER1E 0x3 {INTID 1056-1057}');
  });

  test('GICD_IROUTER is named by INTID', () => {
    expect(registerText('GICD', 0x6120, 8, 0x101, 2)).toBe(
      'GICD_IROUTER36 0x200000101 {Aff0=1 Aff1=1 Aff3=2}',
    );
  });
});

describe('parts of registers', () => {
  test('the halves of a 64-bit register show their own fields only', () => {
    expect(registerText('GITS', 8, 4, 0x0001_efb1)).toBe(
      'GITS_TYPER[31:0] 0x1efb1 {Physical ITT_entry_size=12 ID_bits=16 Devbits=16}',
    );
    expect(registerText('GITS', 12, 4, 0x1f)).toBe('GITS_TYPER[63:32] 0x1f {CIDbits=16 CIL}');
  });

  test('a 16-bit write to an MSI register', () => {
    expect(registerText('GITS', 0x1_0040, 2, 0x12)).toBe('GITS_TRANSLATER[15:0] 0x12');
    expect(registerText('GITS', 0x1_0040, 4, 0x12)).toBe('GITS_TRANSLATER 0x12 {EventID=0x12}');
  });

  test('a reserved location', () => {
    expect(registerText('GICD', 0x3100, 4, 0x12)).toBe('GICD+0x3100 0x12');
    expect(decodeRegister('GICD', 0x3100, 0n)).toBeUndefined();
  });

  // Every field of a 64-bit register lies in one half or in both: what halves show agrees with the whole.
  test('decoding by halves agrees with decoding the whole', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<[FrameName, number]>(['GITS', 0x8], ['GITS', 0x80], ['GITS', 0x100], ['GICR', 0x8]),
        fc.bigInt(0n, 2n ** 64n - 1n),
        ([frame, offset], value) => {
          const whole = fields(frame, offset, value);
          const low = fields(frame, offset, value & 0xffff_ffffn, 4);
          const high = fields(frame, offset + 4, value >> 32n, 4);
          for (const half of [low, high]) expect(whole).toMatchObject(half);
          const crossing = decodeRegister(frame, offset, value)!.spec.fields.filter(
            (f) => f.lsb < 32 && f.lsb + f.width > 32,
          );
          expect(Object.keys(low).length + Object.keys(high).length + crossing.length).toBe(
            Object.keys(whole).length,
          );
        },
      ),
    );
  });
});
