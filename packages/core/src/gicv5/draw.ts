// Stimuli for a GICv5 from a seed: what software and devices may do, and some of what they should not, within a machine whose
// RAM is at 0x4000_0000. What is UNPREDICTABLE is left out: software does not write to a table that is valid, and no two
// entries share a place. It knows no implementation.
import { Random } from '../fuzz/random.ts';
import { FRAMES, NO_PE, RECORD_WORDS, RECORDS, type RecordBatch, type RecordName } from '../record/index.ts';
import { GICV5_SYSREGS, GICV5_TYPES, type Gicv5SysregName, gicv5Intid, IRS } from '../spec/gicv5/index.ts';

const RAM = 0x4000_0000;
const RAM_BYTES = 0x0800_0000;
/** Where tables of level 1 (or linear ones) may be, and where tables of level 2 are. */
const TABLES = [0x4100_0000, 0x4200_0000] as const;
const LEVEL2 = 0x4400_0000;
const LEVEL2_BYTES = 0x1_0000;
const FRAME_IRS = FRAMES.indexOf('IRS');
const NON_SECURE = 1;
const LPIS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 17, 100, 1023, 1024, 2047, 5000, 16383, 16384, 70000];
const PRIORITIES = [0, 1, 3, 4, 4, 4, 5, 16, 30, 31, 31];
const PPIS = [3, 3, 23, 27, 30, 63, 64, 100];
const { PPI, LPI, SPI } = GICV5_TYPES;

/** Draws stimuli for a GICv5 with so many PEs, whose IAFFIDs are 0 to pes − 1, and SPIs from 0 on. */
export class Gicv5Draw {
  private readonly random: Random;
  private readonly pes: number;
  private readonly spis: readonly number[];
  private readonly lpis: readonly number[];
  private isValid = false;
  /** What has been drawn and not yet been taken. */
  private readonly waiting: (readonly [name: RecordName, pe: number, words: readonly number[]])[] = [];

  constructor(seed: number, pes: number, spis: number) {
    this.random = new Random(seed);
    this.pes = pes;
    const { random } = this;
    this.spis = Array.from({ length: 6 }, () => random.below(Math.min(spis, 256)));
    const count = random.pick([3, 6, 12, LPIS.length]);
    this.lpis = Array.from({ length: count }, () => random.pick(LPIS));
    this.powerOn();
  }

  /** Appends the next stimulus to a batch. */
  next(batch: RecordBatch): void {
    while (this.waiting.length === 0) this.draw();
    const [name, pe, words] = this.waiting.shift()!;
    batch.words.set(words, batch.push(RECORDS[name].id, pe, Number.NaN) * RECORD_WORDS);
  }

  private push(name: RecordName, pe: number, ...words: number[]): void {
    this.waiting.push([name, pe, words]);
  }
  private irs(register: keyof typeof IRS, value?: number, high = 0, bytes: 4 | 8 = 4, plus = 0): void {
    const place = [FRAME_IRS, NON_SECURE, IRS[register].offset + plus, bytes];
    if (value === undefined) this.push('mmio.read', this.pe(), ...place);
    else this.push('mmio.write', this.pe(), ...place, value >>> 0, high);
  }
  private write(register: Gicv5SysregName, low = 0, high = 0): void {
    this.push('sysreg.write', this.pe(), GICV5_SYSREGS[register].encoding, low >>> 0, high >>> 0);
  }
  private read(register: Gicv5SysregName): void {
    this.push('sysreg.read', this.pe(), GICV5_SYSREGS[register].encoding);
  }
  private pe(): number {
    return this.random.below(this.pes);
  }

