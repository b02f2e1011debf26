// Stimuli that a target is not given, because what it does with them is not a property of the GIC that is tested. Each has its
// reason, by which they are counted.
import { activeGroup, type Machine } from '@gictrace/core/model';
import { actOf, KIND, type RecordBatch } from '@gictrace/core/record';
import { GICD, LPI_FIRST } from '@gictrace/core/spec';

export interface LeftOut {
  /** Why record 0 of a batch is left out, with the machine before it; undefined if it is given. */
  before(machine: Machine, batch: RecordBatch): string | undefined;
  /** Record 0 of a batch has run. */
  after(machine: Machine, batch: RecordBatch): void;
}

const INTID_MASK = 0xff_ffff;
/** From GICD_ISACTIVER<n> to GICD_ICACTIVER<n>, and the same offsets of a Redistributor's SGI frame. */
const ISACTIVER = [GICD.GICD_ISACTIVER.offset, GICD.GICD_ICACTIVER.offset] as const;
const SGI_FRAME = 0x1_0000;

/** Of the host, and not of KVM. */
const OTHER_GROUP =
  "an EOI register of another group than the running priority's: the host's CPU interface decides whether it drops the priority";
const NO_LIST_REGISTER =
  'as many active interrupts as the host has list registers, so that KVM can present nothing else';

const MOVES_TARGETS =
  'MOVALL: KVM makes the other PE the target of these LPIs, and not only of those that are pending, until MOVI or MAPC';
const NOT_IDENTIFIED =
  'an identification register that a configuration does not have: PIDR and CIDR other than PIDR2';
/** GIC<x>_PIDR<n> and _CIDR<n>, from this offset of a frame on. */
const IDENTIFICATION = 0xffd0;
const PIDR2 = 0xffe8;
const MOVALL = 0xe;

/** KVM on a host with this many list registers. */
export class KvmLeftOut implements LeftOut {
  private readonly listRegisters: number;
  /** By PE, LPIs that have been acknowledged and not ended: they have no active state, but a list register. */
  private readonly lpis: number[][];

  constructor(listRegisters: number, pes: number) {
    this.listRegisters = listRegisters;
    this.lpis = Array.from({ length: pes }, () => []);
  }

  before(machine: Machine, batch: RecordBatch): string | undefined {
    const pe = batch.pe[0]!;
    if (batch.kind[0] === KIND['queue.write'] && (batch.words[3]! & 0xff) === MOVALL) return MOVES_TARGETS;
    if (batch.kind[0] === KIND['mmio.read'] && identifies(batch.words[2]!)) return NOT_IDENTIFIED;
    const act = actOf(batch, 0);
    if (act?.does === 'end' && act.register !== undefined && pe in this.lpis) {
      const group = activeGroup(machine.state, pe);
      return group >= 0 && (group === 0) !== (act.group === 0) ? OTHER_GROUP : undefined;
    }
    const more = act?.does === 'acknowledge' ? 1 : activated(batch);
    if (more === 0) return undefined;
    for (let of = 0; of < this.lpis.length; of++)
      if (this.activeOf(machine, of) + more >= this.listRegisters) return NO_LIST_REGISTER;
    return undefined;
  }

  after(machine: Machine, batch: RecordBatch): void {
    const lpis = this.lpis[batch.pe[0]!];
    const act = actOf(batch, 0);
    if (lpis === undefined || act === undefined) return;
    if (act.does === 'acknowledge' && (machine.low & INTID_MASK) >= LPI_FIRST)
      lpis.push(machine.low & INTID_MASK);
    if (act.does !== 'end') return;
    const at = lpis.indexOf(batch.words[1]! & INTID_MASK);
    if (at >= 0) lpis.splice(at, 1);
  }

  /** The number of active interrupts that a PE may have in list registers: its own, and all SPIs, which may be anywhere. */
  private activeOf({ state }: Machine, pe: number): number {
    const { ppiWords, ppi, spi } = state;
    let count = this.lpis[pe]!.length;
    for (let n = 0; n < ppiWords; n++) count += ones(ppi.active[ppiWords * pe + n]!);
    for (const word of spi.active) count += ones(word);
    return count;
  }
}

function identifies(offset: number): boolean {
  return offset >= IDENTIFICATION && offset < 0x1_0000 && (offset & ~3) !== PIDR2;
}

/** How many interrupts a write may make active: the bits of GICD_ISACTIVER<n> or GICR_ISACTIVER0. */
function activated(batch: RecordBatch): number {
  if (batch.kind[0] !== KIND['mmio.write']) return 0;
  const [frame, , offset] = batch.words;
  const at = frame === 1 ? offset! - SGI_FRAME : offset!;
  if (frame! > 1 || at < ISACTIVER[0] || at >= ISACTIVER[1]) return 0;
  return ones(batch.words[4]!) + ones(batch.words[5]!);
}

function ones(word: number): number {
  let count = 0;
  for (let left = word >>> 0; left !== 0; left &= left - 1) count++;
  return count;
}
