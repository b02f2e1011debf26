// Stimuli that a target is not given, because what it does with them is not a property of the GIC that is tested. Each has its
// reason, by which they are counted.
import {
  activeGroup,
  checkpointOf,
  eachEvent,
  groupOf,
  groupPriorityMask,
  type Machine,
  mappedDevices,
  priorityOf,
  returnTo,
  routedPe,
  runningPriority,
  step,
  tiesOf,
} from '@gictrace/core/model';
import { actOf, GROUPS, KIND, type RecordBatch } from '@gictrace/core/record';
import {
  FRAMES,
  GICD,
  GICR,
  GITS,
  isSpecial,
  LPI_FIRST,
  mask,
  SPECIAL_FIRST,
  SPI_FIRST,
  SYSREGS,
} from '@gictrace/core/spec';
import { GUEST_MEMORY } from '@gictrace/core/testing';

export interface LeftOut {
  /** Changes record 0 of a batch, a stimulus that has just been generated, so that it does more, with the machine before it. */
  adapt(machine: Machine, batch: RecordBatch): void;
  /**
   * Why record 0 of a batch is left out, with the machine before it; undefined if it is given. Changes nothing: the same
   * stimuli are asked about again and again while a case shrinks.
   */
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
const ENDED_ELSEWHERE =
  "an end of an SPI that is active on another PE: the host's CPU interface ends what is in a list register of the same PE only";
const LPI_IS_ACTIVE =
  'what may make an LPI pending again before its EOI: an LPI has no active state, but the list register of the host that holds it has';
const MOVES_TO_DISABLED =
  'GITS_CWRITER while an LPI is pending and a PE has LPIs disabled: to move an LPI there is UNPREDICTABLE, and KVM presents it';
const GROUP_OFF =
  "ICC_IGRPEN<n>_EL1 is cleared: the host's CPU interface then signals the best interrupt of the other group, whatever is behind";
const ENDED_EARLY =
  "an EOI of an active interrupt whose group priority is not the running priority, as it is not the last that was acknowledged, or its priority or the binary point has changed: the host's CPU interface decides whether it is deactivated";
const GROUP_CHANGED =
  "an EOI of an active interrupt whose group has changed since its acknowledge: the host's CPU interface decides whether it is deactivated";
const NOT_ACTIVE =
  'an EOI of an interrupt that the PE does not have active, which is UNPREDICTABLE: KVM of Linux 6.19 and later may deactivate another, which has no list register then';
const LPI_SPLIT =
  "an acknowledge of an LPI with EOImode 1, or EOImode set while an LPI is acknowledged: the LPI's list register stays in use after its EOI";
const TWO_EVENTS =
  'what maps two events to one LPI, which is UNPREDICTABLE: KVM has one target for it, and the model a target for each event';
const SHARED_ITT =
  'MAPD with the interrupt translation table of another device: KVM keeps the events of each device apart, in its own memory';
const WRITES_TABLE =
  'a write to a device table, a collection table or an interrupt translation table: KVM keeps mappings in its own memory';
const TIMERS =
  "PPIs 16 and 17, which KVM's timers own: their pending and active state is that of the host's interrupt";
/** PPIs that belong to the timers of KVM. */
export const KVM_TIMER_INTIDS: readonly number[] = [16, 17];
const TIMER_BITS = KVM_TIMER_INTIDS.reduce((bits, intid) => bits | (1 << intid), 0);
const LINE_IS_HIGH =
  'GICD_ICFGR<n> of an interrupt whose input line is high: KVM does not follow the line while the interrupt is edge-triggered';
/** From GICR_ISPENDR0 to GICR_ICACTIVER0. */
const OF_STATE = [GICD.GICD_ISPENDR.offset, GICD.GICD_ICACTIVER.offset + 0x80] as const;
const ICFGR = [GICD.GICD_ICFGR.offset, GICD.GICD_ICFGR.offset + 0x100] as const;
/** GIC<x>_PIDR<n> and _CIDR<n>, from this offset of a frame on. */
const IDENTIFICATION = 0xffd0;
const PIDR2 = 0xffe8;
const MOVALL = 0xe;
const GROUP_ENABLES: readonly number[] = [SYSREGS.ICC_IGRPEN0_EL1.encoding, SYSREGS.ICC_IGRPEN1_EL1.encoding];
const ENABLE_LPIS = mask(GICR.GICR_CTLR, 'EnableLPIs');
const GITS_FRAME = FRAMES.indexOf('GITS');
/** The only Group 1 that a GIC with one Security state has. */
const GROUP1 = GROUPS.indexOf('1NS');
const MAPD = 0x8;
const MAPTI = 0xa;
/** ICC_CTLR_EL1.EOImode. */
const SPLIT = mask(SYSREGS.ICC_CTLR_EL1, 'EOImode');
const mapsDevice = (words: Uint32Array): boolean => (words[3]! & 0xff) === MAPD && words[8]! >>> 31 === 1;
/** The low word of ITT_addr of a MAPD, in whole pages. */
const ittOf = (words: Uint32Array): number => words[7]! & ~0xfff;

/** What is known of the host. */
export interface KvmHost {
  readonly listRegisters: number;
  /** Whether KVM counts the EOIs of interrupts that are in no list register (ICH_HCR_EL2.LRENPIE), as of Linux 6.19. */
  readonly countsEois: boolean;
}

/** KVM on a host. */
export class KvmLeftOut implements LeftOut {
  private readonly listRegisters: number;
  private readonly countsEois: boolean;
  /** By PE, LPIs that have been acknowledged and not ended: they have no active state, but a list register. */
  private readonly lpis: number[][];
  /**
   * By PE, LPIs that KVM may have acknowledged in place of this interrupt, which has the same priority. An end of the interrupt
   * is one of what KVM has acknowledged.
   */
  private readonly instead: { readonly lpi: number; readonly of: number }[][];
  /** SPIs that are active, and the PE that has them in a list register. */
  private readonly holders = new Map<number, number>();
  /** The device to which each interrupt translation table was given, by address. */
  private readonly tables = new Map<number, number>();

