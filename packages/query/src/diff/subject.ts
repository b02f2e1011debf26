// What a record concerns: the names by which differences are counted, the shape by which a changed record finds its
// counterpart, and the stream in which it is aligned. Both sides of a comparison share these tables.
import { registerLabel, sysregLabel } from '@gictrace/core/disasm';
import {
  identifierAt,
  isEvent,
  isTableAccess,
  KIND,
  recordName,
  slotsOf,
  valueAt,
} from '@gictrace/core/record';
import { anyIntidText, commandName, FRAMES, registerAt } from '@gictrace/core/spec';
import { spread } from './hash.ts';
import type { Subject } from './side.ts';

const MMIO_READ = KIND['mmio.read'];
const MMIO_WRITE = KIND['mmio.write'];
const SYSREG_READ = KIND['sysreg.read'];
const SYSREG_WRITE = KIND['sysreg.write'];
const QUEUE_WRITE = KIND['queue.write'];
const MSI_WRITE = KIND['msi.write'];
const WIRE_SET = KIND['wire.set'];
const HPPI = KIND.hppi;
const VHPPI = KIND.vhppi;
const ITS_COMMAND = KIND['its.command'];

/** The first interrupt that these (masked) words name, physical or virtual; -1 for none, or for all LPIs at once. */
function intidIn(kind: number, words: Uint32Array): number {
  for (const slot of slotsOf(kind, words)) {
    const identifier = identifierAt(slot, words);
    if (identifier !== 'INTID' && identifier !== 'vINTID') continue;
    const intid = valueAt(slot, words);
    return intid === slot.all ? -1 : intid;
  }
  return -1;
}

/** The words that say what a record concerns rather than what it carries: [which, …], by kind. */
const SHAPES: readonly (readonly number[] | undefined)[] = (() => {
  const shapes = new Array<readonly number[] | undefined>(256).fill(undefined);
  shapes[MMIO_READ] = shapes[MMIO_WRITE] = [0, 1, 2, 3];
  shapes[SYSREG_READ] = shapes[SYSREG_WRITE] = [0];
  shapes[KIND['mem.write']] = [0, 1, 2];
  shapes[MSI_WRITE] = [0, 1];
  shapes[WIRE_SET] = [0];
  for (const name of ['dte.read', 'dte.write', 'cte.read', 'cte.write', 'vte.read', 'vte.write'] as const)
    shapes[KIND[name]] = [0, 1];
  shapes[KIND['ite.read']] = shapes[KIND['ite.write']] = [0, 3];
  return shapes;
})();

const DEVICE_STREAM = 2 ** 41;
const SPI_STREAM = 2 ** 42;
const ITS_STREAM = 2 ** 43;
const OTHER_STREAM = 2 ** 44;

export class Names {
  readonly subjects: Subject[] = [];
  readonly streams: string[] = [];
  /** The shape of the last record given to {@link subjectOf}. */
  shape = 0;
  private readonly subjectNumbers = new Map<number, number>();
  private readonly streamNumbers = new Map<number, number>();

  /** The number of the subject of a record with these (masked) words. `isUnknown`: its value is not in the source. */
  subjectOf(kind: number, words: Uint32Array, isUnknown = false): number {
    const isSysreg = kind === SYSREG_READ || kind === SYSREG_WRITE;
    const intid = isSysreg && isUnknown ? -1 : intidIn(kind, words);
    let shape = Math.imul(kind + 1, 0x9e3779b1);
    const shaping = SHAPES[kind];
    if (shaping !== undefined) for (const k of shaping) shape = spread(shape ^ words[k]!) + k;
    else if (kind === ITS_COMMAND) shape = spread(shape ^ (words[4]! & 0xff) ^ (words[0]! << 8));
    else if (kind === QUEUE_WRITE) shape = spread(shape ^ (words[3]! & 0xff) ^ (words[0]! << 8));
    else if (isEvent(kind)) shape = spread(shape ^ intid);
    this.shape = shape >>> 0;
    const key = kind * 2 ** 44 + this.keyOf(kind, words, intid);
    const known = this.subjectNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.subjects.length;
    this.subjects.push(describe(kind, words, intid));
    this.subjectNumbers.set(key, number);
    return number;
  }

  /** What distinguishes subjects of one kind. */
  private keyOf(kind: number, words: Uint32Array, intid: number): number {
    switch (kind) {
      case MMIO_READ:
      case MMIO_WRITE:
        return words[0]! * 2 ** 24 + (words[2]! & 0xf_ffff) * 16 + (words[3]! & 15);
      case SYSREG_READ:
      case SYSREG_WRITE:
        return words[0]! * 2 ** 25 + ((intid + 1) & 0x1ff_ffff);
      case QUEUE_WRITE:
        return words[3]! & 0xff;
      case ITS_COMMAND:
        return words[4]! & 0xff;
      case MSI_WRITE:
        return words[1]!;
      default:
        return intid + 1;
    }
  }

  /** The number of a record's stream: by its PE or, if it has none, by its device, ITS or SPI. */
  streamOf(kind: number, pe: number, words: Uint32Array, device: number): number {
    let key = OTHER_STREAM;
    if (pe >= 0) key = pe;
    else if (kind === MSI_WRITE) key = DEVICE_STREAM + words[0]! * 2 ** 32 + words[1]!;
    else if (isTableAccess(kind) && device >= 0) key = DEVICE_STREAM + words[0]! * 2 ** 32 + device;
    else if (kind === WIRE_SET) key = SPI_STREAM + words[0]!;
    else if (kind === QUEUE_WRITE || kind === ITS_COMMAND || isTableAccess(kind))
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

function describe(kind: number, words: Uint32Array, INTID: number): Subject {
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
      if (INTID < 0) return about(register, { register });
      return about(`${register} ${anyIntidText(INTID)}`, { register, INTID });
    }
    case QUEUE_WRITE:
    case ITS_COMMAND: {
      const first = words[kind === QUEUE_WRITE ? 3 : 4]!;
      const command = commandName(first) ?? `0x${(first & 0xff).toString(16)}`;
      return about(command, { command });
    }
    case MSI_WRITE:
      return about(`DeviceID 0x${words[1]!.toString(16)}`, { DeviceID: words[1]! });
    case HPPI:
      return INTID < 0 ? about('none', {}) : about(anyIntidText(INTID), { INTID });
    case VHPPI:
      return INTID < 0 ? about('', {}) : about(`vLPI ${INTID}`, { INTID });
    default:
      return INTID < 0 ? about('', {}) : about(anyIntidText(INTID), { INTID });
  }
}
