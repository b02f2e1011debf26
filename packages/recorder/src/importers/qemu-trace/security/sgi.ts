// Decides which register an SGI was generated through. QEMU prints the same line for all three, and which PEs received
// the SGI. The groups that the targets have configured for the SGI decide.
import { groupOf, type Machine, privateIndex } from '@gictrace/core/model';
import { GROUPS } from '@gictrace/core/record';
import { SYSREGS } from '@gictrace/core/spec';

const GROUP_0 = GROUPS.indexOf('0');
const GROUP_1S = GROUPS.indexOf('1S');
const GROUP_1NS = GROUPS.indexOf('1NS');
const SGI0R = SYSREGS.ICC_SGI0R_EL1.encoding;
const SGI1R = SYSREGS.ICC_SGI1R_EL1.encoding;
const ASGI1R = SYSREGS.ICC_ASGI1R_EL1.encoding;

/**
 * The register, by which of the PEs that the write names received the SGI. Of the registers that would have sent it to
 * exactly these PEs, the one whose group is theirs, otherwise the first. `isSecure`: the writer is Secure.
 */
export function sgiRegister(
  m: Machine,
  intid: number,
  targets: readonly number[],
  sent: ReadonlySet<number>,
  isSecure: boolean,
): number {
  const { singleSecurity, singleSecurityOfPes } = m.state;
  const secureGroup1 = singleSecurity ? GROUP_0 : GROUP_1S;
  const own = isSecure && !singleSecurityOfPes ? secureGroup1 : GROUP_1NS;
  const other = isSecure && !singleSecurityOfPes ? GROUP_1NS : secureGroup1;
  const ways = [
    [SGI1R, own],
    [SGI0R, GROUP_0],
    [ASGI1R, other],
  ] as const;
  const groups = targets.map((pe) => groupOf(m.state, pe, intid));
  const able = ways.filter(([, wanted]) =>
    targets.every((pe, k) => reaches(m, pe, intid, wanted, groups[k]!, isSecure) === sent.has(pe)),
  );
  const exact = able.find(([, wanted]) => targets.every((pe, k) => !sent.has(pe) || groups[k] === wanted));
  return (exact ?? able[0] ?? ways[0])[0];
}

/** Whether a write that requests a group makes the SGI pending on a PE that has it in group `own`. */
function reaches(
  m: Machine,
  pe: number,
  intid: number,
  wanted: number,
  own: number,
  isSecure: boolean,
): boolean {
  if (own !== wanted && !(wanted === GROUP_1S && own === GROUP_0)) return false;
  if (isSecure || m.state.singleSecurity || own === GROUP_1NS) return true;
  return m.state.ppiNsacr[privateIndex(m.state, pe, intid)]! >= (own === GROUP_0 ? 1 : 2);
}

/** The PEs that a write names: by affinity, or all but the writer. */
export function sgiTargets(m: Machine, pe: number, low: number, high: number): number[] {
  const cluster = (((high >>> 16) & 0xff) << 24) | ((high & 0xff) << 16) | (((low >>> 16) & 0xff) << 8);
  return m.state.config.pes.flatMap(({ affinity }, to) => {
    if (high & 0x100) return to === pe ? [] : [to];
    const isNamed = ((affinity ^ cluster) & ~0xff) === 0 && ((low & 0xffff) >>> (affinity & 0xff)) & 1;
    return isNamed && (affinity & 0xff) < 16 ? [to] : [];
  });
}
