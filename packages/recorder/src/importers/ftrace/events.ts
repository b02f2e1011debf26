// Parses the text of Linux's events about a GIC and a virtual machine (include/trace/events/{rwmmio,kvm,irq,ipi}.h,
// arch/arm64/kvm/{trace_arm.h,vgic/trace.h}): as the kernel prints them, or as fields (`trace-cmd report -R`, the option
// `fields`, `perf trace`). Knows no addresses and no records. Probes are in probes.ts.
import { IPI_REASONS, IRQ_LINES, VCPU_EXITS } from '@gictrace/core/record';

export interface Access {
  readonly type: 'access';
  /** Whose access it is: the kernel's own, or that of a guest whose vCPU KVM runs. */
  readonly side: 'host' | 'guest';
  /** `before`: a read whose value comes later. `again`: a write that was already printed before it was made. */
  readonly what: 'before' | 'read' | 'write' | 'again';
  readonly address: bigint;
  /** Width in bytes. */
  readonly width: number;
  readonly value: bigint;
  /** The functions that made the access according to the line, as it prints them, the innermost last. */
  readonly callers: readonly string[];
}

/** An input line of a guest that KVM was told of (`vgic_update_irq_pending`), or that it was asked to set. */
export interface Input {
  readonly type: 'input';
  readonly vcpu: number;
  readonly intid: number;
  readonly level: boolean;
}

/** What a vCPU, KVM or the host did. */
export type Around =
  | { readonly type: 'entry'; readonly pc: bigint }
  | { readonly type: 'exit'; readonly why: number; readonly ec: number; readonly pc: bigint }
  | { readonly type: 'wait'; readonly wfe: boolean; readonly pc: bigint }
  | { readonly type: 'wakeup'; readonly waited: boolean; readonly ns: bigint }
  | { readonly type: 'sysreg'; readonly encoding: number; readonly write: boolean }
  | {
      readonly type: 'irq_line';
      readonly line: number;
      readonly vcpu: number;
      readonly num: number;
      readonly level: boolean;
    }
  | { readonly type: 'set_irq'; readonly gsi: number; readonly level: boolean }
  | { readonly type: 'irq_entry'; readonly irq: number; readonly name: string }
  | { readonly type: 'irq_exit'; readonly irq: number; readonly handled: boolean }
  | { readonly type: 'ipi_raise'; readonly targets: bigint; readonly reason: number }
  | { readonly type: 'ipi_entry' | 'ipi_exit'; readonly reason: number };

/** `timer`: KVM's timer of a vCPU changed its line, which the thread of that vCPU reports. */
export type Parsed = Access | Input | Around | { readonly type: 'timer'; readonly vcpu: number };

const RWMMIO = /\bwidth=(\d+)(?: val=(0x[0-9a-f]+|0))? addr=(0x[0-9a-f]+)/;
const KVM_MMIO = /^mmio (unsatisfied-read|read|write) len (\d+) gpa (0x[0-9a-f]+|0)(?: val (0x[0-9a-f]+|0))?/;
const WIDTHS = new Set([1, 2, 4, 8]);
const RWMMIO_EVENTS: { readonly [event: string]: Access['what'] } = {
  rwmmio_read: 'before',
  rwmmio_post_read: 'read',
  rwmmio_write: 'write',
  rwmmio_post_write: 'again',
};
/** KVM_TRACE_MMIO_READ_UNSATISFIED, _READ, _WRITE. */
const MMIO_TYPES = ['before', 'read', 'write'] as const;
const VCPU_INPUT = /^VCPU: (-?\d+), IRQ (\d+), level:? ([01])/;
// trace-cmd has plugins for the events of KVM on x86, which print complaints before what these events say on arm64.
const IRQ_LINE = /^Inject .{1,40}? interrupt \((\d+)\), vcpu->idx: (-?\d+), num: (\d+), level: (-?\d+)/;
const SET_IRQ = /^gsi (\d+) level (-?\d+)/;
const EXIT = /\b(\w+): HSR_EC: (0x[0-9a-f]+)(?: \([^)]{0,40}\))?, PC: (0x[0-9a-f]+)/;
const ENTRY = /\bPC: (0x[0-9a-f]+)/;
const WFX = /^guest executed wf([ei]) at: (0x[0-9a-f]+)/;
const WAKEUP = /^(wait|poll) time (\d+) ns/;
const SYS_ACCESS = /^PC: \S+ .*?\((\d+),(\d+),(\d+),(\d+),(\d+)\) (read|write)/;
const UNKNOWN_EXIT = VCPU_EXITS.indexOf('unknown');

