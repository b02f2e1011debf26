// The conformance guest for tests of the model, made from the name of a profile.
import type { GicConfig } from '../config.ts';
import { Guest } from '../conformance/guest.ts';
import { configOf, type Hardware, PLAIN, PROFILES, type Profile } from '../profile/index.ts';

/** Makes a profile that differs from another one in some choices, and returns its name. */
export function variant(base: string, changes: Partial<Profile>): string {
  const name = `${base}+${JSON.stringify(changes)}`;
  // It is found by its name, but not listed among those that ship.
  Object.defineProperty(PROFILES, name, {
    value: { ...PROFILES[base]!, ...changes, name },
    enumerable: false,
    configurable: true,
  });
  return name;
}

/** Bits of GICD_TYPER and GICR_TYPER that tests set or clear in the configuration. */
export interface TestGic {
  readonly pes?: number;
  readonly set?: number;
  readonly clear?: number;
  readonly gicr?: number;
}
export const TYPER = {
  ESPI: 0x100,
  NMI: 0x200,
  SecurityExtn: 0x400,
  MBIS: 0x1_0000,
  No1N: 0x200_0000,
  RSS: 0x400_0000,
} as const;
/** A GIC with features that the usual test GIC lacks. */
export function featured(profile: string, { pes = 2, set = 0, clear = 0, gicr = 0 }: TestGic): Driver {
  const config = testConfig(profile, pes);
  const typer = ((config.gicd.typer & ~clear) | set) >>> 0;
  return new Driver(profile, pes, {
    ...config,
    gicd: { ...config.gicd, typer },
    gicr: { ...config.gicr, typer: (config.gicr.typer | gicr) >>> 0 },
  });
}

/** A GICv3 with one ITS, like that of QEMU's virt machine. */
export function testConfig(profile: string, pes = 2, hardware: Partial<Hardware> = {}): GicConfig {
  return configOf(profile, { ...PLAIN, ...hardware }, pes);
}

export class Driver extends Guest {
  constructor(profile: string, pes = 2, config: GicConfig = testConfig(profile, pes)) {
    super(config);
  }
}
