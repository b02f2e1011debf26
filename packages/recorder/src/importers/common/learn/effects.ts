// Notes which state becomes known by a stimulus, regardless of what the model makes of it (a register is written, an
// input line is printed, an interrupt is acknowledged), and which interrupts something happened to.
import { type GicState, hasInterrupt, NSACR_TO_READ, NSACR_TO_WRITE } from '@gictrace/core/model';
import { KNOWN_STATE, RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { LPI_FIRST, SYSREGS } from '@gictrace/core/spec';
import { AP0R, AP1R, DIR, EOIRS, IARS, SGIRS } from '../cpu-registers.ts';
import {
  FRAME_GICD,
  FRAME_GICR,
  FRAME_GITS,
  GIC_RESET,
  MMIO_READ,
  MMIO_WRITE,
  MSI_WRITE,
  PE_RESET,
  SYSREG_READ,
  SYSREG_WRITE,
  WIRE_SET,
} from '../record-kinds.ts';
import { FORWARD } from './explain.ts';
import type { NonSecureAccess } from './non-secure.ts';
import {
  ATTRIBUTE_OF,
  arrayOf,
  eachInterrupt,
  type RegisterArray,
  registerAt,
  routedIntid,
} from './registers.ts';
import { FORGETS, isAttribute, type Unknowns } from './unknowns.ts';

const PTZ_HIGH = 0x4000_0000;
const ENABLE_LPIS = 1;
const PROCESSOR_SLEEP = 2;

/** Registers of a PE's CPU interface that one write or read makes known completely. */
const PARTS = new Map([
  [SYSREGS.ICC_PMR_EL1.encoding, 'pmr'],
  [SYSREGS.ICC_CTLR_EL1.encoding, 'ctlr'],
  [SYSREGS.ICC_BPR1_EL1.encoding, 'bpr'],
  [SYSREGS.ICC_IGRPEN0_EL1.encoding, 'igrpen0'],
  [SYSREGS.ICC_IGRPEN1_EL1.encoding, 'igrpen1'],
] as const);

/** Registers in which a bit written as 0 reveals nothing. */
const BY_BIT: ReadonlySet<RegisterArray> = new Set([
  'ISENABLER',
  'ICENABLER',
  'ISPENDR',
  'ICPENDR',
  'ISACTIVER',
  'ICACTIVER',
]);
/** Registers that Non-secure writes do not change. */
const SECURE_ONLY: ReadonlySet<RegisterArray> = new Set(['IGROUPR', 'IGRPMODR']);
/** The levels of GICD_NSACR<n> from which on Non-secure accesses reach Secure SPIs. */
const TO_READ: Partial<Record<RegisterArray, number>> = NSACR_TO_READ;
const TO_WRITE: Partial<Record<RegisterArray, number>> = NSACR_TO_WRITE;

export class Effects {
  private readonly state: GicState;
  private readonly access: NonSecureAccess;
  private readonly unknowns: Unknowns;
  /** Active-priority registers that are known: a bit each, by PE. */
  private readonly actives: Uint8Array;
  private readonly allActives: number;
  /** Registers of the virtual CPU interface that are known: a bit each, by PE. */
  private readonly virtuals: readonly number[];
  private readonly virtualsKnown: Uint32Array;

  constructor(state: GicState, unknowns: Unknowns, access: NonSecureAccess) {
    this.state = state;
    this.access = access;
    this.unknowns = unknowns;
    this.actives = new Uint8Array(state.peCount);
    const registers = 1 << Math.max(Math.min(state.config.priorityBits, 7) - 5, 0);
    this.allActives = (2 ** registers - 1) * 0x11;
    const lists = ((state.config.vtr ?? 3) & 0x1f) + 1;
    this.virtuals = [
      SYSREGS.ICH_HCR_EL2.encoding,
      SYSREGS.ICH_VMCR_EL2.encoding,
      SYSREGS.ICH_AP0R0_EL2.encoding,
      SYSREGS.ICH_AP1R0_EL2.encoding,
      ...Array.from({ length: lists }, (_, n) => SYSREGS.ICH_LR0_EL2.encoding + n),
    ];
    this.virtualsKnown = new Uint32Array(state.peCount);
  }

  /** Called before a stimulus runs: notes what becomes known by the stimulus itself. `state` is the state before it. */
  before(batch: RecordBatch, i: number): void {
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const pe = batch.pe[i]!;
    switch (batch.kind[i]) {
      case MMIO_WRITE:
        return this.written(batch, i);
      case SYSREG_WRITE:
        return this.sysregWritten(pe, w[at]!, w[at + 1]!);
      case WIRE_SET: {
        const intid = w[at]!;
        if (!hasInterrupt(this.state, intid)) return;
        this.unknowns.know('level', pe, intid);
        this.unknowns.touch(pe, intid);
        return;
      }
      case MSI_WRITE:
        this.unknowns.touchLpis();
        return;
      case GIC_RESET:
        if (FORGETS.has(batch.rule[i]!)) this.unknowns.forget();
        else this.unknowns.reset();
        this.actives.fill(FORGETS.has(batch.rule[i]!) ? 0 : this.allActives);
        this.virtualsKnown.fill(0);
        return;
      case PE_RESET:
        for (const part of ['pmr', 'bpr', 'ctlr', 'igrpen0', 'igrpen1', 'active', 'virtual'] as const)
          this.unknowns.knowPart(part, pe);
        this.actives[pe] = this.allActives;
        return;
    }
  }

  /** The source itself says what part of the state is, as where a host restores it. */
  restored(batch: RecordBatch, i: number): void {
    const w = i * RECORD_WORDS;
    const what = KNOWN_STATE[batch.words[w]!]!;
    const intid = batch.words[w + 4]!;
    const pe = batch.pe[i]!;
    if (what === 'LPI pending') {
      if (pe >= 0 && pe < this.state.peCount) this.unknowns.knowLpi(pe, intid);
    } else if (isAttribute(what) && hasInterrupt(this.state, intid)) this.unknowns.know(what, pe, intid);
  }

  /** Called after a stimulus has run: notes what its response reveals. `answered`: the low word that the model returned. */
  after(batch: RecordBatch, i: number, answered: number): void {
    const w = batch.words;
    const at = i * RECORD_WORDS;
    if (batch.flags[i]! & RECORD_FLAGS.valueUnknown) return;
    if (batch.kind[i] === MMIO_READ) this.read(batch, i);
    else if (batch.kind[i] === SYSREG_READ) this.sysregRead(batch.pe[i]!, w[at]!, w[at + 1]!, answered);
  }

  /** Notes what is certain once a PE was signalled this interrupt. */
  signalled(pe: number, intid: number, group: number, priority: number, line: number): void {
    const { unknowns, state } = this;
    if (intid >= LPI_FIRST) {
      unknowns.knowPart('gicrCtlr', pe);
      unknowns.knowLpi(pe, intid);
      unknowns.knowConfig(pe, intid);
    } else if (intid < 1020 && hasInterrupt(state, intid)) {
      for (const attribute of ['group', 'grpmod', 'enable', 'priority', 'route'] as const)
        unknowns.know(attribute, pe, intid);
      unknowns.know('active', pe, intid);
    } else {
      unknowns.quiet(pe);
      return;
    }
    unknowns.knowForwarding(FORWARD[group]!);
    if (line !== 1) return;
    // QEMU also signals to a PE that is asleep.
    if ((state.gicrWaker[pe]! & PROCESSOR_SLEEP) === 0) unknowns.knowPart('waker', pe);
    unknowns.knowPart(group === 0 ? 'igrpen0' : 'igrpen1', pe);
    unknowns.passes[pe] = Math.max(unknowns.passes[pe]!, priority);
    unknowns.activeFrom[pe] = Math.max(unknowns.activeFrom[pe]!, priority);
  }

  private written(batch: RecordBatch, i: number): void {
    const { unknowns, state } = this;
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const [frame, instance, offset, width, low] = [w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!];
    const name = registerAt(frame, offset);
    if (name === undefined || batch.flags[i]! & RECORD_FLAGS.reserved) return;
    const secure = state.singleSecurity || (batch.flags[i]! & RECORD_FLAGS.secure) !== 0;
    if (frame === FRAME_GITS) return this.itsWritten(instance, name);
    if (frame === FRAME_GICR && instance >= state.peCount) return;
    const owner = frame === FRAME_GICR ? instance : -1;
    const array = arrayOf(name);
    if (array !== undefined) {
      const whole = !BY_BIT.has(array);
      eachInterrupt(frame, offset, width, low, (intid, value) => {
        if (!this.exists(frame, intid) || (!whole && value === 0)) return;
        const reaches = secure || this.access.reaches(owner, intid, TO_WRITE[array]);
        if (reaches === false || (!secure && SECURE_ONLY.has(array))) return;
        if (reaches === true) unknowns.know(ATTRIBUTE_OF[array], owner, intid);
        else unknowns.lose(ATTRIBUTE_OF[array], owner, intid);
        unknowns.touch(owner, intid);
      });
      return;
    }
    const routed = frame === FRAME_GICD ? routedIntid(offset) : -1;
    if (routed >= 0) {
      if (!hasInterrupt(state, routed)) return;
      const reaches = secure || this.access.reaches(-1, routed, NSACR_TO_WRITE.IROUTER);
      if (reaches === false) return;
      if (reaches === true) unknowns.know('route', -1, routed);
      else unknowns.lose('route', -1, routed);
      unknowns.touch(-1, routed);
    } else if (name === 'GICD_CTLR') {
      if (secure) unknowns.knowForwarding();
      unknowns.touchAll();
    } else if (frame === FRAME_GICR) this.redistributorWritten(instance, name, low);
  }

  private exists(frame: number, intid: number): boolean {
    return (
      hasInterrupt(this.state, intid) &&
      (frame === FRAME_GICR) === (intid < 32 || (intid >= 1056 && intid < 1120))
    );
  }

  private redistributorWritten(pe: number, name: string, low: number): void {
    const { unknowns, state } = this;
    if (name === 'GICR_WAKER') unknowns.knowPart('waker', pe);
    else if (name === 'GICR_CTLR') {
      const was = (state.gicrCtlr[pe]! & ENABLE_LPIS) !== 0;
      const wasKnown = !unknowns.isPartUnknown('gicrCtlr', pe);
      unknowns.knowPart('gicrCtlr', pe);
      unknowns.touchLpis();
      if (low & ENABLE_LPIS && !(was && wasKnown)) {
        const zero =
          (state.pendbaser[2 * pe + 1]! & PTZ_HIGH) !== 0 && !unknowns.isPartUnknown('pendbaser', pe);
        unknowns.setLpis(pe, !zero || !wasKnown);
      } else if ((low & ENABLE_LPIS) === 0) unknowns.setLpis(pe, false);
    } else if (name === 'GICR_PROPBASER' || name === 'GICR_PENDBASER') {
      // While LPIs are enabled the write may be ignored.
      if ((state.gicrCtlr[pe]! & ENABLE_LPIS) === 0 && !unknowns.isPartUnknown('gicrCtlr', pe))
        unknowns.knowPart(name === 'GICR_PROPBASER' ? 'propbaser' : 'pendbaser', pe);
    } else if (/LPI|INVALL/.test(name)) unknowns.touchLpis();
  }

  private itsWritten(its: number, name: string): void {
    const { unknowns, state } = this;
    const enabled =
      its < state.itsCount && ((state.gitsCtlr[its]! & 1) !== 0 || unknowns.isItsUnknown('ctlr', its));
    if (name === 'GITS_CTLR') unknowns.knowIts('ctlr', its);
    else if (name === 'GITS_CWRITER') {
      unknowns.knowIts('cwriter', its);
      unknowns.touchLpis();
    } else if (!enabled && name === 'GITS_CBASER') {
      unknowns.knowIts('cbaser', its);
      unknowns.knowIts('creadr', its);
    } else if (!enabled && name === 'GITS_BASER') unknowns.knowIts('baser', its);
  }

  private sysregWritten(pe: number, register: number, low: number): void {
    const { unknowns, state } = this;
    const part = PARTS.get(register as never);
    if (part !== undefined) {
      if (state.singleSecurityOfPes) unknowns.knowPart(part, pe);
      if (part === 'pmr') {
        unknowns.passes[pe] = -1;
        if (state.singleSecurityOfPes) return;
      }
      return;
    }
    if (SGIRS.includes(register)) {
      const intid = (low >>> 24) & 0xf;
      for (let to = 0; to < state.peCount; to++) unknowns.touch(to, intid);
    } else if (EOIRS.includes(register) || register === DIR) {
      const intid = low & 0xff_ffff;
      if (intid >= 1020 || !hasInterrupt(state, intid)) return;
      unknowns.touch(pe, intid);
      // Whether the end of an interrupt deactivates it depends on EOImode.
      if (register !== DIR && unknowns.isPartUnknown('ctlr', pe)) unknowns.lose('active', pe, intid);
    } else {
      this.activesKnown(pe, register);
      this.virtualKnown(pe, register);
    }
  }

  /** A register of the virtual CPU interface was written or read. Which vLPIs are pending stays unknown. */
  private virtualKnown(pe: number, register: number): void {
    const n = this.virtuals.indexOf(register);
    if (n < 0 || this.state.config.architecture !== 3) return;
    this.virtualsKnown[pe]! |= 1 << n;
    if (this.virtualsKnown[pe] === 2 ** this.virtuals.length - 1) this.unknowns.knowPart('virtual', pe);
  }

  /** Whether a register of the virtual CPU interface is known from the source. */
  isVirtualKnown(pe: number, register: number): boolean {
    const n = this.virtuals.indexOf(register);
    return (
      n < 0 || ((this.virtualsKnown[pe]! >>> n) & 1) === 1 || !this.unknowns.isPartUnknown('virtual', pe)
    );
  }

  /**
   * Unknown state decided the effect of an access, so the contents of list registers and active priorities are unknown,
   * too.
   */
  forgetVirtual(pe: number): void {
    // ICH_HCR_EL2 and ICH_VMCR_EL2 change only by writes.
    this.virtualsKnown[pe]! &= 0b11;
  }

  private activesKnown(pe: number, register: number): void {
    const n0 = AP0R.indexOf(register);
    const n1 = AP1R.indexOf(register);
    if (n0 < 0 && n1 < 0) return;
    this.actives[pe]! |= n0 >= 0 ? 1 << n0 : 0x10 << n1;
    if ((this.actives[pe]! & this.allActives) === this.allActives) this.unknowns.knowPart('active', pe);
  }

  private read(batch: RecordBatch, i: number): void {
    const { unknowns, state } = this;
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const [frame, instance, offset, width, low] = [w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!];
    const name = registerAt(frame, offset);
    if (name === undefined || batch.flags[i]! & RECORD_FLAGS.reserved) return;
    const secure = state.singleSecurity || (batch.flags[i]! & RECORD_FLAGS.secure) !== 0;
    if (frame === FRAME_GITS) {
      const part = {
        GITS_CTLR: 'ctlr',
        GITS_CBASER: 'cbaser',
        GITS_CWRITER: 'cwriter',
        GITS_CREADR: 'creadr',
      }[name];
      if (part !== undefined && (width === 8 || name === 'GITS_CTLR'))
        unknowns.knowIts(part as 'ctlr', instance);
      return;
    }
    if (frame === FRAME_GICR && instance >= state.peCount) return;
    const owner = frame === FRAME_GICR ? instance : -1;
    const array = arrayOf(name);
    if (array !== undefined) {
      // The pending bit does not say whether the input line or a write made it pending.
      if (ATTRIBUTE_OF[array] === 'pending') return;
      eachInterrupt(frame, offset, width, low, (intid) => {
        if (
          this.exists(frame, intid) &&
          (secure || this.access.reaches(owner, intid, TO_READ[array]) === true)
        )
          unknowns.know(ATTRIBUTE_OF[array], owner, intid);
      });
      return;
    }
    const routed = frame === FRAME_GICD ? routedIntid(offset) : -1;
    if (routed >= 0 && width === 8 && hasInterrupt(state, routed)) unknowns.know('route', -1, routed);
    else if (!secure) return;
    else if (name === 'GICD_CTLR') unknowns.knowForwarding();
    else if (name === 'GICR_CTLR') unknowns.knowPart('gicrCtlr', instance);
    else if (name === 'GICR_WAKER') unknowns.knowPart('waker', instance);
    else if (name === 'GICR_PROPBASER' && width === 8) unknowns.knowPart('propbaser', instance);
    else if (name === 'GICR_PENDBASER' && width === 8) unknowns.knowPart('pendbaser', instance);
  }

  private sysregRead(pe: number, register: number, low: number, answered: number): void {
    const { unknowns, state } = this;
    const part = PARTS.get(register as never);
    if (part !== undefined) {
      if (state.singleSecurityOfPes) unknowns.knowPart(part, pe);
    } else if (IARS.includes(register)) {
      if (low >= LPI_FIRST) unknowns.knowLpi(pe, low);
      else if (low < 1020 && hasInterrupt(state, low)) {
        unknowns.know('active', pe, low);
        // What the model has otherwise stays unknown.
        if (answered !== low) return;
        for (const attribute of ['group', 'enable', 'route'] as const) unknowns.know(attribute, pe, low);
      }
    } else {
      this.activesKnown(pe, register);
      this.virtualKnown(pe, register);
    }
  }
}
