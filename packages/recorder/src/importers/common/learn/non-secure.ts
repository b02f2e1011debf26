// What Non-secure accesses reach: interrupts of Non-secure Group 1, and SPIs that GICD_NSACR<n> grants. Of a log that begins
// in mid-life, either may be unknown.
import { type GicState, groupOf, sharedIndex } from '@gictrace/core/model';
import { RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { firstIntidOf, GICD, isPrivate } from '@gictrace/core/spec';
import { FRAME_GICD, MMIO_WRITE } from '../record-kinds.ts';
import { registerAt } from './registers.ts';
import type { Unknowns } from './unknowns.ts';

const GROUP_1NS = 2;
const PER_WORD = 16;

export class NonSecureAccess {
  private readonly state: GicState;
  private readonly unknowns: Unknowns;
  /** GICD_NSACR<n> had its reset value once, and no value that the source does not show since. */
  private isFromReset: boolean;
  /** SPIs whose field of GICD_NSACR<n> the source has written since, by sixteen. */
  private readonly written = new Set<number>();

  constructor(state: GicState, unknowns: Unknowns) {
    this.state = state;
    this.unknowns = unknowns;
    this.isFromReset = unknowns.start === 'reset' && !unknowns.missing.has('GICD writes');
  }

  /** The GIC was reset, or has another state from here on. */
  reset(isStateUnknown: boolean): void {
    this.isFromReset = !isStateUnknown && !this.unknowns.missing.has('GICD writes');
    this.written.clear();
  }

  /** Record `i` of a group has run. Non-secure writes of GICD_NSACR<n> are ignored. */
  ran(group: RecordBatch, i: number): void {
    const [frame, , offset] = group.words.subarray(i * RECORD_WORDS, i * RECORD_WORDS + 3);
    if (group.kind[i] !== MMIO_WRITE || frame !== FRAME_GICD) return;
    if ((group.flags[i]! & RECORD_FLAGS.secure) === 0) return;
    const name = registerAt(frame, offset!);
    if (name !== 'GICD_NSACR' && name !== 'GICD_NSACRE') return;
    const spec = GICD[name];
    this.written.add(firstIntidOf(spec, (offset! - spec.offset) >> 2)! / PER_WORD);
  }

  /**
   * Whether a Non-secure access reaches an interrupt; undefined if that depends on what the source does not show. `least`:
   * the level of GICD_NSACR<n> from which on the access reaches Secure SPIs; undefined if it never does.
   */
  reaches(pe: number, intid: number, least: number | undefined): boolean | undefined {
    const { state, unknowns } = this;
    const isOwn = groupOf(state, pe, intid) === GROUP_1NS;
    if (isOwn && !unknowns.isUnknown('group', pe, intid)) return true;
    const isGranted = this.grants(intid, least);
    if (isGranted !== false) return isGranted;
    return unknowns.isUnknown('group', pe, intid) ? undefined : isOwn;
  }

  /** Whether GICD_NSACR<n> grants an access of this level; undefined if the source does not show it. */
  grants(intid: number, least: number | undefined): boolean | undefined {
    if (least === undefined || isPrivate(intid)) return false;
    if (!this.isFromReset && !this.written.has(Math.floor(intid / PER_WORD))) return undefined;
    return this.state.spiNsacr[sharedIndex(this.state, intid)]! >= least;
  }
}