/** A field of an event that is printed as fields: `name=value` or `name: value`. */
const FIELD = /\b([A-Za-z_]\w*)(?:=|: ?)(-?(?:0x[0-9a-fA-F]{1,16}|\d{1,20}))\b/g;

/** The numbers of an event that is printed as fields, by name. */
export class Fields {
  private readonly values = new Map<string, bigint>();
  /** Whether fields that are 0 are not printed, as by perf trace. */
  private readonly omitsZeros: boolean;

  constructor(text: string, omitsZeros = false) {
    this.omitsZeros = omitsZeros;
    for (const [, name, value] of text.matchAll(FIELD))
      this.values.set(name!, value!.startsWith('-') ? -BigInt(value!.slice(1)) : BigInt(value!));
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  /** The value of a field; undefined if it is not printed. */
  get(name: string): bigint | undefined {
    return this.values.get(name) ?? (this.omitsZeros ? 0n : undefined);
  }

  /** The values of fields as numbers; undefined if one is missing or does not fit. */
  numbers<const N extends readonly string[]>(...names: N): { [K in keyof N]: number } | undefined {
    const found = names.map((name) => this.get(name));
    if (found.some((value) => value === undefined || value < -(2n ** 53n) || value > 2n ** 53n))
      return undefined;
    return found.map(Number) as { [K in keyof N]: number };
  }
}

type Parser = (text: string, fields: () => Fields) => Parsed | undefined;

/** What an event says; undefined if its text does not fit. */
const PARSERS: { readonly [event: string]: Parser } = {
  kvm_mmio: (text, fields) => {
    const parts = KVM_MMIO.exec(text);
    if (parts !== null) {
      const what = parts[1] === 'unsatisfied-read' ? 'before' : (parts[1] as 'read' | 'write');
      if (what !== 'before' && parts[4] === undefined) return undefined;
      return access('guest', what, BigInt(parts[3]!), Number(parts[2]), BigInt(parts[4] ?? 0));
    }
    if (text.startsWith('mmio ')) return undefined;
    const numbers = fields().numbers('type', 'len');
    const [gpa, val] = [fields().get('gpa'), fields().get('val')];
    if (numbers === undefined || gpa === undefined || val === undefined) return undefined;
    const what = MMIO_TYPES[numbers[0]];
    return what === undefined || !fields().has('gpa')
      ? undefined
      : access('guest', what, gpa, numbers[1], val);
  },
  vgic_update_irq_pending: (text, fields) => {
    const one = vcpuInput(text, fields);
    return one === undefined ? undefined : { type: 'input', ...one };
  },
  kvm_timer_update_irq: (text, fields) => {
    const one = vcpuInput(text, fields);
    return one === undefined ? undefined : { type: 'timer', vcpu: one.vcpu };
  },
  kvm_irq_line: (text, fields) => {
    const parts = IRQ_LINE.exec(text);
    const numbers =
      parts === null ? fields().numbers('type', 'vcpu_idx', 'irq_num', 'level') : parts.slice(1).map(Number);
    if (numbers === undefined || IRQ_LINES[numbers[0]!] === undefined) return undefined;
    return {
      type: 'irq_line',
      line: numbers[0]!,
      vcpu: numbers[1]!,
      num: numbers[2]!,
      level: numbers[3] !== 0,
    };
  },
  kvm_set_irq: (text, fields) => {
    const parts = SET_IRQ.exec(text);
    const numbers = parts === null ? fields().numbers('gsi', 'level') : [Number(parts[1]), Number(parts[2])];
    return numbers === undefined ? undefined : { type: 'set_irq', gsi: numbers[0]!, level: numbers[1] !== 0 };
  },
  kvm_entry: (text, fields) => {
    const pc = ENTRY.exec(text)?.[1] ?? fields().get('vcpu_pc');
    return pc === undefined ? undefined : { type: 'entry', pc: BigInt(pc) };
  },
  kvm_exit: (text, fields) => {
    const parts = EXIT.exec(text);
    if (parts !== null) {
      const why = VCPU_EXITS.indexOf(parts[1] as never);
      return exit(why < 0 ? UNKNOWN_EXIT : why, Number(parts[2]), BigInt(parts[3]!));
    }
    const numbers = fields().numbers('ret', 'esr_ec');
    const pc = fields().get('vcpu_pc');
    if (numbers === undefined || pc === undefined) return undefined;
    // ARM_EXCEPTION_IRQ, _EL1_SERROR, _TRAP, _IL are 0 to 3.
    return exit(numbers[0] >= 0 && numbers[0] <= 3 ? numbers[0] : UNKNOWN_EXIT, numbers[1], pc);
  },
  kvm_wfx_arm64: (text, fields) => {
    const parts = WFX.exec(text);
    if (parts !== null) return { type: 'wait', wfe: parts[1] === 'e', pc: BigInt(parts[2]!) };
    const [pc, wfe] = [fields().get('vcpu_pc'), fields().get('is_wfe')];
    return pc === undefined || wfe === undefined ? undefined : { type: 'wait', wfe: wfe !== 0n, pc };
  },
  kvm_vcpu_wakeup: (text, fields) => {
    const parts = WAKEUP.exec(text);
    if (parts !== null) return { type: 'wakeup', waited: parts[1] === 'wait', ns: BigInt(parts[2]!) };
    const [ns, waited] = [fields().get('ns'), fields().get('waited')];
    return ns === undefined || waited === undefined
      ? undefined
      : { type: 'wakeup', waited: waited !== 0n, ns };
  },
  kvm_sys_access: (text, fields) => {
    const parts = SYS_ACCESS.exec(text);
    const numbers =
      parts === null ? fields().numbers('Op0', 'Op1', 'CRn', 'CRm', 'Op2') : parts.slice(1, 6).map(Number);
    const write = parts === null ? fields().get('is_write') : parts[6] === 'write';
    if (numbers === undefined || write === undefined) return undefined;
    const [op0, op1, crn, crm, op2] = numbers as number[];
    const encoding = (op0! << 14) | (op1! << 11) | (crn! << 7) | (crm! << 3) | op2!;
    return { type: 'sysreg', encoding, write: write !== false && write !== 0n };
  },
  irq_handler_entry: (text) => {
    const parts = /^irq=(\d{1,9}) (?:name|handler)=(.*)$/.exec(text);
    return parts === null ? undefined : { type: 'irq_entry', irq: Number(parts[1]), name: parts[2]!.trim() };
  },
  irq_handler_exit: (text) => {
    const parts = /^irq=(\d{1,9}) (?:ret|return)=(handled|unhandled|-?\d+)/.exec(text);
    if (parts === null) return undefined;
    return { type: 'irq_exit', irq: Number(parts[1]), handled: parts[2] !== 'unhandled' && parts[2] !== '0' };
  },
  ipi_raise: (text) => {
    const parts = /^target_mask=([0-9a-f,]+) \((.*)\)/.exec(text);
    if (parts !== null) return { type: 'ipi_raise', targets: maskOf(parts[1]!), reason: reasonOf(parts[2]!) };
    const raw = /^target_cpus=ARRAY\[([0-9a-f, ]+)\] reason=(.*)$/.exec(text);
    if (raw === null) return undefined;
    const bytes = raw[1]!.split(',').map((byte) => BigInt(`0x${byte.trim()}`));
    const targets = bytes.reduce((sum, byte, k) => sum | (byte << BigInt(8 * k)), 0n);
    return { type: 'ipi_raise', targets: BigInt.asUintN(64, targets), reason: reasonOf(raw[2]!) };
  },
  ipi_send_cpu: (_text, fields) => {
    const cpu = fields().numbers('cpu')?.[0];
    if (cpu === undefined || cpu < 0) return undefined;
    return { type: 'ipi_raise', targets: cpu < 64 ? 1n << BigInt(cpu) : 0n, reason: 0 };
  },
  ipi_send_cpumask: (text) => {
    const parts = /^cpumask=([0-9a-f,]+)/.exec(text);
    return parts === null ? undefined : { type: 'ipi_raise', targets: maskOf(parts[1]!), reason: 0 };
  },
  ipi_entry: (text) => ipi('ipi_entry', text),
  ipi_exit: (text) => ipi('ipi_exit', text),
};

/** What an event reports; undefined for another event, 'malformed' for text that does not fit the event. */
export function parseEvent(
  event: string,
  text: string,
  omitsZeros = false,
): Parsed | 'malformed' | undefined {
  let own: Fields | undefined;
  const fields = () => {
    own ??= new Fields(text, omitsZeros);
    return own;
  };
  if (Object.hasOwn(PARSERS, event)) return PARSERS[event]!(text, fields) ?? 'malformed';
  const what = Object.hasOwn(RWMMIO_EVENTS, event) ? RWMMIO_EVENTS[event] : undefined;
  if (what === undefined) return undefined;
  const parts = RWMMIO.exec(text);
  if (parts === null) return rawRwmmio(what, fields());
  // Its width is in bits.
  if (what !== 'before' && parts[2] === undefined) return 'malformed';
  const [address, bits, value] = [BigInt(parts[3]!), Number(parts[1]), BigInt(parts[2] ?? 0)];
  return access('host', what, address, bits / 8, value, callersOf(text.slice(0, parts.index))) ?? 'malformed';
}

function rawRwmmio(what: Access['what'], fields: Fields): Access | 'malformed' {
  const [bits, address, value] = [fields.get('width'), fields.get('addr'), fields.get('val')];
  if (bits === undefined || address === undefined || (what !== 'before' && value === undefined))
    return 'malformed';
  return access('host', what, address, Number(bits) / 8, value ?? 0n) ?? 'malformed';
}

function access(
  side: Access['side'],
  what: Access['what'],
  address: bigint,
  width: number,
  value: bigint,
  callers: readonly string[] = [],
): Access | undefined {
  if (!WIDTHS.has(width) || address < 0n) return undefined;
  return { type: 'access', side, what, address, width, value: BigInt.asUintN(8 * width, value), callers };
}

function vcpuInput(text: string, fields: () => Fields): Omit<Input, 'type'> | undefined {
  const parts = VCPU_INPUT.exec(text);
  const numbers =
    parts === null
      ? fields().numbers('vcpu_id', 'irq', 'level')
      : [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (numbers === undefined) return undefined;
  const [vcpu, intid, level] = numbers as [number, number, number];
  return vcpu >= -1 && vcpu < 2 ** 16 && intid >= 0 && intid < 2 ** 24
    ? { vcpu, intid, level: level !== 0 }
    : undefined;
}

function exit(why: number, ec: number, pc: bigint): Around {
  return { type: 'exit', why, ec: ec & 0xff, pc: BigInt.asUintN(64, pc) };
}

function ipi(type: 'ipi_entry' | 'ipi_exit', text: string): Around | undefined {
  const parts = /^(?:\((.*)\)|reason=(.*))$/.exec(text);
  return parts === null ? undefined : { type, reason: reasonOf(parts[1] ?? parts[2]!) };
}

function reasonOf(text: string): number {
  return Math.max(0, IPI_REASONS.indexOf(text.trim() as never));
}

/** A mask of CPUs as words of 32 bits, the highest first. */
function maskOf(text: string): bigint {
  return BigInt.asUintN(64, BigInt(`0x${text.replaceAll(',', '') || '0'}`));
}

/** The functions that made the access according to the line, with their offsets. */
function callersOf(text: string): string[] {
  return text.match(/(?<![\w.])[A-Za-z_][\w.]*\+0x[0-9a-f]+(?:\/0x[0-9a-f]+)?/g) ?? [];
}

/** The name of a function without its offset and the compiler's suffixes. */
export function functionName(caller: string): string {
  return /^\w+/.exec(caller)?.[0] ?? caller;
}

/** The vCPU that a thread of a virtual machine monitor runs, according to the thread's name; -1 for other threads. */
export function vcpuOf(comm: string): number {
  const name = /^(?:CPU (\d{1,5})\/KVM|(?:kvm-vcpu-|fc_vcpu ?|crosvm_vcpu|vcpu ?)(\d{1,5}))$/.exec(comm);
  return name === null ? -1 : Number(name[1] ?? name[2]);
}
