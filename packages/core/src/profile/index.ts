// The profiles that exist, by name.
import { GicTraceError } from '../errors.ts';
import { architecture } from './profiles/architecture.ts';
import { gic600, gic700 } from './profiles/arm.ts';
import { hyperv } from './profiles/hyperv.ts';
import { kvm } from './profiles/kvm.ts';
import { qemu72, qemu100, qemu111 } from './profiles/qemu.ts';
import type { Profile } from './shape.ts';

export {
  type AcceptedRange,
  CHOICES,
  type ChoiceName,
  type ItsErrorPolicy,
  type LpiConfigPolicy,
  type NonSecureAp1r,
} from './choices.ts';
export { configOf, type Hardware, PLAIN } from './hardware.ts';
export type { Deviation, Profile } from './shape.ts';

/** Other names of profiles. */
export const PROFILE_ALIASES: Readonly<Record<string, string>> = { 'qemu-virt': 'qemu-7.2' };

/** Profiles by name. An alias finds its profile too, but is not listed among the names. */
export const PROFILES: Readonly<Record<string, Profile>> = Object.fromEntries(
  [architecture, qemu72, qemu100, qemu111, kvm, gic600, gic700, hyperv].map((one) => [one.name, one]),
);
for (const [alias, name] of Object.entries(PROFILE_ALIASES))
  Object.defineProperty(PROFILES, alias, { value: PROFILES[name] });

/** The profile of a QEMU by its version, such as 10.0.13: the last one that is not newer, or the first. */
export function qemuProfile(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isFrom = (from: number, and: number) => major > from || (major === from && minor >= and);
  return isFrom(10, 2) ? qemu111.name : isFrom(9, 1) ? qemu100.name : qemu72.name;
}

/**
 * The profile of a name.
 * @throws GicTraceError `trace` if this version of gictrace has none of that name: a newer one wrote the configuration.
 */
export function profileNamed(name: string): Profile {
  if (Object.hasOwn(PROFILES, name)) return PROFILES[name]!;
  throw new GicTraceError(
    'trace',
    `no profile '${name}'`,
    {},
    `this version has ${Object.keys(PROFILES).join(', ')}`,
  );
}
