// The lives of interrupts: asserted → pended → signalled → acknowledged → EOI → deactivated. One streaming pass
// over stimuli and observables; events add what only they tell. What the source does not show stays NULL.
import {
  FRAMES,
  GICD,
  GICR,
  PEND_CAUSES,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  SYSREGS,
} from '@gictrace/core';
import { type Moment, sqlTime } from './moment.ts';
import type { RowSink } from './rows.ts';
import { STAGES } from './schema.ts';

type Stage = 0 | 1 | 2 | 3 | 4 | 5;
const ASSERTED = 0;
const PENDED = 1;
const SIGNALLED = 2;
const ACKNOWLEDGED = 3;
const EOI = 4;
const DEACTIVATED = 5;

const LPI_FIRST = 8192;
const GICD_FRAME = FRAMES.indexOf('GICD');
const GICR_FRAME = FRAMES.indexOf('GICR');
const ATTRIBUTE_EDGE = 4;
const MOVED = PEND_CAUSES.indexOf('moved');
const EOI_MODE = 2;

interface Life {
  readonly number: number;
  readonly intid: number;
  readonly key: number;
  pe: number;
  cause: string | null;
  its: number;
  deviceId: number;
  eventId: number;
  /** By stage: record number, or -1; and time. */
  readonly records: Int32Array | number[];
  readonly times: number[];
  /** Stimulus under which the life began, and under which it last was asserted. */
  opened: number;
  /** Record at which it ceased to be pending without an acknowledge; -1: it did not. */
  withdrawn: number;
  coalesced: number;
  moved: number;
}

function perPe(intid: number): boolean {
  return intid < 32 || (intid >= 1056 && intid < 1120);
}

/** An interrupt's identity as a small integer: SGIs and PPIs belong to a PE, SPIs and LPIs to the whole GIC. */
function keyOf(intid: number, pe: number): number {
  return perPe(intid) ? -(pe * 2048 + intid + 1) : intid;
}

function isInterrupt(intid: number): boolean {
  return intid < 1020 || intid >= 1024;
}

/** Follows every interrupt of one trace and writes a row for each life that ended. */
export class LifeTracker {
  private readonly moment: Moment;
  private readonly sink: RowSink;
  private readonly waiting = new Map<number, Life>();
  private readonly active = new Map<number, Life>();
  private readonly wireUp = new Set<number>();
  private readonly edge = new Set<number>();
  /** ICC_CTLR_EL1.EOImode by PE, where the trace shows it. */
  private readonly eoiMode = new Map<number, number>();
  private lives = 0;

  constructor(moment: Moment, sink: RowSink) {
    this.moment = moment;
    this.sink = sink;
  }

  /** Sees record `i` of `batch`. MSIs are told by {@link msi} instead, once they are translated. */
  see(batch: RecordBatch, i: number): void {
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    switch (batch.kind[i]) {
      case RECORDS.hppi.id:
        if (w[at + 3]! | w[at + 4]!) this.signal(w[at]!, pe);
        break;
      case RECORDS['sysreg.read'].id:
        if ((batch.flags[i]! & RECORD_FLAGS.valueUnknown) === 0) this.sysreg(pe, w[at]!, w[at + 1]!, true);
        break;
      case RECORDS['sysreg.write'].id:
        this.sysreg(pe, w[at]!, w[at + 1]!, false);
        break;
      case RECORDS['wire.set'].id:
        this.wire(w[at]!, pe, w[at + 1]! !== 0);
        break;
      case RECORDS['sgi.sent'].id: {
        const life = this.assert(w[at]!, pe, 'sgi', this.moment.record, this.moment.timeNs);
        if (life !== undefined) this.mark(life, PENDED);
        break;
      }
      case RECORDS['mmio.read'].id:
        if (batch.flags[i]! & RECORD_FLAGS.valueUnknown) break;
        this.configure(w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!);
        break;
      case RECORDS['mmio.write'].id:
        this.configure(w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!);
        break;
      case RECORDS['wire.changed'].id: {
        const life = this.waiting.get(keyOf(w[at]!, pe));
        if (w[at + 1]! && life !== undefined && !this.isEdge(life.key, life.intid)) this.mark(life, PENDED);
        break;
      }
      case RECORDS['irq.changed'].id:
        if (w[at + 1] === ATTRIBUTE_EDGE) this.setEdge(keyOf(w[at]!, pe), w[at + 2] !== 0);
        break;
      case RECORDS['irq.pended'].id:
        this.pend(w[at]!, pe, w[at + 1]!);
        break;
      case RECORDS['lpi.pended'].id:
        this.pend(w[at]!, pe, w[at + 1]!);
        break;
      case RECORDS['irq.unpended'].id:
      case RECORDS['lpi.cleared'].id:
        this.unpend(w[at]!, pe);
        break;
      case RECORDS['irq.acknowledged'].id:
        this.acknowledge(w[at]!, pe);
        break;
      case RECORDS['irq.deactivated'].id:
        this.deactivate(keyOf(w[at]!, pe));
        break;
      default:
    }
  }