  /** An SPI or LPI, mostly one that exists. */
  private intid(): number {
    const { random } = this;
    const what = random.below(40);
    if (what < 18) return gicv5Intid(LPI, random.pick(this.lpis));
    if (what < 36) return gicv5Intid(SPI, random.pick(this.spis));
    if (what === 36) return gicv5Intid(SPI, random.pick([256, 1000, 0xff_ffff]));
    if (what === 37) return gicv5Intid(LPI, random.below(2 ** 18));
    if (what === 38) return gicv5Intid(PPI, random.pick(PPIS));
    return gicv5Intid(random.below(8), random.below(32));
  }

  /** Memory is zero; then some of what a driver sets up, so that something happens. */
  private powerOn(): void {
    const { random } = this;
    this.push('mem.known', NO_PE, RAM, 0, RAM_BYTES, 0);
    this.irs('IRS_CR0', 1);
    this.irs('IRS_CR0');
    if (random.below(8) > 0) this.newTable();
    for (let pe = 0; pe < this.pes; pe++) this.startPe(pe);
  }

  /**
   * A PE begins. The profile of QEMU 11.1 cannot go on if it enables its CPU interface and acknowledges before it has written
   * any register of its PPIs, so it writes one.
   */
  private startPe(pe: number): void {
    const own = (register: Gicv5SysregName, value: number) =>
      this.push('sysreg.write', pe, GICV5_SYSREGS[register].encoding, value, 0);
    if (this.random.once(2)) {
      own('ICC_CR0_EL1', 1);
      own('ICC_PCR_EL1', 31);
      this.push('sysreg.read', pe, GICV5_SYSREGS.ICC_HPPIR_EL1.encoding);
      own('ICC_PPI_PRIORITYR0_EL1', 0);
    } else {
      own('ICC_PPI_PRIORITYR0_EL1', 0);
      own('ICC_PCR_EL1', this.random.pick([31, 31, 16]));
      own('ICC_CR0_EL1', 1);
    }
  }

  /** A table becomes valid: linear, or two-level with some of its level-2 tables mapped. */
  private newTable(): void {
    const { random } = this;
    const base = random.pick(TABLES);
    const twoLevel = random.below(3) > 0;
    const size = random.below(4);
    const entry = random.below(4);
    const cfgr =
      random.pick([0, 5, 14, 16, 17, 24, 31]) | (size << 5) | (entry << 7) | (twoLevel ? 0x1_0000 : 0);
    this.isValid = true;
    // Neither region holds what another table has left there.
    this.push('mem.known', NO_PE, base, 0, 0x80_0000, 0);
    this.push('mem.known', NO_PE, LEVEL2, 0, 0x100_0000, 0);
    if (twoLevel) {
      const indexBits = [12, 14, 16, 12][size]! - [2, 3, 4, 2][entry]!;
      const l1s = new Set(LPIS.map((id) => id >> indexBits));
      [...l1s].forEach((l1, k) => {
        const isMapped = random.below(4) > 0 ? 1 : 0;
        this.push('mem.write', this.pe(), base + 8 * l1, 0, 8, LEVEL2 + k * LEVEL2_BYTES + isMapped, 0);
      });
    }
    const junk = random.below(6) === 0 ? 0xfff0_fe00 : 0;
    this.irs('IRS_IST_CFGR', cfgr | junk);
    const low = base | (junk ? 0x3e : 0);
    if (random.below(3) > 0) this.irs('IRS_IST_BASER', low | 1, 0, 8);
    else {
      this.irs('IRS_IST_BASER', 0, 0, 4, 4);
      this.irs('IRS_IST_BASER', low | 1);
    }
  }