  constructor({ listRegisters, countsEois }: KvmHost, pes: number) {
    this.listRegisters = listRegisters;
    this.countsEois = countsEois;
    this.lpis = Array.from({ length: pes }, () => []);
    this.instead = Array.from({ length: pes }, () => []);
  }

  /** If a PE runs an LPI, an EOI of Group 1 becomes one of that LPI, as random ones end hardly any. */
  adapt(machine: Machine, batch: RecordBatch): void {
    const pe = batch.pe[0]!;
    const act = physicalActOf(batch);
    const lpi = this.lpis[pe]?.at(-1);
    if (lpi === undefined || act?.does !== 'end' || act.group !== 1) return;
    if (activeGroup(machine.state, pe) !== GROUP1) return;
    if (!this.endsEarly(machine, pe, lpi, GROUP1)) batch.words[1] = lpi;
  }

  before(machine: Machine, batch: RecordBatch): string | undefined {
    const pe = batch.pe[0]!;
    if (batch.kind[0] === KIND['queue.write']) {
      if ((batch.words[3]! & 0xff) === MOVALL) return MOVES_TARGETS;
      if (this.sharesTable(batch)) return SHARED_ITT;
      if (mapsSecondEvent(machine, batch.words)) return TWO_EVENTS;
    }
    if (batch.kind[0] === KIND['mem.write'] && isTable(batch.words[0]!)) return WRITES_TABLE;
    if (batch.kind[0] === KIND['mmio.read'] && identifies(batch.words[2]!)) return NOT_IDENTIFIED;
    if (batch.kind[0] === KIND['mmio.write']) {
      if (concernsTimers(batch)) return TIMERS;
      if (changesTriggerOfHigh(machine, batch)) return LINE_IS_HIGH;
    }
    if (disablesGroup(batch)) return GROUP_OFF;
    if (this.mayPendActiveLpi(machine, batch)) return LPI_IS_ACTIVE;
    if (startsQueue(batch)) {
      if (mayMoveToDisabled(machine)) return MOVES_TO_DISABLED;
      if (endsWith(machine, batch, () => hasSharedLpi(machine))) return TWO_EVENTS;
    }
    if (pe in this.lpis && splitsLpi(machine, batch, this.mayHold(pe))) return LPI_SPLIT;
    const act = physicalActOf(batch);
    if ((act?.does === 'end' || act?.does === 'deactivate') && act.register !== undefined) {
      const holder = this.holders.get(batch.words[1]! & INTID_MASK);
      if (holder !== undefined && holder !== pe) return ENDED_ELSEWHERE;
    }
    if (act?.does === 'end' && act.register !== undefined && pe in this.lpis) {
      const group = activeGroup(machine.state, pe);
      if (group >= 0 && (group === 0) !== (act.group === 0)) return OTHER_GROUP;
      const intid = batch.words[1]! & INTID_MASK;
      if (this.countsEois && !isSpecial(intid) && !this.isActive(machine, pe, intid)) return NOT_ACTIVE;
      if (this.endsEarly(machine, pe, intid, group)) return ENDED_EARLY;
      return this.endsOtherGroup(machine, pe, intid, group) ? GROUP_CHANGED : undefined;
    }
    const more = act?.does === 'acknowledge' ? 1 : activated(batch);
    if (more === 0) return undefined;
    for (let of = 0; of < this.lpis.length; of++)
      if (this.activeOf(machine, of) + more >= this.listRegisters) return NO_LIST_REGISTER;
    return undefined;
  }

