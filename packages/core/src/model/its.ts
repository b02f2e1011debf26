// An ITS's control registers and its command queue (IHI 0069, "The ITS command interface").
import { NO_PE, RECORDS, UNITS } from '../record/index.ts';
import {
  type CommandName,
  commandName,
  fieldReader,
  GITS,
  ITS_COMMANDS,
  ITS_ERRORS,
  ITS_OUTCOMES,
  isRefused,
  mask,
  maskHigh,
} from '../spec/index.ts';
import { COMMAND_HANDLERS } from './its-commands.ts';
import { COMMAND_BYTES, TABLE_TYPES, tableOf } from './its-tables.ts';
import { forgetEvent, forgetMappings } from './its-unknown.ts';
import type { Machine } from './machine.ts';
import { typerOf } from './operands.ts';
import { settleAll } from './settle.ts';
import { commandQueue, itsTable } from './table-attributes.ts';
import type { Fault } from './translate.ts';

const ITS_COMMAND = RECORDS['its.command'].id;
const SERROR = RECORDS['serror.raised'].id;
const UNIT_GITS = UNITS.indexOf('GITS');
const CTLR_ENABLED = mask(GITS.GITS_CTLR, 'Enabled');
const CTLR_QUIESCENT = mask(GITS.GITS_CTLR, 'Quiescent');
/** What a command costs of the budget, without the walks through tables that it causes. */
const COMMAND_WORK = 64;
const STALLED = mask(GITS.GITS_CREADR, 'Stalled');
const RETRY = mask(GITS.GITS_CWRITER, 'Retry');
const OFFSET_MASK = mask(GITS.GITS_CWRITER, 'Offset');
const CBASER_VALID = maskHigh(GITS.GITS_CBASER, 'Valid');
const queuePages = fieldReader(GITS.GITS_CBASER, 'Size');
const queueAddress = fieldReader(GITS.GITS_CBASER, 'Physical_Address');
const BASER_READ_ONLY = maskHigh(GITS.GITS_BASER, 'Type', 'Entry_Size');
const BASER_INDIRECT = maskHigh(GITS.GITS_BASER, 'Indirect');
const tableType = fieldReader(GITS.GITS_BASER, 'Type');
const QUEUE_PAGE_BYTES = 4096;

/** The outcome code for a command's fault. The architecture numbers CLEAR's codes independently of its opcode. */
function outcomeOf(opcode: number, fault: Fault): number {
  if (fault === 'NOT_SHOWN') return ITS_OUTCOMES.UNDECIDED;
  const name = commandName(opcode);
  const code = (ITS_ERRORS as Readonly<Record<string, number>>)[`${name}_${fault}`];
  return code ?? ITS_OUTCOMES.TABLE_UNREADABLE;
}

const command = new Uint32Array(12);
const operandWords = command.subarray(4, 12);

/** Executes commands until the queue is empty or stalls. */
export function processQueue(m: Machine, its: number): void {
  const { state } = m;
  if ((state.gitsCtlr[its]! & CTLR_ENABLED) === 0 || (state.cbaser[2 * its + 1]! & CBASER_VALID) === 0)
    return;
  const slots = (queuePages(state.cbaser[2 * its]!) * QUEUE_PAGE_BYTES) / COMMAND_BYTES;
  const base = queueAddress(state.cbaser[2 * its]!, state.cbaser[2 * its + 1]!);
  const write = (state.cwriter[its]! & OFFSET_MASK) / COMMAND_BYTES;
  let read = (state.creadr[its]! & OFFSET_MASK) / COMMAND_BYTES;
  if (write >= slots || read >= slots) return;
  // There may be 32,768 unknown commands in a row. The first has made all unknown that each of them may have changed.
  let areForgotten = false;
  while (read !== write && (state.creadr[its]! & STALLED) === 0) {
    m.budget.spend(COMMAND_WORK);
    const outcome = execute(m, its, read, base + read * COMMAND_BYTES, areForgotten);
    areForgotten = outcome === ITS_OUTCOMES.NOT_SHOWN;
    settleAll(m);
    const refused = isRefused(outcome);
    const stall = refused && m.profile.itsErrors === 'stall';
    if (refused && m.profile.itsErrors === 'serror') m.emit(SERROR, NO_PE, its, outcome);
    if (!stall) read = (read + 1) % slots;
    storeReadPointer(m, its, (read * COMMAND_BYTES) | (stall ? STALLED : 0));
  }
}

