// What hardware a profile has: the facts that its identification registers tell, and a configuration made of them.
// A recording brings its own identification registers; these are for tests, conformance and scenarios.
import type { GicConfig } from '../config.ts';

export interface Hardware {
  /** GICD_PIDR2.ArchRev: 3, or 4 for GICv4.0 and 4.1. */
  readonly architecture: 3 | 4;
  /** Two Security states (GICD_TYPER.SecurityExtn). */
  readonly twoSecurityStates: boolean;
  /** SPIs up to INTID 32 × lines − 1. */
  readonly lines: number;
  /** Number of ITSs. */
  readonly its: number;
  /** Direct injection of LPIs (GICR_TYPER.DirectLPI). */
  readonly directLpi: boolean;
  /** Message-based SPIs (GICD_TYPER.MBIS). */
  readonly mbis: boolean;
  /** 1 of N SPIs (GICD_TYPER.No1N = 0), with GICR_CTLR.DPG bits. */
  readonly oneOfN: boolean;
  /** Extended SPIs in units of 32 (GICD_TYPER.ESPI_range + 1); 0: none. */
  readonly extendedSpis: number;
  /** Extended PPIs: 0, 32 or 64 (GICR_TYPER.PPInum). */
  readonly extendedPpis: 0 | 32 | 64;
  /** Non-maskable interrupts (GICD_TYPER.NMI). */
  readonly nmi: boolean;
  /** GICv4.0 or 4.1 virtual LPIs; `none` without. */
  readonly virtualLpis: 'none' | '4.0' | '4.1';
  readonly priorityBits: number;
}

/** A GICv3 with an ITS and nothing optional. */
export const PLAIN: Hardware = {
  architecture: 3,
  twoSecurityStates: false,
  lines: 8,
  its: 1,
  directLpi: false,
  mbis: false,
  oneOfN: false,
  extendedSpis: 0,
  extendedPpis: 0,
  nmi: false,
  virtualLpis: 'none',
  priorityBits: 5,
};

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** GITS_TYPER: 16 bits of EventID and DeviceID, 16 of ICID, 12 bytes an ITT entry. */
function gitsTyper(hardware: Hardware): bigint {
  let typer = 0x1f_0001_efb1n;
  if (hardware.virtualLpis !== 'none') typer |= 2n | (1n << 37n);
  if (hardware.virtualLpis === '4.1') typer |= (1n << 39n) | (1n << 40n) | (1n << 41n);
  return typer;
}

/** A configuration with `pes` PEs in a row of affinities. */
export function configOf(profile: string, hardware: Hardware, pes = 2): GicConfig {
  const lpis = hardware.its > 0 || hardware.directLpi;
  const gicd =
    (hardware.lines - 1) |
    (hardware.extendedSpis > 0 ? 0x100 | ((hardware.extendedSpis - 1) << 27) : 0) |
    (hardware.nmi ? 0x200 : 0) |
    (hardware.twoSecurityStates ? 0x400 : 0) |
    (hardware.mbis ? 0x1_0000 : 0) |
    (lpis ? 0x2_0000 : 0) |
    (hardware.virtualLpis !== 'none' ? 0x4_0000 : 0) |
    (15 << 19) |
    0x100_0000 |
    (hardware.oneOfN ? 0 : 0x200_0000);
  const gicr =
    (lpis ? 1 : 0) |
    (hardware.virtualLpis !== 'none' ? 2 : 0) |
    (hardware.directLpi ? 8 : 0) |
    (hardware.oneOfN ? 0x20 : 0) |
    (hardware.virtualLpis === '4.1' ? 0x400_0080 : 0) |
    ((hardware.extendedPpis / 32) << 27);
  const pidr2 = hardware.architecture === 4 ? 0x4b : 0x3b;
  const stride = hardware.virtualLpis === 'none' ? 0x2_0000 : 0x4_0000;
  const baser = ['0x107000000000200', '0x407000000000200', '0x0', '0x0', '0x0', '0x0', '0x0', '0x0'];
  if (hardware.virtualLpis === '4.0') baser[2] = '0x207000000000200';
  if (hardware.virtualLpis === '4.1') baser[2] = '0x21f000000000200';
  return {
    profile,
    architecture: hardware.architecture,
    pes: Array.from({ length: pes }, (_, affinity) => ({ affinity })),
    gicd: { typer: gicd >>> 0, iidr: 0x43b, pidr2 },
    gicr: { typer: gicr >>> 0, iidr: 0x43b, pidr2 },
    its: Array.from({ length: hardware.its }, () => ({
      typer: hex(gitsTyper(hardware)),
      iidr: 0x43b,
      pidr2,
      baser,
    })),
    priorityBits: hardware.priorityBits,
    intidBits: 24,
    addresses: {
      gicd: 0x800_0000,
      gicr: Array.from({ length: pes }, (_, pe) => 0x80a_0000 + pe * stride),
      its: Array.from({ length: hardware.its }, (_, n) => 0x808_0000 + n * 0x4000_0000),
    },
  };
}