  after(machine: Machine, batch: RecordBatch): void {
    this.note(machine, batch);
    const lpis = this.lpis[batch.pe[0]!];
    const act = physicalActOf(batch);
    const instead = this.instead[batch.pe[0]!];
    if (lpis === undefined || instead === undefined || act === undefined) return;
    if (act.does === 'acknowledge') this.noteAcknowledge(machine, batch.pe[0]!, machine.low & INTID_MASK);
    if (act.does !== 'end') return;
    const ended = batch.words[1]! & INTID_MASK;
    const at = lpis.indexOf(ended);
    if (at >= 0) lpis.splice(at, 1);
    this.instead[batch.pe[0]!] = instead.filter(({ of }) => of !== ended);
  }

  private noteAcknowledge(machine: Machine, pe: number, intid: number): void {
    if (isSpecial(intid)) return;
    if (intid >= LPI_FIRST) this.lpis[pe]!.push(intid);
    const priority = priorityOf(machine, pe, intid);
    for (const lpi of machine.state.lpiPending[pe]!)
      if (priorityOf(machine, pe, lpi) === priority) this.instead[pe]!.push({ lpi, of: intid });
  }

  /** Whether a PE may have an LPI in a list register, or, without an INTID, any LPI. */
  private mayHold(pe: number, intid?: number): boolean {
    const isIt = (lpi: number) => intid === undefined || lpi === intid;
    return this.lpis[pe]!.some(isIt) || this.instead[pe]!.some(({ lpi }) => isIt(lpi));
  }

  /** Where interrupts are active, and which tables belong to which device. */
  private note(machine: Machine, batch: RecordBatch): void {
    const { words } = batch;
    if (batch.kind[0] === KIND['queue.write'] && mapsDevice(words)) this.tables.set(ittOf(words), words[4]!);
    const act = physicalActOf(batch);
    if (act?.does === 'acknowledge') {
      const intid = machine.low & INTID_MASK;
      if (intid >= SPI_FIRST && intid < SPECIAL_FIRST) this.holders.set(intid, batch.pe[0]!);
    }
    const { state } = machine;
    state.spi.active.forEach((word, n) => {
      for (let bit = 0; bit < 32; bit++) {
        const index = 32 * n + bit;
        const isActive = ((word >>> bit) & 1) === 1;
        if (!isActive) this.holders.delete(index);
        else if (!this.holders.has(index)) this.holders.set(index, routedPe(state, index));
      }
    });
  }

  /** Whether a message or a command may make an LPI pending that a PE has in a list register. */
  private mayPendActiveLpi(machine: Machine, batch: RecordBatch): boolean {
    const { kind, words } = batch;
    if (!this.lpis.some((_own, pe) => this.mayHold(pe))) return false;
    if (startsQueue(batch)) return true;
    if (kind[0] !== KIND['msi.write'] || words[0]! >= machine.state.itsCount) return false;
    const device = mappedDevices(machine, words[0]!).find(({ deviceId }) => deviceId === words[1]);
    let found = false;
    if (device !== undefined)
      eachEvent(machine, device, (eventId, { intid }) => {
        if (eventId === words[2]) found ||= this.lpis.some((_own, pe) => this.mayHold(pe, intid));
      });
    return found;
  }

  /** Whether an interrupt that a PE has active is of another group now. LPIs are always of Group 1. */
  private endsOtherGroup(machine: Machine, pe: number, intid: number, group: number): boolean {
    if (group < 0 || intid >= LPI_FIRST || !this.isActive(machine, pe, intid)) return false;
    return groupOf(machine.state, pe, intid) !== group;
  }

  /** Whether an interrupt that a PE has active has another group priority than the PE's running priority. */
  private endsEarly(machine: Machine, pe: number, intid: number, group: number): boolean {
    const { state } = machine;
    if (group < 0 || !this.isActive(machine, pe, intid)) return false;
    const mask = groupPriorityMask(state, pe, group);
    return (priorityOf(machine, pe, intid) & mask) !== runningPriority(state, pe);
  }

  /** Whether a PE has an interrupt active. */
  private isActive({ state }: Machine, pe: number, intid: number): boolean {
    if (intid >= LPI_FIRST) return this.lpis[pe]!.includes(intid);
    if (intid >= SPI_FIRST) return this.holders.get(intid) === pe;
    return ((state.ppi.active[state.ppiWords * pe]! >>> intid) & 1) === 1;
  }