function storeReadPointer(m: Machine, its: number, value: number): void {
  m.changeRegister(UNIT_GITS, its, GITS.GITS_CREADR.offset, value, 0, m.state.creadr[its]!, 0);
}

/** GITS_TYPER.VSGI. */
export function itsHasVsgi(m: Machine, its: number): boolean {
  return typerOf(m, its, 'VSGI') === 1;
}

/**
 * Whether this ITS supports the command: GICv4 commands by GITS_TYPER.Virtual, those of GICv4.1 by GITS_TYPER.VMAPP and
 * VSGI.
 */
function supports(m: Machine, its: number, name: CommandName): boolean {
  const { version } = ITS_COMMANDS[name];
  if (version === 3) return true;
  if (typerOf(m, its, 'Virtual') === 0) return false;
  return version === 4 || typerOf(m, its, name === 'VSGI' ? 'VSGI' : 'VMAPP') === 1;
}

/** The slot holds an unknown command, so what it may have changed is unknown from here on, if it is not already. */
function executeUnknown(m: Machine, its: number, slot: number, areForgotten: boolean): number {
  if (!areForgotten) forgetMappings(m, its);
  command.fill(0);
  command[0] = its;
  command[1] = slot;
  command[2] = ITS_OUTCOMES.NOT_SHOWN;
  m.emitWords(ITS_COMMAND, NO_PE, command, 0, 12);
  return ITS_OUTCOMES.NOT_SHOWN;
}

function execute(m: Machine, its: number, slot: number, address: number, areForgotten: boolean): number {
  m.witness?.('command', its, slot, address, COMMAND_BYTES);
  if (!m.state.memory.areKnown(address, COMMAND_BYTES)) return executeUnknown(m, its, slot, areForgotten);
  for (let k = 0; k < 8; k++) operandWords[k] = m.state.memory.readWord(address + 4 * k);
  const opcode = operandWords[0]! & 0xff;
  const name = commandName(opcode);
  let outcome: number = ITS_OUTCOMES.UNKNOWN_COMMAND;
  if (name !== undefined) {
    outcome = ITS_OUTCOMES.UNSUPPORTED_COMMAND;
    if (supports(m, its, name)) {
      const fault = COMMAND_HANDLERS[name](m, its, operandWords);
      outcome = fault === undefined ? ITS_OUTCOMES.EXECUTED : outcomeOf(opcode, fault);
      if (fault === 'NOT_SHOWN') forgetEvent(m, its, name, operandWords);
    }
  }
  command[0] = its;
  command[1] = slot;
  command[2] = outcome;
  command[3] = name === undefined ? 0 : 2 ** ITS_COMMANDS[name].operands.length - 1;
  m.emitWords(ITS_COMMAND, NO_PE, command, 0, 12);
  return outcome;
}

/** Handlers of an ITS's registers, by name; see mmio. */
export const gitsRead = {
  GITS_CTLR: (m: Machine, its: number): void => {
    const { gitsCtlr, creadr, cwriter } = m.state;
    const own = gitsCtlr[its]!;
    if (m.profile.quiescentWhenDone)
      m.low = ((own & ~CTLR_QUIESCENT) | (creadr[its] === cwriter[its] ? CTLR_QUIESCENT : 0)) >>> 0;
    else m.low = (own | (m.profile.alwaysQuiescent ? CTLR_QUIESCENT : 0)) >>> 0;
  },
  GITS_TYPER: (m: Machine, its: number): void => {
    m.low = m.state.gitsTyper[2 * its]!;
    m.high = m.state.gitsTyper[2 * its + 1]!;
  },
  GITS_CBASER: (m: Machine, its: number): void => {
    m.low = m.state.cbaser[2 * its]!;
    m.high = m.state.cbaser[2 * its + 1]!;
  },
  GITS_BASER: (m: Machine, its: number, n: number): void => {
    m.low = m.state.baser[16 * its + 2 * n]!;
    m.high = m.state.baser[16 * its + 2 * n + 1]!;
  },
};

function enabled(m: Machine, its: number): boolean {
  return (m.state.gitsCtlr[its]! & CTLR_ENABLED) !== 0;
}

