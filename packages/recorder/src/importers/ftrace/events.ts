// Parses the text of Linux's events that concern a GIC (include/trace/events/rwmmio.h, kvm.h,
// arch/arm64/kvm/vgic/trace.h) into accesses. Knows no addresses and no records.
import { functionsOf } from './frames.ts';

export interface Access {
  /** Whose access it is: the kernel's own, or that of a guest whose vCPU KVM runs. */
  readonly side: 'host' | 'guest';
  /** `before`: a read whose value comes later. `again`: a write that was already printed before it was made. */
  readonly what: 'before' | 'read' | 'write' | 'again';
  readonly address: bigint;
  /** Width in bytes. */
  readonly width: number;
  readonly value: bigint;
  readonly functions: readonly string[];
}

export interface Input {
  readonly vcpu: number;
  readonly intid: number;
  readonly level: boolean;
}

const RWMMIO = /\bwidth=(\d+)(?: val=(0x[0-9a-f]+|0))? addr=(0x[0-9a-f]+)/;
const KVM_MMIO = /^mmio (unsatisfied-read|read|write) len (\d+) gpa (0x[0-9a-f]+|0)(?: val (0x[0-9a-f]+|0))?/;
const VGIC_PENDING = /^VCPU: (-?\d+), IRQ (\d+), level: ([01])/;
const WIDTHS = new Set([1, 2, 4, 8]);

const RWMMIO_EVENTS: { readonly [event: string]: Access['what'] } = {
  rwmmio_read: 'before',
  rwmmio_post_read: 'read',
  rwmmio_write: 'write',
  rwmmio_post_write: 'again',
};

/** Why some events, which one might look for, are left out. */
export const TELLS_NO_INTID: { readonly [event: string]: string } = {
  irq_handler_entry: "a number of Linux's, not an INTID",
  irq_handler_exit: "a number of Linux's, not an INTID",
  ipi_raise: 'a purpose, not an SGI',
  ipi_send_cpu: 'a purpose, not an SGI',
  ipi_send_cpumask: 'a purpose, not an SGI',
  ipi_entry: 'a purpose, not an SGI',
  ipi_exit: 'a purpose, not an SGI',
};

/** The access that an event reports; undefined for another event, 'malformed' for text that does not fit the event. */
export function accessOf(event: string, text: string): Access | 'malformed' | undefined {
  if (event === 'kvm_mmio') {
    const parts = KVM_MMIO.exec(text);
    if (parts === null || !WIDTHS.has(Number(parts[2]))) return 'malformed';
    const what = parts[1] === 'unsatisfied-read' ? 'before' : (parts[1] as 'read' | 'write');
    if (what !== 'before' && parts[4] === undefined) return 'malformed';
    return {
      side: 'guest',
      what,
      address: BigInt(parts[3]!),
      width: Number(parts[2]),
      value: BigInt.asUintN(8 * Number(parts[2]), BigInt(parts[4] ?? 0)),
      functions: [],
    };
  }
  const what = Object.hasOwn(RWMMIO_EVENTS, event) ? RWMMIO_EVENTS[event] : undefined;
  if (what === undefined) return undefined;
  const parts = RWMMIO.exec(text);
  // Its width is in bits.
  const width = Number(parts?.[1]) / 8;
  if (parts === null || !WIDTHS.has(width) || (what !== 'before' && parts[2] === undefined))
    return 'malformed';
  return {
    side: 'host',
    what,
    address: BigInt(parts[3]!),
    width,
    value: BigInt.asUintN(8 * width, BigInt(parts[2] ?? 0)),
    functions: functionsOf(text.slice(0, parts.index)),
  };
}

/** The change of a guest's interrupt input that was passed to KVM. */
export function inputOf(event: string, text: string): Input | 'malformed' | undefined {
  if (event !== 'vgic_update_irq_pending') return undefined;
  const parts = VGIC_PENDING.exec(text);
  if (parts === null) return 'malformed';
  return { vcpu: Number(parts[1]), intid: Number(parts[2]), level: parts[3] === '1' };
}

/** The vCPU that a thread of a virtual machine monitor runs, according to the thread's name; -1 for other threads. */
export function vcpuOf(comm: string): number {
  const name = /^(?:CPU (\d+)\/KVM|(?:kvm-vcpu-|fc_vcpu ?|crosvm_vcpu|vcpu ?)(\d+))$/.exec(comm);
  return name === null ? -1 : Number(name[1] ?? name[2]);
}
