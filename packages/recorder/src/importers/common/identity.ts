// Decides which GIC a log comes from: by the identity registers that its guest read, by the addresses in the log and by
// options. What these leave open has the defaults of QEMU's virt machine. Reports where each value came from.
import { type GicConfig, PES_MAX } from '@gictrace/core';
import { GROUPS, type RuleName } from '@gictrace/core/record';
import { type FrameName, GICD, GICR, GITS, mask } from '@gictrace/core/spec';
import type { Start } from './learn/unknowns.ts';
import { NamedPes } from './named-pes.ts';

export interface ImportOptions {
  /** Number of PEs. */
  readonly pes?: number;
  /** GICv3 or GICv4. */
  readonly gic?: 3 | 4;
  /** Whether there is an ITS. */
  readonly its?: boolean;
  readonly priorityBits?: number;
  /** The profile for replay, which follows from the QEMU version. */
  readonly profile?: string;
  /** How the log begins, if the log itself does not reveal it. */
  readonly start?: Start;
}

/** What a running machine reports about its GIC. */
export type KnownMachine = Pick<ImportOptions, 'pes' | 'gic' | 'its' | 'profile'>;

export type Origin = 'log' | `rule ${RuleName}` | 'option' | 'machine' | 'default' | 'counted';
export type Provenance = Record<string, Origin>;

const PIDR2 = 0xffe8;
const GROUP_1S = GROUPS.indexOf('1S');
const TYPER_LPIS = 0x2_0000;
const TYPER_PLPIS = 1;
const TYPER_NMI = mask(GICD.GICD_TYPER, 'NMI');
const TYPER_LINES = mask(GICD.GICD_TYPER, 'ITLinesNumber');
/** GICD_TYPER.ITLinesNumber for the 256 SPIs of virt; QEMU versions before 9.0 have one less. */
const ALL_LINES = 8;
const DS = mask(GICD.GICD_CTLR, 'DS');
const SECURITY_EXTN = mask(GICD.GICD_TYPER, 'SecurityExtn');
const VIRT = {
  gicd: 0x0800_0000,
  its: 0x0808_0000,
  gicr: 0x080a_0000,
  /** The first region of Redistributors ends here; the second one begins at an address that depends on the RAM. */
  gicrEnd: 0x0900_0000,
  gicrAbove: 0x40_0000_0000,
  typer: { 3: 0x37a_0007, 4: 0x37e_0007 },
  iidr: 0x43b,
  pidr2: { 3: 0x3b, 4: 0x4b },
  gicrTyper: { 3: 0x100_0001, 4: 0x100_0003 },
  gitsTyper: { 3: '0x1f0001efb1', 4: '0x3f0001efb3' },
  baser: {
    3: ['0x107000000000200', '0x407000000000200'],
    4: ['0x107000000000200', '0x407000000000200', '0x207000000000200'],
  },
  priorityBits: 5,
} as const;

/** The affinity (Aff1.Aff0) of the n-th PE. QEMU's virt machine puts 16 PEs into a cluster. */
export function affinityOf(pe: number): number {
  return ((pe >> 4) << 8) | (pe & 0xf);
}
/** The index of the PE with this packed affinity. */
export function peOf(affinity: number): number {
  return ((affinity >> 8) & 0xff) * 16 + (affinity & 0xff);
}

export class Identity {
  private readonly values = new Map<string, number | bigint>();
  private sawIts = false;
  private sawDate = false;
  private hasTyper2: boolean | undefined;
  private sawVirtual = false;
  private sawSecure = false;
  private sawFiq = false;
  private sawGroup1S = false;
  private sawShifted = false;
  /**
   * Numbers of Non-secure reads of GICD_CTLR: without DS, and with DS. DS is always 1 in a GIC with one Security state.
   */
  private readonly ds = [0, 0];
  /** Groups of interrupts that were signalled before the first Secure access: one bit each. */
  private groupsBefore = 0;
  /** The highest PE number to which table entries map collections, and to which commands do. */
  private mapped = -1;
  private named = -1;
  private pes = new NamedPes();
  last = -1;
  gicdBase = -1;
  gitsBase = -1;
  readonly gicrBase = new Map<number, number>();
  /** By PE: how many more reads of GICR_TYPER had Last than had it not. */
  private readonly lasts = new Map<number, number>();
  private stride = -1;