/** Whether the command queue, the device table and the collection table are valid. */
function hasTables(m: Machine, its: number): boolean {
  const isValid = (type: number) => tableOf(m, its, type)?.valid === true;
  const queue = (m.state.cbaser[2 * its + 1]! & CBASER_VALID) !== 0;
  return queue && isValid(TABLE_TYPES.devices) && isValid(TABLE_TYPES.collections);
}

export const gitsWrite = {
  GITS_CTLR: (m: Machine, its: number, _n: number, low: number): void => {
    const old = m.state.gitsCtlr[its]!;
    if (m.profile.enableNeedsTables && low & CTLR_ENABLED && !enabled(m, its) && !hasTables(m, its)) return;
    const on = (low & CTLR_ENABLED) !== 0;
    // Commands complete at once, so a disabled ITS is quiescent at once.
    const value =
      ((old & ~(CTLR_ENABLED | CTLR_QUIESCENT)) |
        (on ? CTLR_ENABLED : 0) |
        (on && !m.profile.alwaysQuiescent ? 0 : CTLR_QUIESCENT)) >>>
      0;
    m.changeRegister(UNIT_GITS, its, GITS.GITS_CTLR.offset, value, 0, old, 0);
    if (on) processQueue(m, its);
  },
  // Writes while the ITS is enabled are UNPREDICTABLE; they are ignored.
  GITS_CBASER: (m: Machine, its: number, _n: number, low: number, high: number): void => {
    if (enabled(m, its)) return m.unpredictable('cbaser-while-enabled', its, GITS.GITS_CBASER.offset);
    const { cbaser, creadr, cwriter } = m.state;
    const [newLow, newHigh] = m.profile.anyAttributes ? [low, high] : commandQueue(low, high);
    m.changeRegister(
      UNIT_GITS,
      its,
      GITS.GITS_CBASER.offset,
      newLow,
      newHigh,
      cbaser[2 * its]!,
      cbaser[2 * its + 1]!,
    );
    m.changeRegister(UNIT_GITS, its, GITS.GITS_CREADR.offset, 0, 0, creadr[its]!, 0);
    if (m.profile.cbaserResetsCwriter)
      m.changeRegister(UNIT_GITS, its, GITS.GITS_CWRITER.offset, 0, 0, cwriter[its]!, 0);
  },
  GITS_CWRITER: (m: Machine, its: number, _n: number, low: number): void => {
    const old = m.state.cwriter[its]!;
    const bytes = queuePages(m.state.cbaser[2 * its]!) * QUEUE_PAGE_BYTES;
    if ((low & OFFSET_MASK) >= bytes) {
      m.unpredictable('cwriter-out-of-range', its, low & OFFSET_MASK);
      if (!m.profile.cwriterKeepsOutOfRange) return;
    }
    m.changeRegister(UNIT_GITS, its, GITS.GITS_CWRITER.offset, (low & ~RETRY) >>> 0, 0, old, 0);
    if (low & RETRY && m.profile.retry) storeReadPointer(m, its, m.state.creadr[its]! & ~STALLED);
    processQueue(m, its);
  },
  GITS_CREADR: (m: Machine, its: number, _n: number, low: number): void => {
    if (m.profile.creadrWritable && m.state.singleSecurity) storeReadPointer(m, its, (low & ~STALLED) >>> 0);
  },
  GITS_BASER: (m: Machine, its: number, n: number, low: number, high: number): void => {
    const { baser } = m.state;
    const at = 16 * its + 2 * n;
    const oldHigh = baser[at + 1]!;
    // A table that the ITS does not have: RAZ/WI. Type and Entry_Size are read-only.
    if ((baser[at]! | oldHigh) === 0) return;
    if (enabled(m, its)) return m.unpredictable('baser-while-enabled', its, GITS.GITS_BASER.offset + 8 * n);
    const isFlat = !m.profile.collectionsIndirect && tableType(0, oldHigh) === TABLE_TYPES.collections;
    const kept = isFlat ? ~BASER_READ_ONLY & ~BASER_INDIRECT : ~BASER_READ_ONLY;
    const merged = ((high & kept) | (oldHigh & BASER_READ_ONLY)) >>> 0;
    const [newLow, newHigh] = m.profile.anyAttributes ? [low, merged] : itsTable(low, merged);
    m.changeRegister(UNIT_GITS, its, GITS.GITS_BASER.offset + 8 * n, newLow, newHigh, baser[at]!, oldHigh);
  },
};
