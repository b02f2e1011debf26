// What a record is about: the names by which differences are counted, the shape by which a changed record finds
// its counterpart, and the stream in which it is aligned. Tables that both sides of a comparison share.
import {
  commandName,
  FRAMES,
  fieldOffsets,
  RECORDS,
  type RecordKind,
  recordName,
  registerAt,
  registerLabel,
  SYSREGS,
  sysregLabel,
} from '@gictrace/core';
import { spread } from './hash.ts';
import type { Subject } from './side.ts';

const id = (name: keyof typeof RECORDS) => RECORDS[name].id;
const MMIO_READ = id('mmio.read');
const MMIO_WRITE = id('mmio.write');
const SYSREG_READ = id('sysreg.read');
const SYSREG_WRITE = id('sysreg.write');
const MEM_WRITE = id('mem.write');
const QUEUE_WRITE = id('queue.write');
const MSI_WRITE = id('msi.write');
const WIRE_SET = id('wire.set');
const HPPI = id('hppi');
const VHPPI = id('vhppi');
const ITS_COMMAND = id('its.command');
const ITE_READ = id('ite.read');
const ITE_WRITE = id('ite.write');
const SGI_SENT = id('sgi.sent');
const FIRST_TABLE_ACCESS = id('dte.read');
const LAST_TABLE_ACCESS = id('vte.write');
const NOTHING = 1023;
/** System registers whose value is an INTID. */
const NAMES_INTID = new Set<number>(
  (
    [
      'ICC_IAR0_EL1',
      'ICC_IAR1_EL1',
      'ICC_NMIAR1_EL1',
      'ICC_EOIR0_EL1',
      'ICC_EOIR1_EL1',
      'ICC_DIR_EL1',
      'ICC_HPPIR0_EL1',
      'ICC_HPPIR1_EL1',
    ] as const
  ).map((name) => SYSREGS[name].encoding),
);

/** The words that say what a record is about rather than what it carries: [which, …], by kind. */
const SHAPES: readonly (readonly number[] | undefined)[] = (() => {
  const shapes = new Array<readonly number[] | undefined>(256).fill(undefined);
  shapes[MMIO_READ] = shapes[MMIO_WRITE] = [0, 1, 2, 3];
  shapes[SYSREG_READ] = shapes[SYSREG_WRITE] = [0];
  shapes[MEM_WRITE] = [0, 1, 2];
  shapes[MSI_WRITE] = [0, 1];
  shapes[WIRE_SET] = [0];
  for (const name of ['dte.read', 'dte.write', 'cte.read', 'cte.write', 'vte.read', 'vte.write'] as const)
    shapes[id(name)] = [0, 1];
  shapes[ITE_READ] = shapes[ITE_WRITE] = [0, 3];
  return shapes;
})();

const FIRST_EVENT = 96;
/** Of events: the word that holds the INTID; -1: none. */
const INTID_OF_EVENT = new Int8Array(256).fill(-1);
for (const kind of Object.values(RECORDS) as RecordKind[]) {
  const index = kind.fields.findIndex((field) => field.name === 'INTID');
  if (kind.class === 'event' && index >= 0) INTID_OF_EVENT[kind.id] = fieldOffsets(kind)[index]!;
}

const DEVICE_STREAM = 2 ** 41;
const SPI_STREAM = 2 ** 42;
const ITS_STREAM = 2 ** 43;
const OTHER_STREAM = 2 ** 44;

export class Names {
  readonly subjects: Subject[] = [];
  readonly streams: string[] = [];
  /** Of the last record given to {@link subjectOf}. */
  shape = 0;
  private readonly subjectNumbers = new Map<number, number>();
  private readonly streamNumbers = new Map<number, number>();

  /** The number of the subject of a record with these (masked) words. */
  subjectOf(kind: number, words: Uint32Array): number {
    let shape = Math.imul(kind + 1, 0x9e3779b1);
    const shaping = SHAPES[kind];
    if (shaping !== undefined) for (const k of shaping) shape = spread(shape ^ words[k]!) + k;
    else if (kind === ITS_COMMAND) shape = spread(shape ^ (words[4]! & 0xff) ^ (words[0]! << 8));
    else if (kind === QUEUE_WRITE) shape = spread(shape ^ (words[3]! & 0xff) ^ (words[0]! << 8));
    else if (kind >= FIRST_EVENT && INTID_OF_EVENT[kind]! >= 0)
      shape = spread(shape ^ words[INTID_OF_EVENT[kind]!]!);
    this.shape = shape >>> 0;
    const key = kind * 2 ** 44 + this.keyOf(kind, words);
    const known = this.subjectNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.subjects.length;
    this.subjects.push(describe(kind, words));
    this.subjectNumbers.set(key, number);
    return number;
  }