  private draw(): void {
    const { random } = this;
    const what = random.below(1000);
    if (what < 420) this.instruction();
    else if (what < 540) this.read('GICR_CDIA');
    else if (what < 620) this.write('GIC_CDEOI');
    else if (what < 730) this.write('GIC_CDDI', this.intid());
    else if (what < 770)
      this.push('wire.set', NO_PE, gicv5Intid(SPI, random.pick(this.spis)), random.below(2));
    else if (what < 790)
      this.push('wire.set', this.pe(), gicv5Intid(PPI, random.pick([27, 30])), random.below(2));
    else if (what < 880) this.cpuInterface();
    else if (what < 975) this.frame();
    else if (what < 983) {
      this.irs('IRS_IST_BASER', 0, 0, random.pick([4, 8]));
      this.isValid = false;
      if (random.below(4) > 0) this.newTable();
    } else if (what < 990) {
      this.irs('IRS_CR0', random.below(2) * 0xffff_ffff);
      if (random.below(3) > 0) this.irs('IRS_CR0');
    } else if (what < 996) {
      this.irs('IRS_CR0', 1);
      this.irs('IRS_CR0');
    } else if (what < 997) {
      if (random.once(4)) this.resetMachine();
    } else if (this.pes > 1) {
      const pe = this.pe();
      this.push('pe.reset', pe);
      this.startPe(pe);
    }
  }

  /** Everything is reset but memory, and set up again. Input lines are low before, since their sources are reset too. */
  private resetMachine(): void {
    for (const spi of this.spis) this.push('wire.set', NO_PE, gicv5Intid(SPI, spi), 0);
    for (let pe = 0; pe < this.pes; pe++)
      for (const id of [27, 30]) this.push('wire.set', pe, gicv5Intid(PPI, id), 0);
    this.push('gic.reset', NO_PE, 0);
    this.isValid = false;
    if (this.random.once(2)) {
      this.irs('IRS_CR0', 1);
      this.irs('IRS_CR0');
    }
    if (this.random.once(2)) this.newTable();
    for (let pe = 0; pe < this.pes; pe++) this.startPe(pe);
  }

  /** A GIC CD instruction that configures an interrupt. */
  private instruction(): void {
    const { random } = this;
    const intid = this.intid();
    const what = random.below(100);
    if (what < 18) this.write('GIC_CDEN', intid);
    else if (what < 22) this.write('GIC_CDDIS', intid);
    else if (what < 36) this.write('GIC_CDPRI', intid, random.pick(PRIORITIES) << 3);
    else if (what < 50) this.write('GIC_CDAFF', intid, this.iaffid());
    else if (what < 80) this.write('GIC_CDPEND', intid, random.below(5) > 0 ? 1 : 0);
    else if (what < 88) this.write('GIC_CDHM', intid, random.below(2));
    else if (what < 96) {
      const pe = this.pe();
      this.push('sysreg.write', pe, GICV5_SYSREGS.GIC_CDRCFG.encoding, intid, 0);
      this.push('sysreg.read', pe, GICV5_SYSREGS.ICC_ICSR_EL1.encoding);
    } else if (what < 98) this.write('GIC_CDAFF', (intid | 0x1000_0000) >>> 0, this.iaffid());
    else this.write(random.pick(['GSB_SYS', 'GSB_ACK'] as const));
  }

  private iaffid(): number {
    return this.random.below(30) === 0 ? this.random.pick([this.pes, 0xffff]) : this.pe();
  }