  /** An identity that continues from what another one knows, which may come from another thread, without any methods. */
  static copyOf(known: Partial<Identity> = {}): Identity {
    const copy = Object.assign(new Identity(), structuredClone({ ...known }));
    copy.pes = Object.assign(new NamedPes(), copy.pes);
    return copy;
  }

  /** Notes a register read. Identity registers are remembered. */
  read(frame: FrameName, instance: number, offset: number, width: number, low: number, high: number): void {
    const set = (name: string, value: number | bigint) => {
      if (!this.values.has(name)) this.values.set(name, value);
    };
    if (frame === 'GICD') {
      if (offset === GICD.GICD_TYPER.offset) set('gicd.typer', low);
      else if (offset === GICD.GICD_CTLR.offset && width === 4) this.ds[low & DS ? 1 : 0]!++;
      else if (offset === GICD.GICD_IIDR.offset) set('gicd.iidr', low);
      else if (offset === PIDR2) set('gicd.pidr2', low);
    } else if (frame === 'GICR') {
      if (offset === GICR.GICR_TYPER.offset) {
        set('gicr.typer', (low & ~0xff_ff10) >>> 0);
        this.lasts.set(instance, (this.lasts.get(instance) ?? 0) + (low & 0x10 ? 1 : -1));
        if (low & 0x10) this.last = instance;
        // Another Redistributor follows.
        else this.showPe(instance + 1);
      } else if (offset === GICR.GICR_IIDR.offset) set('gicr.iidr', low);
      else if (offset === PIDR2) set('gicr.pidr2', low);
    } else if (frame === 'GITS') {
      this.sawIts = true;
      if (offset === GITS.GITS_TYPER.offset && width === 8)
        set('gits.typer', (BigInt(high) << 32n) | BigInt(low));
      else if (offset === GITS.GITS_IIDR.offset) set('gits.iidr', low);
      else if (offset === PIDR2) set('gits.pidr2', low);
      else if (offset >= 0x100 && offset < 0x140 && width === 8)
        set(`gits.baser${(offset - 0x100) / 8}`, (BigInt(high) << 32n) | BigInt(low));
    }
  }

  /** ICC_CTLR_EL1 as read. */
  readCtlr(low: number): void {
    if (!this.values.has('priorityBits')) {
      this.values.set('priorityBits', ((low >> 8) & 7) + 1);
      this.values.set('intidBits', (low >> 11) & 7 ? 24 : 16);
    }
  }

  /** ICH_VTR_EL2 as read. */
  readVtr(low: number): void {
    if (!this.values.has('vtr')) this.values.set('vtr', low);
  }

  /** Notes that a line has a date instead of a thread, as QEMU 10.2 and later print it. */
  showDate(): void {
    this.sawDate = true;
  }

  /** Notes whether QEMU treats GICD_TYPER2 as a register or reports the access as a bad one. */
  showTyper2(isRegister: boolean): void {
    this.hasTyper2 ??= isRegister;
  }

  /** The profile of the QEMU version that the log reveals; `undefined` if it reveals none. */
  private get shownProfile(): string | undefined {
    if (this.hasTyper2 ?? this.sawDate) return 'qemu-11.1';
    const typer = Number(this.values.get('gicd.typer') ?? 0);
    const isVirt = this.gicdBase < 0 || this.gicdBase === VIRT.gicd;
    return typer & TYPER_NMI || (isVirt && (typer & TYPER_LINES) === ALL_LINES) ? 'qemu-10.0' : undefined;
  }

  /** Notes that the log contains ITS activity. */
  showIts(): void {
    this.sawIts = true;
  }

  /** Notes that the log contains vLPIs, which only GICv4 has. */
  showVirtualLpis(): void {
    this.sawVirtual = true;
  }

  /**
   * Notes that a Group 1 interrupt was signalled as an FIQ. The interrupt belongs to the other Security state, so there
   * are two, and the PE is not in Non-secure state.
   */
  showFiq(): void {
    this.sawFiq = true;
  }

  /**
   * Notes whether priorities are signalled differently from how Non-secure software wrote them. If so, the GIC has two
   * Security states.
   */
  showShifted(isShifted: boolean): void {
    this.sawShifted = isShifted;
  }

  /** Notes a Secure access: the GIC has two Security states. */
  showSecure(): void {
    this.sawSecure = true;
  }

