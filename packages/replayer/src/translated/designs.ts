// Finds designs by the names that users give.
import { GicTraceError } from '@gictrace/core';
import { DESIGNS, type Design } from '@gictrace/core/irqchip';
import { PROFILES } from '@gictrace/core/profile';
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
      `designs: ${Object.keys(DESIGNS).join(', ')}`,
    );
  if (profile === undefined) return design;
  if (!Object.hasOwn(PROFILES, profile))
    throw new GicTraceError(
      'usage',
      `there is no profile '${profile}'`,
      {},
      `profiles: ${Object.keys(PROFILES).join(', ')}`,
    );
  return { ...design, name: text, profile };
}

/** The designs with these names, or all. */
export function designsNamed(names: readonly string[] | undefined): readonly Design[] {
  return names === undefined ? Object.values(DESIGNS) : [...new Set(names)].map(designNamed);
}

/** A design on the machine of a scenario: under the scenario's profile, if it has one and the user gave none. */
export function ofScenario(design: Design, { profile }: Scenario): Design {
  return profile === undefined || design.name.includes('@') ? design : { ...design, profile };
}
