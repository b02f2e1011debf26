// The conformance guest with a profile's name in place of a configuration, for tests of the model.
import type { GicConfig } from '../config.ts';
import { Guest } from '../conformance/guest.ts';
import { configOf, type Hardware, PLAIN } from '../profile/index.ts';

/** A GICv3 like QEMU's virt machine has: one ITS. */
export function testConfig(profile: string, pes = 2, hardware: Partial<Hardware> = {}): GicConfig {
  return configOf(profile, { ...PLAIN, ...hardware }, pes);
}

export class Driver extends Guest {
  constructor(profile: string, pes = 2, hardware: Partial<Hardware> = {}) {
    super(testConfig(profile, pes, hardware));
  }
}