  /** What tells subjects of one kind apart. */
  private keyOf(kind: number, words: Uint32Array): number {
    switch (kind) {
      case MMIO_READ:
      case MMIO_WRITE:
        return words[0]! * 2 ** 24 + (words[2]! & 0xf_ffff) * 16 + (words[3]! & 15);
      case SYSREG_READ:
      case SYSREG_WRITE:
        return words[0]! * 2 ** 24 + (NAMES_INTID.has(words[0]!) ? words[1]! & 0xff_ffff : 0);
      case QUEUE_WRITE:
        return words[3]! & 0xff;
      case ITS_COMMAND:
        return words[4]! & 0xff;
      case MSI_WRITE:
        return words[1]!;
      case WIRE_SET:
      case HPPI:
      case SGI_SENT:
        return words[0]!;
      case VHPPI:
        return words[1]!;
      case ITE_READ:
      case ITE_WRITE:
        return words[6]!;
      default:
        return INTID_OF_EVENT[kind]! < 0 ? 0 : words[INTID_OF_EVENT[kind]!]!;
    }
  }

  /** The number of the stream of a record: of its PE; without one, of its device, ITS or SPI. */
  streamOf(kind: number, pe: number, words: Uint32Array, device: number): number {
    let key = OTHER_STREAM;
    if (pe >= 0) key = pe;
    else if (kind === MSI_WRITE) key = DEVICE_STREAM + words[0]! * 2 ** 32 + words[1]!;
    else if (kind >= FIRST_TABLE_ACCESS && kind <= LAST_TABLE_ACCESS && device >= 0)
      key = DEVICE_STREAM + words[0]! * 2 ** 32 + device;
    else if (kind === WIRE_SET) key = SPI_STREAM + words[0]!;
    else if (kind === QUEUE_WRITE || (kind >= ITS_COMMAND && kind <= LAST_TABLE_ACCESS))
      key = ITS_STREAM + words[0]!;
    const known = this.streamNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.streams.length;
    this.streams.push(streamName(key));
    this.streamNumbers.set(key, number);
    return number;
  }
}

function streamName(key: number): string {
  if (key >= OTHER_STREAM) return 'without a PE';
  if (key >= ITS_STREAM) return `ITS${key - ITS_STREAM}`;
  if (key >= SPI_STREAM) return `SPI ${key - SPI_STREAM}`;
  if (key >= DEVICE_STREAM)
    return `ITS${Math.floor((key - DEVICE_STREAM) / 2 ** 32)} device 0x${((key - DEVICE_STREAM) % 2 ** 32).toString(16)}`;
  return `PE${key}`;
}

function describe(kind: number, words: Uint32Array): Subject {
  const name = recordName(kind) ?? `kind ${kind}`;
  const about = (text: string, parts: Partial<Subject>): Subject => ({
    kind: name,
    register: null,
    INTID: null,
    command: null,
    DeviceID: null,
    ...parts,
    text: text === '' ? name : `${name} ${text}`,
  });
  const intid = (INTID: number) => about(INTID === NOTHING ? 'none' : `INTID ${INTID}`, { INTID });
  switch (kind) {
    case MMIO_READ:
    case MMIO_WRITE: {
      const known = registerAt(words[0]!, words[2]!) !== undefined;
      const label = registerLabel(words[0]!, words[2]!, words[3]!).replace(/\[.*\]$/, '');
      return about(label, { register: known ? label : `${FRAMES[words[0]!]}+0x${words[2]!.toString(16)}` });
    }
    case SYSREG_READ:
    case SYSREG_WRITE: {
      const register = sysregLabel(words[0]!);
      if (!NAMES_INTID.has(words[0]!)) return about(register, { register });
      const INTID = words[1]! & 0xff_ffff;
      return about(`${register} INTID ${INTID}`, { register, INTID });
    }
    case QUEUE_WRITE:
    case ITS_COMMAND: {
      const first = words[kind === QUEUE_WRITE ? 3 : 4]!;
      const command = commandName(first) ?? `0x${(first & 0xff).toString(16)}`;
      return about(command, { command });
    }
    case MSI_WRITE:
      return about(`DeviceID 0x${words[1]!.toString(16)}`, { DeviceID: words[1]! });
    case WIRE_SET:
    case HPPI:
    case SGI_SENT:
      return intid(words[0]!);
    case VHPPI:
      return about(words[1] === NOTHING ? '' : `vLPI ${words[1]}`, { INTID: words[1]! });
    case ITE_READ:
    case ITE_WRITE:
      return intid(words[6]!);
    default:
      return INTID_OF_EVENT[kind]! < 0 ? about('', {}) : intid(words[INTID_OF_EVENT[kind]!]!);
  }
}