  /** Notes that an interrupt of this group (an index into GROUPS) is pending for a PE. */
  showGroup(group: number): void {
    if (!this.sawSecure) this.groupsBefore |= 1 << group;
    if (group === GROUP_1S) this.sawGroup1S = true;
  }

  /** The highest PE number that a line names; -1 if none does. */
  get highestPe(): number {
    return this.pes.highest;
  }

  /** Notes that a line names a PE. */
  showPe(pe: number): void {
    this.pes.add(pe);
  }

  /** Notes that a table entry, or a command, maps a collection or a vPE to this PE number. A command may be refused. */
  showMapped(pe: number, isEntry: boolean): void {
    if (pe >= PES_MAX) return;
    if (isEntry) this.mapped = Math.max(this.mapped, pe);
    else this.named = Math.max(this.named, pe);
  }

  /** The highest PE number in the log, for a log in which no Redistributor was read to be the last one. */
  private get lastShown(): number {
    return Math.max(this.pes.highest, this.mapped >= 0 ? this.mapped : this.named);
  }

  /** Notes the address of an access to a PE's Redistributor, less the offset of the register. */
  showRedistributor(pe: number, base: number): void {
    if (!this.gicrBase.has(pe)) this.gicrBase.set(pe, base);
  }

  /** Whether nothing more can be learnt from waiting. */
  get complete(): boolean {
    const typer = this.values.get('gicd.typer');
    if (this.last < 0 || typer === undefined || !this.values.has('priorityBits')) return false;
    // If LPIs are supported, lines about an ITS may still follow.
    return (
      (Number(typer) & TYPER_LPIS) === 0 || (this.values.has('gits.typer') && this.values.has('gits.baser1'))
    );
  }

  /** The architecture version that was read from the GIC's PIDR2, or that the features in use require. */
  get shown(): 3 | 4 | undefined {
    const pidr2 =
      this.values.get('gicd.pidr2') ?? this.values.get('gicr.pidr2') ?? this.values.get('gits.pidr2');
    if (pidr2 === undefined) return this.sawVirtual ? 4 : undefined;
    return Number(pidr2) >> 4 === 4 ? 4 : 3;
  }

  /** The number of bytes from one Redistributor to the next. */
  strideOf(architecture: 3 | 4): number {
    return this.stride > 0 ? this.stride : architecture === 4 ? 0x4_0000 : 0x2_0000;
  }

  /**
   * The addresses of the Redistributors. Each follows the one before it, if the log does not say otherwise. In virt's map
   * the first region has no space for more than 123 of them (61 in GICv4).
   */
  private redistributors(count: number, stride: number): number[] {
    const bases: number[] = [];
    for (let pe = 0; pe < count; pe++) {
      const next = pe === 0 ? VIRT.gicr : bases[pe - 1]! + stride;
      // In another map the region goes on, and then GICR_TYPER does not have Last here.
      const isFull = bases[0] === VIRT.gicr && next > VIRT.gicrEnd - stride && next <= VIRT.gicrEnd && pe > 0;
      const isEnd = isFull && (this.lasts.get(pe - 1) ?? 0) >= 0;
      bases.push(this.gicrBase.get(pe) ?? (isEnd ? VIRT.gicrAbove : next));
    }
    return bases;
  }

  /**
   * Whether interrupts reset to Group 1. They do if the GIC has two Security states and no access has been Secure,
   * because QEMU then took the place of the firmware. A Group 0 interrupt would contradict this.
   */
  private resetsNonSecure(typer: number, provenance: Provenance): boolean {
    if ((typer & SECURITY_EXTN) === 0) return false;
    const resets = !this.sawSecure && !this.sawFiq && (this.groupsBefore & 1) === 0;
    if (resets) provenance.resetNonSecure = 'rule reset-group-1';
    return resets;
  }

