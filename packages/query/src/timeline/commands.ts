// The ITS commands of a trace as rows, with operands by name. An operand that the source does not contain is null. It knows
// the operands of commands but not their encoding, and no SQL.
import { commandText } from '@gictrace/core/disasm';
import { RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import {
  commandName,
  decodeCommand,
  ITS_COMMANDS,
  ITS_OUTCOMES,
  isRefused,
  outcomeName,
} from '@gictrace/core/spec';
import { type Column, integer, orNull, type RowOf, text } from '../database/columns.ts';
import { type Moment, TIME, wholeNs } from './moment.ts';

/** The operands that have a column, in the order of the columns. */
const OPERANDS = {
  DeviceID: 'DeviceID',
  EventID: 'EventID',
  pINTID: 'physical INTID',
  vINTID: 'virtual INTID',
  ICID: 'collection',
  RDbase: 'Redistributor: the number of its PE or, if GITS_TYPER.PTA is 1, its address in units of 64 KB',
  vPEID: 'vPE',
  Size: 'EventID bits, minus 1 (MAPD)',
  ITT_addr: 'address of the interrupt translation table (MAPD)',
  V: 'Valid bit',
} as const;
type OperandName = keyof typeof OPERANDS;
type OperandColumns = { readonly [Name in OperandName]: Column & { type: 'integer'; nullable: true } };

/** One row for each command that an ITS executed. */
export const COMMAND_COLUMNS = {
  record: integer('record of the command, or of the stimulus if the source does not contain the command'),
  time_ns: TIME,
  its: integer('index of the ITS, from 0'),
  slot: integer('slot of the command queue, from 0'),
  op: text(
    'command; the opcode in hex if it is not a valid one; `unknown` for a command that the source does not contain',
  ),
  ...(Object.fromEntries(
    Object.entries(OPERANDS).map(([name, doc]) => [name, orNull(integer(doc))]),
  ) as OperandColumns),
  outcome: orNull(
    text(
      'EXECUTED or the command error; NOT_SHOWN for a command that the source does not contain; null if the source does not contain the outcome',
    ),
  ),
  model_outcome: orNull(
    text(
      'outcome on the simulator, as in outcome; UNDECIDED if the source does not contain what decides it; null if the simulator did not execute the command',
    ),
  ),
  operation: orNull(
    integer('record of the operation that caused it; null if the trace contains no operations'),
  ),
} as const;
export type CommandRow = RowOf<typeof COMMAND_COLUMNS>;

/** The operands that the source contains, by name. */
export type Operands = Readonly<Partial<Record<string, number>>>;

/** Record `i`, an `its.command`, as a row. `modelOutcome`: the simulator's outcome code; null if it did not execute it. */
export function commandRow(
  batch: RecordBatch,
  i: number,
  record: number,
  modelOutcome: number | null = null,
): CommandRow {
  const at = i * RECORD_WORDS;
  const w = batch.words;
  const o = shownOperands(w, at + 4, w[at + 3]!);
  const isOutcomeShown = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) === 0;
  const isUnknown = isOutcomeShown && w[at + 2] === ITS_OUTCOMES.NOT_SHOWN && w[at + 3] === 0;
  return {
    record,
    time_ns: wholeNs(batch.timeNs[i]!),
    its: w[at]!,
    slot: w[at + 1]!,
    op: isUnknown ? 'unknown' : (commandName(w[at + 4]!) ?? `0x${(w[at + 4]! & 0xff).toString(16)}`),
    DeviceID: o.DeviceID ?? null,
    EventID: o.EventID ?? null,
    pINTID: o.pINTID ?? null,
    vINTID: o.vINTID ?? null,
    ICID: o.ICID ?? null,
    RDbase: o.RDbase ?? null,
    vPEID: o.vPEID ?? null,
    Size: o.Size ?? null,
    ITT_addr: o.ITT_addr ?? null,
    V: o.V ?? null,
    outcome: isOutcomeShown ? outcomeName(w[at + 2]!) : null,
    model_outcome: modelOutcome === null ? null : outcomeName(modelOutcome),
    operation: batch.cause[i] === 0 ? null : batch.cause[i]! - 1,
  };
}

/** The row of a command that the source does not contain: its slot, and the stimulus that caused it to be executed. */
export function unknownCommandRow(its: number, slot: number, stimulus: Moment): CommandRow {
  const operands = Object.fromEntries(Object.keys(OPERANDS).map((name) => [name, null])) as {
    readonly [Name in OperandName]: null;
  };
  return {
    record: stimulus.record,
    time_ns: wholeNs(stimulus.timeNs),
    its,
    slot,
    op: 'unknown',
    ...operands,
    outcome: outcomeName(ITS_OUTCOMES.NOT_SHOWN),
    model_outcome: outcomeName(ITS_OUTCOMES.NOT_SHOWN),
    operation: null,
  };
}

/** Record `i` of the simulator, an `its.command`, which the source does not contain, as a row at its stimulus. */
export function simulatedCommandRow(batch: RecordBatch, i: number, stimulus: Moment): CommandRow {
  const row = commandRow(batch, i, stimulus.record, batch.words[i * RECORD_WORDS + 2]!);
  return { ...row, time_ns: wholeNs(stimulus.timeNs), outcome: null, operation: null };
}

/** The command of a row as text: that of record `i`, an `its.command`, if there is one. */
export function commandOf({ op }: CommandRow, batch: RecordBatch | undefined, i: number): string {
  if (op === 'unknown' || batch === undefined) return 'unknown command';
  const at = i * RECORD_WORDS;
  return commandText(batch.words, at + 4, batch.words[at + 3]!);
}

/** Whether record `i`, an `its.command`, was executed, according to the source. */
export function wasExecuted(batch: RecordBatch, i: number): boolean {
  return (
    !isRefused(batch.words[i * RECORD_WORDS + 2]!) || (batch.flags[i]! & RECORD_FLAGS.valueUnknown) !== 0
  );
}

/** The operands of the command at `words[at]`, of which `shown` has a bit for each, in declared order. */
export function shownOperands(words: Uint32Array, at: number, shown: number): Operands {
  const command = decodeCommand(words, at);
  if (command === undefined) return {};
  const out: Partial<Record<string, number>> = {};
  for (const [k, { name }] of ITS_COMMANDS[command.name].operands.entries())
    if ((shown >>> k) & 1) out[name] = command.operands[name]!;
  return out;
}
