// One line of text for a record of any kind. It is derived from the declarations in record/ and spec/ only, and the same
// record gives the same text on every machine.
import {
  FRAMES,
  fieldOffsets,
  fieldValue,
  GROUPS,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  type RecordField,
  type RecordKind,
  RULES,
  recordName,
} from '../record/index.ts';
import { gicv5IntidText, ITS_OUTCOMES, isGicv5Intid, outcomeName } from '../spec/index.ts';
import { commandText } from './command.ts';
import { hexText } from './field.ts';
import { meaningText, registerLabel } from './register.ts';
import { sysregLabel, sysregMeaningText } from './sysreg.ts';

const IDLE_PRIORITY = 255;
const kinds: readonly [string, RecordKind][] = Object.entries(RECORDS);
const offsetsOf = new Map(kinds.map(([name, kind]) => [name, fieldOffsets(kind)]));
const ruleNames = new Map(
  Object.entries(RULES).map(([name, rule]) => [rule.id as number, `${rule.class}: ${name}`]),
);

/** A record field's value as text; `words[at]` is its first word. */
export function valueText(field: RecordField, words: Uint32Array, at: number): string {
  switch (field.type) {
    case 'enum':
      return field.values?.[words[at]!] ?? `${words[at]}`;
    case 'bool':
      return words[at] ? 'yes' : 'no';
    case 'sysreg':
      return sysregLabel(words[at]!);
    case 'u64':
    case 'pa':
      return hexText(words[at]!, words[at + 1]!);
    default: {
      const value = fieldValue(field, words, at);
      if (field.identifies === 'INTID' && isGicv5Intid(words[at]!)) return gicv5IntidText(words[at]!);
      return field.base === 'hex' ? `0x${value.toString(16)}` : `${value}`;
    }
  }
}

/** `<- value` or `-> value` and its meaning; `?` if the source does not contain the value that a read returned. */
function movedText(read: boolean, unknown: boolean, low: number, high: number, meaning: string): string {
  return `${read ? '->' : '<-'} ${unknown ? '?' : `${hexText(low, high)}${meaning}`}`;
}

function accessText(words: Uint32Array, at: number, read: boolean, unknown: boolean): string {
  const frame = words[at]!;
  const offset = words[at + 2]!;
  const width = words[at + 3]!;
  const low = words[at + 4]!;
  const high = words[at + 5]!;
  const whose =
    frame === FRAMES.indexOf('GICD') ? '' : `${FRAMES[frame] ?? `frame ${frame}`}[${words[at + 1]}] `;
  const moved = movedText(read, unknown, low, high, meaningText(frame, offset, width, low, high));
  return `${whose}${registerLabel(frame, offset, width)} ${moved}`;
}

function sysregAccessText(words: Uint32Array, at: number, read: boolean, unknown: boolean): string {
  const low = words[at + 1]!;
  const high = words[at + 2]!;
  const meaning = sysregMeaningText(words[at]!, low, high);
  return `${sysregLabel(words[at]!)} ${movedText(read, unknown, low, high, meaning)}`;
}

function hppiText(words: Uint32Array, at: number): string {
  const what =
    words[at + 2] === IDLE_PRIORITY
      ? 'none'
      : `INTID ${words[at]} group ${GROUPS[words[at + 1]!] ?? words[at + 1]} priority 0x${words[at + 2]!.toString(16)}`;
  const lines = [words[at + 3] ? 'FIQ' : '', words[at + 4] ? 'IRQ' : ''].filter(Boolean).join(' ');
  return `hppi ${what}${lines ? ` -> ${lines}` : ''}`;
}

/** Everything except number, time and notes. */
function bodyText(batch: RecordBatch, i: number): string {
  const name = recordName(batch.kind[i]!);
  const at = i * RECORD_WORDS;
  const { words } = batch;
  const unknown = (batch.flags[i]! & RECORD_FLAGS.valueUnknown) !== 0;
  switch (name) {
    case 'mmio.read':
    case 'mmio.write':
      return accessText(words, at, name === 'mmio.read', unknown);
    case 'sysreg.read':
    case 'sysreg.write':
      return sysregAccessText(words, at, name === 'sysreg.read', unknown);
    case 'queue.write':
      return `queue.write ITS${words[at]} ${hexText(words[at + 1]!, words[at + 2]!)} ${commandText(words, at + 3)}`;
    case 'its.command': {
      const command =
        words[at + 2] === ITS_OUTCOMES.NOT_SHOWN && words[at + 3] === 0
          ? 'unknown command'
          : commandText(words, at + 4, words[at + 3]!);
      return `its.command ITS${words[at]} slot ${words[at + 1]} ${command} ${unknown ? '?' : outcomeName(words[at + 2]!)}`;
    }
    case 'hppi':
      return hppiText(words, at);
    case undefined:
      return `kind ${batch.kind[i]}`;
    default: {
      const fields: readonly RecordField[] = RECORDS[name].fields;
      const offsets = offsetsOf.get(name)!;
      return [
        name,
        ...fields.flatMap((field, k) =>
          field.isLater === true && words[at + offsets[k]!] === 0
            ? []
            : [`${field.name} ${valueText(field, words, at + offsets[k]!)}`],
        ),
      ].join(' ');
    }
  }
}

/** `+seconds.nanoseconds`, the same in every locale; `+?` if the source does not contain the time. */
export function timeText(timeNs: number): string {
  if (Number.isNaN(timeNs)) return '+?';
  const whole = Math.round(Math.abs(timeNs));
  const seconds = Math.floor(whole / 1e9);
  return `${timeNs < 0 ? '-' : '+'}${seconds}.${String(whole - seconds * 1e9).padStart(9, '0')}s`;
}

/** The PE of the record, as accessor or target; empty for kinds that concern no PE. */
function peText(batch: RecordBatch, i: number): string {
  const name = recordName(batch.kind[i]!);
  if (name === undefined || RECORDS[name].pe === 'none') return '';
  const pe = batch.pe[i]!;
  return pe < 0 || batch.flags[i]! & RECORD_FLAGS.peUndecided ? 'PE? ' : `PE${pe} `;
}

/** A record on one line, with its number if given. */
export function recordText(batch: RecordBatch, i: number, number?: number): string {
  const flags = batch.flags[i]!;
  const rule = batch.rule[i]!;
  const notes = [
    rule === 0 ? '' : (ruleNames.get(rule) ?? `rule ${rule}`),
    flags & RECORD_FLAGS.reserved ? 'reserved' : '',
    flags & RECORD_FLAGS.secure ? 'secure' : '',
    flags & RECORD_FLAGS.el3 ? 'EL3' : '',
  ].filter(Boolean);
  const before = number === undefined ? '' : `${number} `;
  const after = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  return `${before}${timeText(batch.timeNs[i]!)} ${peText(batch, i)}${bodyText(batch, i)}${after}`;
}
