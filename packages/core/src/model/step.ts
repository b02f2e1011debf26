// The entry point of the model: one stimulus goes in, events come out. This file also has the fold over events.

import {
  type Gicv3IdOf,
  NO_PE,
  PEND_CAUSES,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
} from '../record/index.ts';
import { ADDRESSES, isPrivate, LPI_FIRST } from '../spec/index.ts';
import { apply, configTableAddress } from './apply.ts';
import { readSysreg, resetCpuInterface, switchPe, writeSysreg } from './cpu-interface.ts';
import { hasInterrupt, privateIndex, sharedIndex } from './intid.ts';
import { translateMsi } from './its-commands.ts';
import { COMMAND_BYTES } from './its-tables.ts';
import { knowState } from './known-state.ts';
import type { Machine } from './machine.ts';
import { readMmio, writeMmio } from './mmio.ts';
import { takeUp } from './overlooked.ts';
import { settleAll } from './settle.ts';
import { sgiFromAnywhere } from './sgi.ts';
import { CONFIG_UNKNOWN, type GicState } from './state.ts';
import { vlpiConfigAddress } from './vlpi.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const MEM_WRITE = RECORDS['mem.write'].id;
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const PE_SWITCH = RECORDS['pe.switch'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const STATE_RESET = RECORDS['state.reset'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const STATE_KNOWN = RECORDS['state.known'].id;
const SOURCE_SEAM = RECORDS['source.seam'].id;
const WIRE_CHANGED = RECORDS['wire.changed'].id;
const IRQ_PENDED = RECORDS['irq.pended'].id;
const LPI_CONFIGURED = RECORDS['lpi.configured'].id;
const VLPI_LOADED = RECORDS['vlpi.loaded'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const MEM_MARKED = RECORDS['mem.marked'].id;
const CAUSE_WIRE = PEND_CAUSES.indexOf('wire');

function setWire(m: Machine, pe: number, intid: number, level: number): void {
  const { state } = m;
  const own = isPrivate(intid);
  if (!hasInterrupt(state, intid) || (own && (pe < 0 || pe >= state.peCount))) return;
  const bits = own ? state.ppi : state.spi;
  const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
  const word = index >> 5;
  const bit = 1 << (index & 31);
  if (((bits.level[word]! & bit) !== 0 ? 1 : 0) === level) return;
  const owner = own ? pe : NO_PE;
  m.emit(WIRE_CHANGED, owner, intid, level);
  // A rising edge latches an edge-triggered interrupt; a level-sensitive one is pending while its input line is high.
  if (level && bits.edge[word]! & bit && (bits.pending[word]! & bit) === 0)
    m.emit(IRQ_PENDED, owner, intid, CAUSE_WIRE);
  if (level || (bits.edge[word]! & bit) === 0) takeUp(m, pe, intid);
}

/** The contents of memory have become known, and with them the configurations that were read there before. */
function learn(m: Machine, address: number, length: number, byte: number): void {
  m.emit(MEM_MARKED, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), length, 1, byte);
  unknownWithin(m, address, length, (kind, pe, intid) => m.emit(kind, pe, intid, byte, 1));
}

/** The contents of memory are no longer known. Configurations that were read there while unknown stay unknown. */
function forget(m: Machine, address: number, length: number): void {
  m.emit(MEM_MARKED, NO_PE, address >>> 0, Math.floor(address / 2 ** 32), length, 0, 0);
  unknownWithin(m, address, length, (kind, pe, intid) => m.emit(kind, pe, intid, 1, 0));
}

/** Calls back for each LPI and vLPI whose configuration was read within a range while it was unknown. */
function unknownWithin(
  m: Machine,
  address: number,
  length: number,
  found: (kind: number, pe: number, intid: number) => void,
): void {
  const search = (configs: Map<number, number>, table: number, kind: number, pe: number) => {
    if (configs.size === 0) return;
    m.budget.spend(4 * configs.size);
    for (const [intid, config] of [...configs]) {
      const at = table + intid - LPI_FIRST;
      if (config === CONFIG_UNKNOWN && at >= address && at < address + length) found(kind, pe, intid);
    }
  };
  for (let pe = 0; pe < m.state.peCount; pe++) {
    search(m.state.lpiConfig[pe]!, configTableAddress(m.state, pe), LPI_CONFIGURED, pe);
    search(m.state.virtual.config[pe]!, vlpiConfigAddress(m, pe, LPI_FIRST), VLPI_LOADED, pe);
  }
}

function writeMemory(
  m: Machine,
  low: number,
  high: number,
  width: number,
  value: number,
  valueHigh: number,
): void {
  m.emit(MEM_WRITTEN, NO_PE, low, high, width, value, valueHigh);
}

/**
 * Runs one stimulus, record `i` of `batch`. What it causes goes to the sink, ending with what the PEs are signalled. After
 * a read, the value is in `m.low` and `m.high`. `m.reserved` and `m.unsupported` say whether the access reached no
 * register. Observables and events are ignored.
 */
export function step(m: Machine, batch: RecordBatch, i: number): void {
  const w = batch.words;
  const at = i * RECORD_WORDS;
  const pe = batch.pe[i]!;
  m.reserved = false;
  m.unsupported = false;
  m.timeNs = batch.timeNs[i]!;
  m.budget.begin();
  const kind = batch.kind[i] as Gicv3IdOf<'stimulus'>;
  const ofPe = kind === SYSREG_READ || kind === SYSREG_WRITE;
  const isSingle = ofPe ? m.state.singleSecurityOfPes : m.state.singleSecurity;
  const flags = isSingle ? RECORD_FLAGS.secure : batch.flags[i]!;
  m.secureBank = (flags & RECORD_FLAGS.secure) !== 0;
  m.el3 = (flags & RECORD_FLAGS.el3) !== 0;
  m.secure = m.secureBank || m.el3;
  switch (kind) {
    case MMIO_READ:
      readMmio(m, w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!);
      return;
    case MMIO_WRITE:
      writeMmio(m, w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!, w[at + 5]!);
      break;
    case SYSREG_READ:
      if (pe < 0 || pe >= m.state.peCount) m.unsupported = true;
      else readSysreg(m, pe, w[at]!);
      break;
    case SYSREG_WRITE:
      if (pe >= 0 && pe < m.state.peCount) writeSysreg(m, pe, w[at]!, w[at + 1]!, w[at + 2]!);
      else m.unsupported = pe !== NO_PE || !sgiFromAnywhere(m, w[at]!, w[at + 1]!, w[at + 2]!);
      break;
    case MEM_WRITE:
      writeMemory(m, w[at]!, w[at + 1]!, w[at + 2]!, w[at + 3]!, w[at + 4]!);
      break;
    case MEM_KNOWN:
      learn(m, w[at + 1]! * 2 ** 32 + w[at]!, w[at + 2]!, w[at + 3]!);
      break;
    case MEM_UNKNOWN:
      forget(m, w[at + 1]! * 2 ** 32 + w[at]!, w[at + 2]!);
      break;
    case QUEUE_WRITE: {
      const address = w[at + 2]! * 2 ** 32 + w[at + 1]!;
      m.unsupported = address + COMMAND_BYTES > ADDRESSES;
      for (let k = 0; k < 4 && !m.unsupported; k++) {
        const where = address + 8 * k;
        writeMemory(m, where >>> 0, Math.floor(where / 2 ** 32), 8, w[at + 3 + 2 * k]!, w[at + 4 + 2 * k]!);
      }
      break;
    }
    case MSI_WRITE:
      translateMsi(m, w[at]!, w[at + 1]!, w[at + 2]!);
      break;
    case PE_RESET:
      if (pe >= 0 && pe < m.state.peCount) resetCpuInterface(m, pe);
      break;
    case PE_SWITCH:
      if (pe >= 0 && pe < m.state.peCount) switchPe(m, pe, w[at]!, w[at + 1]!);
      break;
    case GIC_RESET:
      m.emit(STATE_RESET, NO_PE);
      break;
    case WIRE_SET:
      setWire(m, pe, w[at]!, w[at + 1]!);
      break;
    case STATE_KNOWN:
      knowState(m, pe, w, at);
      break;
    case SOURCE_SEAM:
      return;
    default:
      // No stimulus is left: this does not compile if one has no case.
      kind satisfies never;
      return;
  }
  settleAll(m);
}

/** Folds the records of a batch over a state: stimuli change nothing, events and observables do. */
export function fold(state: GicState, batch: RecordBatch): void {
  for (let i = 0; i < batch.count; i++)
    apply(state, batch.kind[i]!, batch.pe[i]!, batch.words, i * RECORD_WORDS);
}