  /** An MSI was translated into an LPI for a PE (-1: not known). Times and numbers are those of the write. */
  msi(intid: number, pe: number, its: number, deviceId: number, eventId: number): void {
    const life = this.assert(intid, pe, 'msi', this.moment.stimulus, this.moment.stimulusNs);
    if (life === undefined) return;
    life.its = its;
    life.deviceId = deviceId;
    life.eventId = eventId;
  }

  /** The trace ended: what still lives is written as it is. */
  finish(): void {
    const rest = [...this.active.values(), ...this.waiting.values()];
    for (const life of rest.sort((a, b) => a.number - b.number)) this.write(life);
    this.active.clear();
    this.waiting.clear();
  }

  private open(key: number, intid: number, pe: number, cause: string | null): Life {
    const life: Life = {
      number: this.lives++,
      intid,
      key,
      pe,
      cause,
      its: -1,
      deviceId: -1,
      eventId: -1,
      records: [-1, -1, -1, -1, -1, -1],
      times: [Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      opened: this.moment.stimulus,
      withdrawn: -1,
      coalesced: 0,
      moved: 0,
    };
    this.waiting.set(key, life);
    return life;
  }

  private mark(life: Life, stage: Stage, record = this.moment.record, timeNs = this.moment.timeNs): void {
    if (life.records[stage] !== -1) return;
    life.records[stage] = record;
    life.times[stage] = timeNs;
  }

  /** A new assertion: of a life that begins, or coalesced with one that waits (then undefined). */
  private assert(intid: number, pe: number, cause: string, record: number, timeNs: number): Life | undefined {
    if (!isInterrupt(intid)) return undefined;
    const key = keyOf(intid, pe);
    let life = this.waiting.get(key);
    if (life !== undefined && life.withdrawn >= 0) {
      this.retire(life);
      life = undefined;
    }
    if (life === undefined) life = this.open(key, intid, pe, cause);
    else if (life.records[ASSERTED] !== -1 || life.opened !== this.moment.stimulus) {
      // The event that this observable or translation tells again, or a further assertion.
      if (life.opened !== this.moment.stimulus) life.coalesced++;
      return undefined;
    }
    life.cause = cause;
    if (pe >= 0) life.pe = pe;
    this.mark(life, ASSERTED, record, timeNs);
    return life;
  }

  private wire(intid: number, pe: number, up: boolean): void {
    const key = keyOf(intid, pe);
    if (up) {
      this.wireUp.add(key);
      this.assert(intid, pe, 'wire', this.moment.record, this.moment.timeNs);
      return;
    }
    this.wireUp.delete(key);
    const life = this.waiting.get(key);
    if (life !== undefined && life.cause === 'wire' && !this.isEdge(key, intid))
      life.withdrawn = this.moment.record;
  }

  private pend(intid: number, pe: number, cause: number): void {
    const key = keyOf(intid, pe);
    let life = this.waiting.get(key);
    if (cause === MOVED && life !== undefined) {
      life.withdrawn = -1;
      life.pe = pe;
      life.moved++;
      return;
    }
    if (life !== undefined && life.withdrawn >= 0) {
      this.retire(life);
      life = undefined;
    }
    if (life === undefined) life = this.open(key, intid, pe, PEND_CAUSES[cause] ?? null);
    if (pe >= 0) life.pe = pe;
    this.mark(life, PENDED);
  }

  private unpend(intid: number, pe: number): void {
    const key = keyOf(intid, pe);
    const life = this.waiting.get(key);
    if (life === undefined || (this.wireUp.has(key) && !this.isEdge(key, intid))) return;
    life.withdrawn = this.moment.record;
  }

  private signal(intid: number, pe: number): void {
    if (!isInterrupt(intid)) return;
    const key = keyOf(intid, pe);
    const life = this.waiting.get(key) ?? this.open(key, intid, pe, null);
    // It is signalled, so it is pending, whatever seemed to have withdrawn it.
    life.withdrawn = -1;
    if (life.records[SIGNALLED] === -1) {
      life.pe = pe;
      this.mark(life, SIGNALLED);
    }
  }

  private sysreg(pe: number, register: number, value: number, read: boolean): void {
    if (pe < 0) return;
    switch (register) {
      case SYSREGS.ICC_IAR0_EL1.encoding:
      case SYSREGS.ICC_IAR1_EL1.encoding:
      case SYSREGS.ICC_NMIAR1_EL1.encoding:
        if (read) this.acknowledge(value & 0xff_ffff, pe);
        break;
      case SYSREGS.ICC_EOIR0_EL1.encoding:
      case SYSREGS.ICC_EOIR1_EL1.encoding:
        if (!read) this.endOfInterrupt(value & 0xff_ffff, pe);
        break;
      case SYSREGS.ICC_DIR_EL1.encoding:
        if (!read) this.deactivate(keyOf(value & 0xff_ffff, pe));
        break;
      case SYSREGS.ICC_CTLR_EL1.encoding:
        this.eoiMode.set(pe, value & EOI_MODE);
        break;
      default:
    }
  }

  private acknowledge(intid: number, pe: number): void {
    if (!isInterrupt(intid)) return;
    const key = keyOf(intid, pe);
    const before = this.active.get(key);
    if (before !== undefined) {
      // The event of the very read that was just seen.
      if (before.records[ACKNOWLEDGED] === this.moment.stimulus) return;
      this.end(before);
    }
    let life = this.waiting.get(key);
    if (life === undefined) life = this.open(key, intid, pe, null);
    this.waiting.delete(key);
    life.withdrawn = -1;
    life.pe = pe;
    this.mark(life, ACKNOWLEDGED, this.moment.stimulus, this.moment.stimulusNs);
    this.active.set(key, life);
  }

  private endOfInterrupt(intid: number, pe: number): void {
    const key = keyOf(intid, pe);
    const life = this.active.get(key);
    if (life === undefined) return;
    this.mark(life, EOI);
    if (intid >= LPI_FIRST) this.end(life);
    else if (this.eoiMode.get(pe) === 0) this.deactivate(key);
  }

  private deactivate(key: number): void {
    const life = this.active.get(key);
    if (life === undefined) return;
    this.mark(life, DEACTIVATED);
    this.end(life);
    // A level-sensitive wire that is still up makes the interrupt pending anew. No new assertion was seen.
    if (this.wireUp.has(key) && !this.isEdge(key, life.intid) && !this.waiting.has(key))
      this.mark(this.open(key, life.intid, perPe(life.intid) ? life.pe : -1, 'wire'), PENDED);
  }

  private isEdge(key: number, intid: number): boolean {
    return intid < 16 || this.edge.has(key);
  }

  private setEdge(key: number, edge: boolean): void {
    if (edge) this.edge.add(key);
    else this.edge.delete(key);
  }

  /** Learns edge or level from an access to GICD_ICFGR<n> or GICR_ICFGR<n>: two bits an INTID, the upper is edge. */
  private configure(frame: number, instance: number, offset: number, width: number, value: number): void {
    const start =
      frame === GICD_FRAME ? GICD.GICD_ICFGR.offset : frame === GICR_FRAME ? GICR.GICR_ICFGR.offset : -1;
    const words = frame === GICD_FRAME ? 64 : 2;
    if (start < 0 || width !== 4 || offset < start || offset >= start + 4 * words) return;
    const first = (offset - start) * 4;
    // Below 32 the Distributor's copy is RES0 under affinity routing.
    if (frame === GICD_FRAME && first < 32) return;
    for (let k = 0; k < 16; k++)
      this.setEdge(keyOf(first + k, instance), ((value >>> (2 * k + 1)) & 1) !== 0);
  }

  private end(life: Life): void {
    this.active.delete(life.key);
    this.write(life);
  }

  private retire(life: Life): void {
    this.waiting.delete(life.key);
    this.write(life);
  }

  private write(life: Life): void {
    const { sink } = this;
    let at = sink.row();
    const b = sink.buffer;
    b[at++] = life.number;
    b[at++] = life.intid;
    b[at++] = life.pe < 0 ? null : life.pe;
    b[at++] = life.cause;
    b[at++] = life.its < 0 ? null : life.its;
    b[at++] = life.its < 0 ? null : life.deviceId;
    b[at++] = life.its < 0 ? null : life.eventId;
    for (let stage = 0; stage < STAGES.length; stage++) {
      const record = life.records[stage]!;
      b[at++] = record < 0 ? null : record;
      b[at++] = record < 0 ? null : sqlTime(life.times[stage]!);
    }
    b[at++] = life.coalesced;
    b[at++] = life.moved;
    b[at] = outcomeOf(life);
  }
}

function outcomeOf(life: Life): string {
  if (life.records[ACKNOWLEDGED] === -1) return life.withdrawn >= 0 ? 'withdrawn' : 'pending';
  return life.records[EOI] === -1 && life.records[DEACTIVATED] === -1 ? 'active' : 'handled';
}