  /** A register of a CPU interface. */
  private cpuInterface(): void {
    const { random } = this;
    const what = random.below(100);
    const half = random.below(2) as 0 | 1;
    const bits = [1 << 3, 1 << 27, 1 << 30, 8 | (1 << 27), 0xffff_ffff, 0][random.below(6)]!;
    const high = random.pick([0, 0, 1, 0xffff_ffff]);
    if (what < 8) this.write('ICC_CR0_EL1', random.below(4) > 0 ? 1 : 0xfffe);
    else if (what < 18) this.write('ICC_PCR_EL1', random.pick([31, 31, 16, 4, 0, 0xffff_ffff]));
    else if (what < 22)
      this.write('ICC_APR_EL1', random.pick([0, 0, 1, 0x10, 0x8000_0000, 0xffff_ffff]), high);
    else if (what < 32) this.write(`ICC_PPI_ENABLER${half}_EL1`, bits, high);
    else if (what < 46)
      this.write(random.below(2) ? 'ICC_PPI_SPENDR0_EL1' : 'ICC_PPI_CPENDR0_EL1', bits, high);
    else if (what < 52) this.write(`ICC_PPI_SACTIVER${half}_EL1`, bits, high);
    else if (what < 62) this.write(`ICC_PPI_CACTIVER${half}_EL1`, bits, high);
    else if (what < 68) {
      const values = [0x0404_0404, 0x1f00_1f1f, 0xffff_ffff, 0];
      this.write('ICC_PPI_PRIORITYR0_EL1', random.pick(values), random.pick(values));
    } else if (what < 70) this.write('ICC_ICSR_EL1', random.pick([0, 0xffff_ffff]), high);
    else
      this.read(
        random.pick([
          ...(['ICC_HPPIR_EL1', 'ICC_HPPIR_EL1', 'ICC_HPPIR_EL1', 'ICC_APR_EL1', 'ICC_CR0_EL1'] as const),
          ...(['ICC_PCR_EL1', 'ICC_IAFFIDR_EL1', 'ICC_IDR0_EL1', 'ICC_ICSR_EL1', 'GICR_CDNMIA'] as const),
          ...(['ICC_PPI_HMR0_EL1', 'ICC_PPI_HMR1_EL1', 'ICC_PPI_ENABLER0_EL1'] as const),
          ...(['ICC_PPI_ENABLER1_EL1', 'ICC_PPI_CACTIVER0_EL1', 'ICC_PPI_SACTIVER1_EL1'] as const),
          ...(['ICC_PPI_SPENDR0_EL1', 'ICC_PPI_CPENDR1_EL1', 'ICC_PPI_PRIORITYR0_EL1'] as const),
        ]),
      );
  }

  /** A register of the config frame, reserved locations and wrong widths included. */
  private frame(): void {
    const { random } = this;
    const what = random.below(100);
    const spi = random.below(12) === 0 ? random.pick([256, 0xff_ffff, 0xff00_0001]) : random.pick(this.spis);
    if (what < 16) this.irs('IRS_SPI_SELR', spi);
    else if (what < 34) this.irs('IRS_SPI_CFGR', random.below(2) | (random.below(9) === 0 ? 0xff00 : 0));
    else if (what < 44) this.irs('IRS_SPI_RESAMPLER', spi);
    else if (what < 50) this.irs('IRS_PE_SELR', random.pick([0, 1, this.pes, 0xffff, 0xffff_0000]));
    else if (what < 56) this.irs('IRS_MAP_L2_ISTR', random.pick(this.lpis));
    else if (what < 58) this.irs('IRS_CR1', random.pick([0xf5d7, 0xffff_ffff]));
    else if (what < 60) this.irs('IRS_IST_CFGR', random.pick([0x18, 0x1_0018, 0xffff_ffff]));
    else if (what < 61) {
      // It is ignored while a table is valid.
      if (this.isValid) this.irs('IRS_IST_BASER', TABLES[0] | 1, 0, 8);
    } else if (what < 63)
      this.irs(random.pick(['IRS_SYNCR', 'IRS_PE_CR0', 'IRS_SPI_DOMAINR', 'IRS_IDR0'] as const), 0xffff_ffff);
    else if (what < 90) {
      const names = Object.keys(IRS) as (keyof typeof IRS)[];
      const name = random.pick(names);
      this.irs(name, undefined, 0, IRS[name].bytes as 4 | 8);
    } else if (what < 95) {
      const offset = 4 * random.below(0x1800);
      this.push('mmio.read', this.pe(), FRAME_IRS, NON_SECURE, offset, offset % 8 ? 4 : random.pick([4, 8]));
    } else if (what < 97)
      this.push('mmio.read', this.pe(), FRAME_IRS, NON_SECURE, 0xffb0 + 4 * random.below(20), 4);
    else this.irs('IRS_VMT_CFGR', 1);
  }
}