  /** The configuration, and where each part of it came from. `machine` is what is known from elsewhere than the log. */
  decide(options: ImportOptions, machine: KnownMachine = {}): { config: GicConfig; provenance: Provenance } {
    const provenance: Provenance = {};
    const pick = <T extends number | bigint>(name: string, fallback: T): T => {
      const value = this.values.get(name);
      provenance[name] = value === undefined ? 'default' : 'log';
      return (value ?? fallback) as T;
    };
    const { shown } = this;
    const architecture = options.gic ?? machine.gic ?? shown ?? 3;
    const otherwise = (name: keyof KnownMachine, log: Origin): Origin =>
      options[name] !== undefined ? 'option' : machine[name] !== undefined ? 'machine' : log;
    provenance.architecture = otherwise('gic', shown !== undefined ? 'log' : 'default');
    if (options.pes === undefined && machine.pes === undefined) this.pes.refuseStray();
    const count =
      options.pes ??
      machine.pes ??
      (this.last >= 0 ? Math.max(this.last, this.pes.highest) + 1 : Math.max(1, this.lastShown + 1));
    provenance.pes = otherwise('pes', this.last >= 0 ? 'log' : this.lastShown >= 0 ? 'counted' : 'default');
    let typer: number = pick<number>('gicd.typer', VIRT.typer[architecture]);
    const sawTwo =
      this.sawShifted ||
      this.sawGroup1S ||
      this.sawSecure ||
      this.sawFiq ||
      (this.ds[0]! > 0 && this.ds[1] === 0);
    const gicrTyper = this.values.get('gicr.typer');
    // Redistributors support LPIs if, and only if, the Distributor does.
    if (provenance['gicd.typer'] === 'default' && gicrTyper !== undefined)
      typer = Number(gicrTyper) & TYPER_PLPIS ? typer | TYPER_LPIS : typer & ~TYPER_LPIS;
    if (sawTwo && (typer & SECURITY_EXTN) === 0 && provenance['gicd.typer'] === 'default')
      typer |= SECURITY_EXTN;
    const withIts = options.its ?? machine.its ?? this.sawIts;
    provenance.its = otherwise('its', 'log');
    const { shownProfile } = this;
    const profile = options.profile ?? machine.profile ?? shownProfile;
    if (profile !== undefined) provenance.profile = otherwise('profile', 'log');
    const defaults = VIRT.baser[architecture];
    const baser = Array.from({ length: 8 }, (_, n) => {
      const fallback = BigInt(defaults[n] ?? '0x0');
      return `0x${pick(`gits.baser${n}`, fallback).toString(16)}`;
    });
    const stride = this.strideOf(architecture);
    provenance['addresses.gicr'] = this.gicrBase.size > 0 ? 'log' : 'default';
    provenance['addresses.gicd'] = this.gicdBase >= 0 ? 'log' : 'default';
    provenance['addresses.its'] = this.gitsBase >= 0 ? 'log' : 'default';
    const config: GicConfig = {
      profile: profile ?? 'qemu-virt',
      architecture,
      pes: Array.from({ length: count }, (_, pe) => ({ affinity: affinityOf(pe) })),
      gicd: {
        typer,
        iidr: pick('gicd.iidr', VIRT.iidr),
        pidr2: pick('gicd.pidr2', VIRT.pidr2[architecture]),
      },
      gicr: {
        typer: pick('gicr.typer', VIRT.gicrTyper[architecture]),
        iidr: pick('gicr.iidr', VIRT.iidr),
        pidr2: pick('gicr.pidr2', VIRT.pidr2[architecture]),
      },
      its: withIts
        ? [
            {
              typer: `0x${pick('gits.typer', BigInt(VIRT.gitsTyper[architecture])).toString(16)}`,
              iidr: pick('gits.iidr', VIRT.iidr),
              pidr2: pick('gits.pidr2', VIRT.pidr2[architecture]),
              baser,
            },
          ]
        : [],
      priorityBits: options.priorityBits ?? pick('priorityBits', VIRT.priorityBits),
      intidBits: pick('intidBits', 24) as 16 | 24,
      ...(this.values.has('vtr') ? { vtr: pick('vtr', 0) } : {}),
      ...(this.resetsNonSecure(typer, provenance) ? { resetNonSecure: true } : {}),
      addresses: {
        gicd: this.gicdBase >= 0 ? this.gicdBase : VIRT.gicd,
        gicr: this.redistributors(count, stride),
        its: withIts ? [this.gitsBase >= 0 ? this.gitsBase : VIRT.its] : [],
      },
    };
    if (!withIts)
      for (const name of Object.keys(provenance))
        if (name.startsWith('gits.') || name === 'addresses.its') delete provenance[name];
    for (const name of Object.keys(provenance))
      if (name.startsWith('gits.baser') && BigInt(baser[Number(name.slice(10))]!) === 0n)
        delete provenance[name];
    return { config, provenance };
  }
}
