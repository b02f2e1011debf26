// One line of text for whatever a record holds: registers, commands and fields by their names in spec/ and in
// record/kinds. Derived from those tables only; stable: the same record gives the same text anywhere.
import {
  FRAMES,
  fieldOffsets,
  fieldValue,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  type RecordField,
  recordKind,
  recordName,
} from '../record/index.ts';
import {
  type FieldSpec,
  decodeCommand,
  extract,
  frameMap,
  GICD,
  GICR,
  GITS,
  outcomeName,
  type RegisterSpec,
  SYSREGS,
  sysregName,
} from '../spec/index.ts';

const maps = [frameMap(GICD, 0x1_0000), frameMap(GICR, 0x4_0000), frameMap(GITS, 0x3_0000)];

export interface RegisterPlace {
  readonly name: string;
  readonly spec: RegisterSpec;
  /** Element of a register array, 0 for a single register. */
  readonly element: number;
  /** The name people write: `GICD_ISENABLER2`, `GICD_IROUTER36` (by INTID), `GITS_BASER0`. */
  readonly label: string;
}

/** The register at an offset of a frame (index into FRAMES, or its name); undefined at a reserved location. */
export function registerAt(frame: number | (typeof FRAMES)[number], offset: number): RegisterPlace | undefined {
  const map = maps[typeof frame === 'number' ? frame : FRAMES.indexOf(frame)];
  const index = map?.find(offset) ?? -1;
  if (map === undefined || index < 0) return undefined;
  const spec = map.specs[index]!;
  const name = map.names[index]!;
  const element = map.element(index, offset);
  return { name, spec, element, label: labelOf(name, spec, element) };
}

function labelOf(name: string, spec: RegisterSpec, element: number): string {
  if (spec.count === undefined) return name;
  // Byte arrays are named by the word that holds them, routing registers by their INTID.
  if (spec.bytes === 1) return `${name}${element >> 2}`;
  if (spec.bitsPerIntid === 64) return `${name}${element + (spec.firstIntid ?? 0)}`;
  if (name.endsWith('_PIDR')) return `${name.slice(0, -4)}${['PIDR4', 'PIDR5', 'PIDR6', 'PIDR7', 'PIDR0', 'PIDR1', 'PIDR2', 'PIDR3', 'CIDR0', 'CIDR1', 'CIDR2', 'CIDR3'][element]}`;
  return `${name}${element}`;
}

const pair = new Uint32Array(8);
function fieldOf(low: number, high: number, field: FieldSpec): string {
  pair[0] = low;
  pair[1] = high;
  const stored = extract(pair, 0, 0, field.lsb, field.width);
  switch (field.kind) {
    case 'minus1':
      return `${stored + 1}`;
    case 'pa':
      return `0x${(stored * 2 ** (field.shift ?? 0)).toString(16)}`;
    case 'enum':
      return field.values?.[stored] ?? `${stored}`;
    default:
      return stored > 9 ? `0x${stored.toString(16)}` : `${stored}`;
  }
}

/** Fields of a register's value that are not zero, `Name=value`, in ascending order of bits. */
export function fieldsText(fields: readonly FieldSpec[], low: number, high: number): string {
  const shown: string[] = [];
  for (const field of fields) {
    pair[0] = low;
    pair[1] = high;
    if (extract(pair, 0, 0, field.lsb, field.width) === 0 && field.kind !== 'minus1') continue;
    shown.push(field.kind === 'flag' ? field.name : `${field.name}=${fieldOf(low, high, field)}`);
  }
  return shown.join(' ');
}

/** A command with its operands, from eight words. */
export function commandText(words: Uint32Array, at = 0): string {
  const decoded = decodeCommand(words, at);
  if (decoded === undefined) return `command 0x${(words[at]! & 0xff).toString(16)}`;
  const operands = Object.entries(decoded.operands).map(([name, value]) => `${name} 0x${value.toString(16)}`);
  return [decoded.name, ...operands].join(' ');
}

function hex(low: number, high: number): string {
  return `0x${(high !== 0 ? high * 2 ** 32 > Number.MAX_SAFE_INTEGER ? (BigInt(high) << 32n) | BigInt(low) : high * 2 ** 32 + low : low).toString(16)}`;
}

