// Makes the records of what happens around a GIC: what KVM does with vCPUs and injections, what interrupts and IPIs the
// host handles, what the log lost.
import { CONTEXT_KINDS, NO_PE, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { SPURIOUS, SYSREGS } from '@gictrace/core/spec';
import type { Losses } from '../common/losses.ts';
import type { Around } from './events.ts';
import type { FtraceLine } from './lines.ts';
import type { Plan } from './survey.ts';

/** Begins a record, and takes it when its fields are set. */
export interface Maker {
  readonly begin: (kind: number, pe: number, line: FtraceLine, rule?: number) => number;
  readonly done: () => void;
  /** The batch with the record that was begun. */
  readonly one: RecordBatch;
}

const HOST_TYPES: ReadonlySet<Around['type']> = new Set([
  'irq_entry',
  'irq_exit',
  'ipi_raise',
  'ipi_entry',
  'ipi_exit',
]);
/** System registers of a GIC. */
const OF_GIC: ReadonlySet<number> = new Set(Object.values(SYSREGS).map(({ encoding }) => encoding));
const SEND_EVENTS: ReadonlySet<string> = new Set(['ipi_send_cpu', 'ipi_send_cpumask']);
/** Indices into IRQ_LINES. */
const LINE_OF_CPU = 0;
const LINE_OF_SPI = 1;

export class AroundRecords {
  private readonly maker: Maker;
  private readonly losses: Losses;
  /** The log has ipi_raise, which reports the same as ipi_send_*, and what for. */
  private readonly hasRaise: boolean;
  /** By CPU: the INTID of the interrupt that the host is about to handle. */
  private readonly hwirqs = new Map<number, number>();
  /** By thread: the system register of which an access was trapped last. */
  private readonly traps = new Map<number, number>();

  constructor({ events }: Plan, maker: Maker, losses: Losses) {
    this.maker = maker;
    this.losses = losses;
    this.hasRaise = events.has('ipi_raise');
  }

  /** Whether the host did it, whichever GIC the trace is of. */
  isOfHost(one: Around): boolean {
    return HOST_TYPES.has(one.type);
  }

  /** The host is about to handle an interrupt with this INTID. */
  hwirq(cpu: number, hwirq: number): void {
    this.hwirqs.set(cpu, hwirq);
  }

  /** The system register of which an access by the guest on this thread was trapped last; -1 if none was. */
  trapped(pid: number): number {
    return this.traps.get(pid) ?? -1;
  }

  lost(cpu: number, count: number, line: FtraceLine): void {
    this.maker.begin(CONTEXT_KINDS['source.lost'].id, NO_PE, line);
    this.maker.one.timeNs[0] = Number.NaN;
    this.set(cpu, count);
    this.maker.done();
  }

  take(one: Around, line: FtraceLine, pe: number, rule: number): void {
    const { cpu } = line;
    switch (one.type) {
      case 'entry':
        return this.put('vcpu.entry', pe, line, rule, [cpu, ...halves(one.pc)]);
      case 'exit':
        return this.put('vcpu.exit', pe, line, rule, [cpu, one.why, one.ec, ...halves(one.pc)]);
      case 'wait':
        return this.put('vcpu.wait', pe, line, rule, [cpu, one.wfe ? 1 : 0, ...halves(one.pc)]);
      case 'wakeup':
        return this.put('vcpu.wakeup', pe, line, rule, [cpu, one.waited ? 1 : 0, ...halves(one.ns)]);
      case 'sysreg':
        this.traps.set(line.pid, one.encoding);
        if (!OF_GIC.has(one.encoding)) {
          this.losses.add('kvm_sys_access: no register of the GIC');
          return;
        }
        return this.put('vcpu.sysreg', pe, line, rule, [cpu, one.encoding, one.write ? 1 : 0]);
      case 'irq_line': {
        const intid = one.line === LINE_OF_CPU ? SPURIOUS : one.num;
        const of = one.line === LINE_OF_SPI ? NO_PE : one.vcpu;
        return this.put('kvm.irq_line', of, line, 0, [cpu, one.line, intid, one.level ? 1 : 0]);
      }
      case 'set_irq':
        return this.put('kvm.set_irq', NO_PE, line, 0, [cpu, one.gsi, one.level ? 1 : 0]);
      case 'irq_entry': {
        const intid = this.hwirqs.get(cpu) ?? SPURIOUS;
        this.hwirqs.delete(cpu);
        return this.put('host.irq.entry', NO_PE, line, 0, [cpu, one.irq, intid]);
      }
      case 'irq_exit':
        return this.put('host.irq.exit', NO_PE, line, 0, [cpu, one.irq, one.handled ? 1 : 0]);
      case 'ipi_raise':
        if (this.hasRaise && SEND_EVENTS.has(line.event)) {
          this.losses.add(`${line.event}: the same as ipi_raise`);
          return;
        }
        return this.put('host.ipi.raise', NO_PE, line, 0, [cpu, ...halves(one.targets), one.reason]);
      case 'ipi_entry':
        return this.put('host.ipi.entry', NO_PE, line, 0, [cpu, one.reason]);
      case 'ipi_exit':
        return this.put('host.ipi.exit', NO_PE, line, 0, [cpu, one.reason]);
    }
  }

  /** A record of a kind whose fields have these words. */
  put(
    kind: keyof typeof CONTEXT_KINDS,
    pe: number,
    line: FtraceLine,
    rule: number,
    words: readonly number[],
  ): void {
    this.maker.begin(CONTEXT_KINDS[kind].id, pe, line, pe < 0 ? 0 : rule);
    this.set(...words);
    this.maker.done();
  }

  private set(...words: readonly number[]): void {
    this.maker.one.words.set(words.map((word) => word >>> 0).slice(0, RECORD_WORDS));
  }
}

/** A doubleword as two words, the low one first. */
export function halves(value: bigint): [number, number] {
  return [Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn)];
}