  private sharesTable({ words }: RecordBatch): boolean {
    const owner = mapsDevice(words) ? this.tables.get(ittOf(words)) : undefined;
    return owner !== undefined && owner !== words[4];
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

/** Whether a write may make an ITS execute commands. */
function startsQueue({ kind, words }: RecordBatch): boolean {
  if (kind[0] !== KIND['mmio.write'] || words[0] !== GITS_FRAME) return false;
  const register = words[2]! & ~7;
  return register === GITS.GITS_CWRITER.offset || register === GITS.GITS_CTLR.offset;
}

/** Whether an address is that of a table in which the ITS of the generated guest has its mappings. */
function isTable(address: number): boolean {
  const { devices, queue, itt, vpes } = GUEST_MEMORY;
  return (address >= devices && address < queue) || (address >= itt && address < vpes);
}

/** What an access does with a physical interrupt. KVM's guest has no EL2, and its ICV registers reach nothing. */
function physicalActOf(batch: RecordBatch): ReturnType<typeof actOf> {
  const act = actOf(batch, 0);
  return act?.isVirtual ? undefined : act;
}

function disablesGroup({ kind, words }: RecordBatch): boolean {
  return kind[0] === KIND['sysreg.write'] && GROUP_ENABLES.includes(words[0]!) && (words[1]! & 1) === 0;
}

/** Whether something holds after a stimulus, which is taken back. */
function endsWith(machine: Machine, batch: RecordBatch, holds: () => boolean): boolean {
  const { sink, witness } = machine;
  const before = checkpointOf(machine);
  machine.sink = undefined;
  machine.witness = undefined;
  step(machine, batch, 0);
  const held = holds();
  returnTo(machine, before);
  machine.sink = sink;
  machine.witness = witness;
  return held;
}

/** The events that an ITS has mapped, as its number, DeviceID and EventID, by LPI. */
function eventsByLpi(machine: Machine): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (let its = 0; its < machine.state.itsCount; its++)
    for (const device of mappedDevices(machine, its))
      eachEvent(machine, device, (eventId, { intid }) => {
        const event = `${its}:${device.deviceId}:${eventId}`;
        found.set(intid, [...(found.get(intid) ?? []), event]);
      });
  return found;
}
function hasSharedLpi(machine: Machine): boolean {
  return [...eventsByLpi(machine).values()].some(({ length }) => length > 1);
}
/** Whether a command is a MAPTI of an LPI that another event has now. */
function mapsSecondEvent(machine: Machine, words: Uint32Array): boolean {
  if ((words[3]! & 0xff) !== MAPTI) return false;
  const event = `${words[0]}:${words[4]}:${words[5]}`;
  return (eventsByLpi(machine).get(words[6]!) ?? []).some((other) => other !== event);
}

/** Whether an LPI may be acknowledged with EOImode 1, or ended with it because the PE may have acknowledged one. */
function splitsLpi(machine: Machine, batch: RecordBatch, mayHold: boolean): boolean {
  const { state } = machine;
  const pe = batch.pe[0]!;
  if (physicalActOf(batch)?.does === 'acknowledge')
    return (
      (state.ctlr[pe]! & SPLIT) !== 0 &&
      (state.hppiIntid[pe]! >= LPI_FIRST || [...tiesOf(machine, pe)].some(([intid]) => intid >= LPI_FIRST))
    );
  const [register, value] = batch.words;
  const isControl = batch.kind[0] === KIND['sysreg.write'] && register === SYSREGS.ICC_CTLR_EL1.encoding;
  return isControl && (value! & SPLIT) !== 0 && mayHold;
}

function mayMoveToDisabled({ state }: Machine): boolean {
  return (
    state.gicrCtlr.some((ctlr) => (ctlr & ENABLE_LPIS) === 0) && state.lpiPending.some(({ size }) => size > 0)
  );
}

function identifies(offset: number): boolean {
  return offset >= IDENTIFICATION && offset < 0x1_0000 && (offset & ~3) !== PIDR2;
}

function concernsTimers({ words }: RecordBatch): boolean {
  const [frame, , offset, , value] = words;
  const at = offset! - SGI_FRAME;
  return (
    frame === 1 && at >= OF_STATE[0] && at < OF_STATE[1] && at % 0x80 === 0 && (value! & TIMER_BITS) !== 0
  );
}

/** Whether a write changes whether an SPI is edge-triggered whose input line is high. */
function changesTriggerOfHigh({ state }: Machine, { words }: RecordBatch): boolean {
  const [frame, , offset, width, value] = words;
  if (frame !== 0 || offset! < ICFGR[0] || offset! >= ICFGR[1] || width !== 4) return false;
  const first = 4 * (offset! - ICFGR[0]);
  for (let k = 0; k < 16; k++) {
    const index = first + k;
    if (index < 32 || index >= state.irqCount) continue;
    const has = (bits: Uint32Array) => ((bits[index >> 5]! >>> (index & 31)) & 1) === 1;
    const edge = ((value! >>> (2 * k + 1)) & 1) === 1;
    if (has(state.spi.level) && has(state.spi.edge) !== edge) return true;
  }
  return false;
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
