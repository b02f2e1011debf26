// Finds designs by the names that users give.
import { didYouMean, type GicConfig, GicTraceError } from '@gictrace/core';
import { GICV5_PROFILES } from '@gictrace/core/gicv5';
import { DESIGNS, type Design } from '@gictrace/core/irqchip';
import { PROFILES, profileNamed } from '@gictrace/core/profile';
import type { Scenario } from '@gictrace/recorder';

/**
 * The design with this name, under another profile of the simulator if `@PROFILE` follows.
 * @throws GicTraceError `usage` for an unknown name.
 */
export function designNamed(text: string): Design {
  const [name, profile] = text.split('@') as [string, string | undefined];
  const design = Object.hasOwn(DESIGNS, name) ? DESIGNS[name]! : undefined;
  if (design === undefined)
    throw new GicTraceError(
      'usage',
      `there is no design '${name}'`,
      {},
      `${didYouMean(name, Object.keys(DESIGNS))}designs: ${Object.keys(DESIGNS).join(', ')}`,
    );
  if (profile === undefined) return design;
  const profiles = design.hardware.architecture === 5 ? GICV5_PROFILES : PROFILES;
  if (!Object.hasOwn(profiles, profile))
    throw new GicTraceError(
      'usage',
      `there is no profile '${profile}'`,
      {},
      `profiles: ${Object.keys(profiles).join(', ')}`,
    );
  return { ...under(design, profile), name: text };
}

/** A design under another profile, whose GIC says which Redistributors share tables; the rest of the hardware is the design's. */
function under(design: Design, profile: string): Design {
  const { hardware } = design;
  if (hardware.architecture === 5) return { ...design, profile };
  const { commonLpiAff } = PROFILES[profile]!.hardware;
  return { ...design, profile, hardware: { ...hardware, commonLpiAff } };
}

/** The designs with these names, or all. */
export function designsNamed(names: readonly string[] | undefined): readonly Design[] {
  return names === undefined ? Object.values(DESIGNS) : [...new Set(names)].map(designNamed);
}

/**
 * A design on the machine of a scenario: under the scenario's profile, if it has one and the user gave none. A profile of a
 * GICv3 says nothing about a GICv5.
 */
export function ofScenario(design: Design, { profile }: Scenario): Design {
  const isOwn = design.name.includes('@') || design.hardware.architecture === 5;
  return profile === undefined || isOwn ? design : under(design, profile);
}

/**
 * Whether the Redistributors of a recorded machine have GICR_INVLPIR beside an ITS (GICR_CTLR.IR). Linux 5.19 and later then
 * invalidates LPIs by it, and sends no INV for them.
 */
export const hasInvlpir = ({ profile, its }: GicConfig): boolean =>
  its.length > 0 && profileNamed(profile).ctlrIr;

/**
 * A design on a machine like the recorded one: Linux's ITS driver uses GICR_INVLPIR if it is there. Everything else that
 * designs can see of a profile is left as each design says. A profile that the user gave stays.
 */
export function ofRecorded(design: Design, config: GicConfig): Design {
  const isOnIts =
    design.serves === 'devices' &&
    design.hardware.architecture !== 5 &&
    design.hardware.its > 0 &&
    design.profile === 'architecture';
  return isOnIts && hasInvlpir(config) && !design.name.includes('@')
    ? { ...design, profile: config.profile }
    : design;
}
