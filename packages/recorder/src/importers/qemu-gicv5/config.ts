// Which GICv5 a log comes from: by the identification registers that its guest read and by what QEMU printed when it made
// the device. What these leave open has the values of QEMU 11.1's virt machine.
import { GicTraceError, type Gicv5Config, PES_MAX } from '@gictrace/core';
import { fieldReader, IRS } from '@gictrace/core/spec';
import type { Provenance } from '../common/identity.ts';
import { NamedPes } from '../common/named-pes.ts';
import type { Line } from './lines.ts';

/** The Non-secure configuration frame of the IRS of QEMU's virt machine. */
const FRAMES = [{ domain: 1, address: 0x801_0000 }];
/** ICC_IDR0_EL1: 24 bits of ID, 5 bits of priority; all PPIs are level-sensitive, except the software PPI 3. */
const CPUIF = { idr0: 0x41, hmr: ['0xfffffffffffffff7', '0xffffffffffffffff'] };
const IDR = [0x1c, 0x4f_0000, 0x3fb8, 0, 0, 0, 0, 0];
const peCount = fieldReader(IRS.IRS_IDR1, 'PE_CNT');
const INT_DOM = 3;
const PPI = 1n;

/** What a first reading of a log finds. */
export class Identity {
  readonly ppis = new Set<number>();
  readonly events = new Set<string>();
  private realized: readonly number[] | undefined;
  private readonly reads = new Map<number, number>();
  /** IAFFIDs are numbers of PEs. */
  private readonly named = new NamedPes();

  note({ event, numbers }: Line): void {
    this.events.add(event);
    switch (event) {
      case 'gicv5_common_realize':
        this.realized ??= numbers.map(Number);
        return;
      case 'gicv5_read': {
        const [offset, value] = numbers.map(Number) as [number, number];
        if (!this.reads.has(offset)) this.reads.set(offset, value);
        return;
      }
      case 'gicv5_irs_recalc_hppi':
        this.named.add(Number(numbers[0]));
        return;
      case 'gicv5_update_ppi_state':
        this.ppis.add(Number(numbers[0]));
        return;
      case 'gicv5_recalc_ppi_hppi':
        if (numbers[1] !== 255n) this.ppis.add(Number(numbers[0]! & 0xff_ffffn));
        return;
      case 'gicv5_gicr_cdia':
      case 'gicv5_cddi':
        if (numbers[0]! >> 29n === PPI) this.ppis.add(Number(numbers[0]! & 0xff_ffffn));
        return;
      case 'exception':
        this.named.add(Number(numbers[0]));
    }
  }

  decide(options: { readonly pes?: number | undefined; readonly profile?: string | undefined }): {
    readonly config: Gicv5Config;
    readonly provenance: Provenance;
  } {
    const provenance: Provenance = {};
    const from = <T>(name: string, log: T | undefined, otherwise: T): T => {
      provenance[name] = log === undefined ? 'default' : 'log';
      return log ?? otherwise;
    };
    const [irsid, cpus, base, irsRange, range] = this.realized ?? [];
    const idr1 = this.reads.get(IRS.IRS_IDR1.offset);
    const recorded = cpus ?? (idr1 === undefined ? undefined : peCount(idr1, 0));
    if (options.pes === undefined && recorded !== undefined && recorded > PES_MAX)
      throw new GicTraceError(
        'input',
        `a line says that the GIC has ${recorded} PEs: is it damaged?`,
        {},
        'give --pes with the number of PEs',
      );
    if (options.pes === undefined && recorded === undefined) this.named.refuseStray();
    const pes = Math.max(1, options.pes ?? recorded ?? this.named.highest + 1);
    provenance.pes = options.pes !== undefined ? 'option' : recorded !== undefined ? 'log' : 'counted';
    const made = [
      irsid === undefined ? undefined : IDR[0]! + irsid * 0x1_0000,
      undefined,
      undefined,
      undefined,
      undefined,
      range,
      irsRange,
      base,
    ];
    const idr = IDR.map((value, k) => {
      const read = this.reads.get(4 * k);
      const known = k === 0 && read !== undefined ? (read & ~INT_DOM) >>> 0 : read;
      return from(`irs.idr${k}`, known ?? made[k], k === 1 ? value + pes : k === 5 || k === 6 ? 256 : value);
    });
    const config: Gicv5Config = {
      profile: options.profile ?? 'qemu-11.1',
      architecture: 5,
      pes: Array.from({ length: pes }, (_, k) => ({ affinity: k, iaffid: k })),
      irs: [
        {
          idr,
          iidr: from('irs.iidr', this.reads.get(IRS.IRS_IIDR.offset), 0x43b),
          aidr: from('irs.aidr', this.reads.get(IRS.IRS_AIDR.offset), 0),
          frames: FRAMES,
        },
      ],
      cpuif: CPUIF,
    };
    provenance.profile = options.profile === undefined ? 'default' : 'option';
    provenance.addresses = 'default';
    provenance.iaffid = 'default';
    return { config, provenance };
  }
}
