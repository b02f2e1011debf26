// The hardware of a profile: what its identification registers say, and a configuration made from them. A recording has
// its own identification registers; these are for tests, conformance and scenarios.
import type { GicConfig } from '../config.ts';
import { GICD, GICR, GITS, packFields } from '../spec/index.ts';

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
  /** Virtual LPIs of GICv4.0 or GICv4.1, or `none`. */
  readonly virtualLpis: 'none' | '4.0' | '4.1';
  /** GICR_TYPER.CommonLPIAff: the affinity levels that Redistributors with common tables of LPIs share; 0: all have common tables. */
  readonly commonLpiAff: 0 | 1 | 2 | 3;
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
  commonLpiAff: 0,
  priorityBits: 5,
};

/** GITS_BASER<n>.Page_Size: 64 KB. */
const PAGES_OF_64_KB = 2;

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** GITS_TYPER: 16 bits of EventID, DeviceID and ICID; 12 bytes per ITT entry. */
function gitsTyper({ virtualLpis }: Hardware): bigint {
  const v4 = virtualLpis === 'none' ? 0 : 1;
  const v41 = virtualLpis === '4.1' ? 1 : 0;
  return packFields(GITS.GITS_TYPER, {
    Physical: 1,
    ITT_entry_size: 12,
    ID_bits: 16,
    Devbits: 16,
    HCC: 0,
    CIDbits: 16,
    CIL: 1,
    Virtual: v4,
    VMOVP: v4,
    VSGI: v41,
    VMAPP: v41,
    SVPET: v41,
  });
}

/** GITS_BASER<n>: what an ITS says about its tables before software has allocated them. */
function gitsBaser({ virtualLpis }: Hardware): string[] {
  const table = (type: number, bytes: number) =>
    hex(packFields(GITS.GITS_BASER, { Type: type, Entry_Size: bytes, Page_Size: PAGES_OF_64_KB, Size: 1 }));
  const vpes = virtualLpis === 'none' ? '0x0' : table(2, virtualLpis === '4.0' ? 8 : 32);
  return [table(1, 8), table(4, 8), vpes, '0x0', '0x0', '0x0', '0x0', '0x0'];
}

/** A configuration with `pes` PEs, whose affinities are consecutive. */
export function configOf(profile: string, hardware: Hardware, pes = 2): GicConfig {
  const lpis = hardware.its > 0 || hardware.directLpi ? 1 : 0;
  const v4 = hardware.virtualLpis === 'none' ? 0 : 1;
  const v41 = hardware.virtualLpis === '4.1' ? 1 : 0;
  const espis = hardware.extendedSpis > 0;
  const gicd = packFields(GICD.GICD_TYPER, {
    ITLinesNumber: hardware.lines - 1,
    ESPI: espis ? 1 : 0,
    ESPI_range: espis ? hardware.extendedSpis - 1 : 0,
    NMI: hardware.nmi ? 1 : 0,
    SecurityExtn: hardware.twoSecurityStates ? 1 : 0,
    MBIS: hardware.mbis ? 1 : 0,
    LPIS: lpis,
    DVIS: v4,
    IDbits: 16,
    A3V: 1,
    No1N: hardware.oneOfN ? 0 : 1,
  });
  const gicr = packFields(GICR.GICR_TYPER, {
    PLPIS: lpis,
    VLPIS: v4,
    DirectLPI: hardware.directLpi ? 1 : 0,
    DPGS: hardware.oneOfN ? 1 : 0,
    RVPEID: v41,
    VSGI: v41,
    CommonLPIAff: hardware.commonLpiAff,
    PPInum: hardware.extendedPpis / 32,
  });
  const pidr2 = hardware.architecture === 4 ? 0x4b : 0x3b;
  const stride = hardware.virtualLpis === 'none' ? 0x2_0000 : 0x4_0000;
  return {
    profile,
    architecture: hardware.architecture,
    pes: Array.from({ length: pes }, (_, affinity) => ({ affinity })),
    gicd: { typer: Number(gicd), iidr: 0x43b, pidr2 },
    gicr: { typer: Number(gicr), iidr: 0x43b, pidr2 },
    its: Array.from({ length: hardware.its }, () => ({
      typer: hex(gitsTyper(hardware)),
      iidr: 0x43b,
      pidr2,
      baser: gitsBaser(hardware),
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
