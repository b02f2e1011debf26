// The profiles that exist, by name.
import { architecture } from './profiles/architecture.ts';
import { gic600, gic700 } from './profiles/arm.ts';
import { hyperv } from './profiles/hyperv.ts';
import { kvm } from './profiles/kvm.ts';
import { qemuVirt } from './profiles/qemu-virt.ts';
import type { Profile } from './shape.ts';

export {
  type AcceptedRange,
  CHOICES,
  type ChoiceName,
  type ItsErrorPolicy,
  type LpiConfigPolicy,
} from './choices.ts';
export { configOf, type Hardware, PLAIN } from './hardware.ts';
export type { Deviation, Profile } from './shape.ts';

export const PROFILES: Readonly<Record<string, Profile>> = Object.fromEntries(
  [architecture, qemuVirt, kvm, gic600, gic700, hyperv].map((one) => [one.name, one]),
);
