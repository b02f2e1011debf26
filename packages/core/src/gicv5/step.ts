// The entry point of the GICv5 model: one stimulus goes in, events and observables come out.
import {
  CPUIF_PARTS,
  NO_PE,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
} from '../record/index.ts';
import { FRAMES, GICV5_SYSREGS, GICV5_TYPES, gicv5Intid, gicv5Type } from '../spec/index.ts';
import { apply } from './apply.ts';
import { settle } from './arbitration.ts';
import { readSysreg, setPpiLine, writeSysreg } from './cpu-interface.ts';
import { activate, lpiEvent, setSpiLine } from './interrupts.ts';
import { hasFrame, readIrs, writeIrs } from './irs-frame.ts';
import { translate } from './its.ts';
import { readIts, writeIts } from './its-frame.ts';
import { readIwb, setWire, writeIwb } from './iwb.ts';
import { knowState } from './known-state.ts';
import type { Gicv5Machine } from './machine.ts';
import type { Gicv5State } from './state.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const STATE_KNOWN = RECORDS['state.known'].id;
const SOURCE_SEAM = RECORDS['source.seam'].id;
const UNSEEN = RECORDS['cpuif.unseen'].id;
const STATE_RESET = RECORDS['state.reset'].id;
const CPUIF_RESET = RECORDS['cpuif.reset'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const MEM_MARKED = RECORDS['mem.marked'].id;
const CDEOI = GICV5_SYSREGS.GIC_CDEOI.encoding;
const CDDI = GICV5_SYSREGS.GIC_CDDI.encoding;
const MSI_WRITE = RECORDS['msi.write'].id;
const IWB_WIRE = RECORDS['iwb.wire'].id;
const FRAME_IRS = FRAMES.indexOf('IRS');
const FRAME_ITS = FRAMES.indexOf('ITS');
const FRAME_IWB = FRAMES.indexOf('IWB');
const FRAME_SETLPI = FRAMES.indexOf('SETLPI');

/**
 * Runs one stimulus, record `i` of `batch`. What it causes goes to the sink. After a read, the value is in `m.low` and
 * `m.high`. `m.reserved`, `m.unsupported` and `m.undecided` say whether no value was read. Other records are ignored.
 */
export function gicv5Step(m: Gicv5Machine, batch: RecordBatch, i: number): void {
  const w = batch.words;
  const at = i * RECORD_WORDS;
  const pe = batch.pe[i]!;
  m.reserved = false;
  m.unsupported = false;
  m.undecided = false;
  m.timeNs = batch.timeNs[i]!;
  m.budget.begin();
  if (batch.flags[i]! & RECORD_FLAGS.undecided && isOfCpuInterface(batch, i)) {
    // What the CPU interface does is not known, except that an SPI or LPI that it acknowledged is active.
    const intid = w[at + 1]!;
    if (batch.kind[i] === SYSREG_READ && (w[at + 2]! & 1) !== 0 && gicv5Type(intid) !== GICV5_TYPES.PPI) {
      activate(m, intid);
      settle(m);
    }
    return;
  }
  switch (batch.kind[i]) {
    case MMIO_READ:
      readFrame(m, w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!);
      break;
    case MMIO_WRITE:
      writeFrame(m, w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!, w[at + 5]!);
      break;
    case MSI_WRITE:
      // ITS_TRANSLATER is a register of 32 bits.
      if (w[at]! < m.state.its.count && w[at + 3] === 4)
        translate(m, w[at]!, w[at + 1]!, w[at + 2]!, 'SET_EDGE');
      else m.unsupported = true;
      break;
    case IWB_WIRE:
      setWire(m, w[at]!, w[at + 1]!, w[at + 2] === 0 ? 0 : 1);
      break;
    case SYSREG_READ:
      if (m.isPe(pe) && !isElsewhere(batch.flags[i]!)) readSysreg(m, pe, w[at]!);
      else m.unsupported = true;
      break;
    case SYSREG_WRITE:
      if (isElsewhere(batch.flags[i]!)) m.unsupported = true;
      else writeSysreg(m, pe, w[at]!, w[at + 1]!, w[at + 2]!);
      break;
    case MEM_WRITE:
      m.emit(MEM_WRITTEN, NO_PE, w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!);
      break;
    case MEM_KNOWN:
      m.emit(MEM_MARKED, NO_PE, w[at]!, w[at + 1]!, w[at + 2]!, 1, w[at + 3]!);
      break;
    case MEM_UNKNOWN:
      m.emit(MEM_MARKED, NO_PE, w[at]!, w[at + 1]!, w[at + 2]!, 0, 0);
      break;
    case PE_RESET:
      if (!m.isPe(pe)) break;
      m.emit(CPUIF_RESET, pe, m.profile.peResetForgetsLines ? 1 : 0);
      if (!m.profile.showsAll) m.touchPpis(pe);
      break;
    case GIC_RESET:
      m.emit(STATE_RESET, NO_PE);
      break;
    case WIRE_SET:
      if (gicv5Type(w[at]!) === GICV5_TYPES.PPI) setPpiLine(m, pe, w[at]!, w[at + 1]!);
      else setSpiLine(m, w[at]!, w[at + 1]!);
      break;
    case STATE_KNOWN:
      knowState(m, pe, w, at);
      break;
    case UNSEEN:
      recalculateUnseen(m, batch.flags[i]! & RECORD_FLAGS.peUndecided ? NO_PE : pe, w[at]!);
      break;
    case SOURCE_SEAM:
      return;
    default:
      m.unsupported = true;
      return;
  }
  settle(m);
}

function readFrame(m: Gicv5Machine, frame: number, instance: number, offset: number, width: number): void {
  if (frame === FRAME_IRS) readIrs(m, instance, offset, width);
  else if (frame === FRAME_ITS) readIts(m, instance, offset, width);
  else if (frame === FRAME_IWB) readIwb(m, instance, offset, width);
  else m.unsupported = true;
}

function writeFrame(
  m: Gicv5Machine,
  frame: number,
  instance: number,
  offset: number,
  width: number,
  low: number,
  high: number,
): void {
  if (frame === FRAME_IRS) writeIrs(m, instance, offset, width, low, high);
  else if (frame === FRAME_ITS) writeIts(m, instance, offset, width, low, high);
  else if (frame === FRAME_IWB) writeIwb(m, instance, offset, width, low);
  else if (frame === FRAME_SETLPI && hasSetlpi(m, instance) && offset === 0 && width === 4)
    lpiEvent(m, gicv5Intid(GICV5_TYPES.LPI, low), 'SET_EDGE');
  else m.unsupported = true;
}

/** Whether the IRS has a SETLPI frame in this domain (IRS_IDR0.SETLPI). */
function hasSetlpi(m: Gicv5Machine, instance: number): boolean {
  return hasFrame(instance) && (m.state.config.irs[0]!.idr[0]! & 0x200) !== 0;
}

/** Whatever was written, the CPU interface calculates again; all of them, if the PE is not known. */
function recalculateUnseen(m: Gicv5Machine, pe: number, part: number): void {
  for (let one = 0; one < m.state.peCount; one++) {
    if (pe !== NO_PE && pe !== one) continue;
    if (CPUIF_PARTS[part] === 'an ICC_PPI register') m.touchPpis(one);
    else m.touchSignal(one);
  }
}

/** Whether a stimulus concerns the CPU interface of a PE, and not the IRS. */
function isOfCpuInterface(batch: RecordBatch, i: number): boolean {
  const word = batch.words[i * RECORD_WORDS]!;
  switch (batch.kind[i]) {
    case SYSREG_READ:
    case UNSEEN:
      return true;
    case SYSREG_WRITE:
      return (
        word === CDEOI || (word === CDDI && gicv5Type(batch.words[i * RECORD_WORDS + 1]!) === GICV5_TYPES.PPI)
      );
    case WIRE_SET:
      return gicv5Type(word) === GICV5_TYPES.PPI;
    default:
      return false;
  }
}

/** Whether an access is of another interrupt domain than the one that the model has. */
const isElsewhere = (flags: number) => (flags & (RECORD_FLAGS.secure | RECORD_FLAGS.el3)) !== 0;

/** Folds the records of a batch over a state: stimuli change nothing, events and observables do. */
export function gicv5Fold(state: Gicv5State, batch: RecordBatch): void {
  for (let i = 0; i < batch.count; i++)
    apply(state, batch.kind[i]!, batch.pe[i]!, batch.words, i * RECORD_WORDS);
}