/** A field's value as people read it. */
export function valueText(field: RecordField, words: Uint32Array, at: number): string {
  switch (field.type) {
    case 'enum':
      return field.values?.[words[at]!] ?? `${words[at]}`;
    case 'bool':
      return words[at] ? 'yes' : 'no';
    case 'sysreg':
      return sysregName(words[at]!) ?? hex(words[at]!, 0);
    case 'u64':
    case 'pa':
      return hex(words[at]!, words[at + 1]!);
    default: {
      const value = fieldValue(field, words, at);
      return field.base === 'hex' ? `0x${value.toString(16)}` : `${value}`;
    }
  }
}

function accessText(words: Uint32Array, at: number, read: boolean): string {
  const frame = words[at]!;
  const instance = words[at + 1]!;
  const offset = words[at + 2]!;
  const width = words[at + 3]!;
  const place = registerAt(frame, offset);
  const label = place?.label ?? `${FRAMES[frame]}+0x${offset.toString(16)}`;
  const of = frame === 0 ? '' : `[${instance}]`;
  const fields = place === undefined || (width < place.spec.bytes && (offset & 4) !== 0) ? '' : fieldsText(place.spec.fields, words[at + 4]!, words[at + 5]!);
  return `${label}${of} ${read ? '->' : '<-'} ${hex(words[at + 4]!, words[at + 5]!)}${width === 4 ? '' : ` (${width} bytes)`}${fields ? ` {${fields}}` : ''}`;
}

function sysregText(words: Uint32Array, at: number, read: boolean): string {
  const name = sysregName(words[at]!);
  const fields = name === undefined ? '' : fieldsText(SYSREGS[name].fields, words[at + 1]!, words[at + 2]!);
  return `${name ?? hex(words[at]!, 0)} ${read ? '->' : '<-'} ${hex(words[at + 1]!, words[at + 2]!)}${fields ? ` {${fields}}` : ''}`;
}

/** Everything but number and time. */
function bodyText(batch: RecordBatch, i: number): string {
  const name = recordName(batch.kind[i]!);
  const at = i * RECORD_WORDS;
  const { words } = batch;
  switch (name) {
    case 'mmio.read':
    case 'mmio.write':
      return accessText(words, at, name === 'mmio.read');
    case 'sysreg.read':
    case 'sysreg.write':
      return sysregText(words, at, name === 'sysreg.read');
    case 'queue.write':
      return `queue.write ${hex(words[at + 1]!, words[at + 2]!)} ${commandText(words, at + 3)}`;
    case 'its.command':
      return `ITS${words[at]} slot ${words[at + 1]} ${commandText(words, at + 4)}${batch.flags[i]! & RECORD_FLAGS.valueUnknown ? '' : ` ${outcomeName(words[at + 2]!)}`}`;
    case 'hppi':
      return words[at + 2] === 255
        ? `hppi none${lineText(words[at + 3]!, words[at + 4]!)}`
        : `hppi INTID ${words[at]} group ${['0', '1S', '1NS'][words[at + 1]!]} priority 0x${words[at + 2]!.toString(16)}${lineText(words[at + 3]!, words[at + 4]!)}`;
    case undefined:
      return `kind ${batch.kind[i]}`;
    default: {
      const kind = recordKind(batch.kind[i]!);
      const offsets = fieldOffsets(kind);
      return [name, ...kind.fields.map((field, k) => `${field.name} ${valueText(field, words, at + offsets[k]!)}`)].join(' ');
    }
  }
}

function lineText(fiq: number, irq: number): string {
  return fiq || irq ? ` -> ${fiq ? 'FIQ' : ''}${fiq && irq ? ' ' : ''}${irq ? 'IRQ' : ''}` : '';
}

/** Seconds with nanoseconds, without a locale. */
function timeText(timeNs: number): string {
  if (Number.isNaN(timeNs)) return '+?';
  const seconds = Math.floor(timeNs / 1e9);
  return `+${seconds}.${String(Math.round(timeNs - seconds * 1e9)).padStart(9, '0')}`;
}

/** A record on one line; with its number, if given. */
export function recordText(batch: RecordBatch, i: number, number?: number): string {
  const pe = batch.pe[i]!;
  const who = recordKind(batch.kind[i]!).pe === 'none' ? '' : pe < 0 ? 'PE? ' : `PE${pe} `;
  const notes = [
    batch.rule[i] !== 0 ? 'inferred' : '',
    batch.flags[i]! & RECORD_FLAGS.reserved ? 'reserved' : '',
    batch.flags[i]! & RECORD_FLAGS.valueUnknown && recordName(batch.kind[i]!) !== 'its.command' ? 'not all shown' : '',
  ].filter(Boolean);
  return `${number === undefined ? '' : `${number} `}${timeText(batch.timeNs[i]!)} ${who}${bodyText(batch, i)}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

