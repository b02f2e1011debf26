// Makes the records of what probes show of a guest's GIC: ITS commands, LPI configuration and other memory that KVM read,
// SGIs, messages, list registers. Keeps what it needs to place them: the queues of the ITSs and the configuration table.
import { LIST_REGISTER_STATES, NO_PE, RECORD_WORDS, RULES } from '@gictrace/core/record';
import { GICR, GITS, LPI_FIRST, SYSREGS } from '@gictrace/core/spec';
import type { Losses } from '../common/losses.ts';
import { MEM_KNOWN, MSI_WRITE, QUEUE_WRITE, SYSREG_WRITE } from '../common/record-kinds.ts';
import type { AroundRecords, Maker } from './around.ts';
import { halves } from './around.ts';
import type { Frames, Place } from './frames.ts';
import type { FtraceLine } from './lines.ts';
import type { Ordered } from './ordered.ts';
import type { Probe } from './probes.ts';

const READ_BY_KVM = RULES['memory-read-by-kvm'].id;
const SGI_REGISTER = RULES['sgi-register'].id;
const COMMAND_BYTES = 32;
/** The function of KVM that reads commands. */
const READS_COMMANDS = 'vgic_its_process_commands';
const ADDRESS = 0xf_ffff_ffff_f000n;
const PAGE = 4096n;
/** Physical addresses are below this. */
const PHYSICAL_END = 2n ** 52n;
const READ_MOST = 32;
/** INTIDs have 24 bits at most. */
const LPIS_BELOW = 2 ** 24;
const SGI0R = SYSREGS.ICC_SGI0R_EL1.encoding;
const SGI1R = SYSREGS.ICC_SGI1R_EL1.encoding;
const ASGI1R = SYSREGS.ICC_ASGI1R_EL1.encoding;
/** ICH_LR<n>_EL2.State. */
const STATE_AT = 62n;
const INTERRUPTS = 0xffff_ffffn;

interface Queue {
  readonly base: bigint;
  readonly bytes: bigint;
  /** Offset of the slot that is read next. */
  next: bigint;
}

interface Message {
  readonly data: number;
  readonly device: number;
  readonly probe: Extract<Probe, { type: 'msi' }>;
}

export class ProbeRecords {
  private readonly frames: Frames;
  private readonly maker: Maker;
  private readonly around: AroundRecords;
  private readonly ordered: Ordered;
  private readonly losses: Losses;
  /** By ITS. */
  private readonly queues: (Queue | undefined)[] = [];
  private readonly cbasers: bigint[] = [];
  private propbaser = 0n;
  /** By thread: the message that it injected last, or is about to inject from the cache. */
  private readonly injected = new Map<number, Message>();
  private readonly asked = new Map<number, Message>();

  constructor(frames: Frames, maker: Maker, around: AroundRecords, ordered: Ordered, losses: Losses) {
    this.frames = frames;
    this.maker = maker;
    this.around = around;
    this.ordered = ordered;
    this.losses = losses;
  }

  /** The guest wrote a register of the GIC. */
  written({ frame, instance, offset }: Place, width: number, low: number, high: number): void {
    if (frame === 'GITS' && (offset & ~7) === GITS.GITS_CBASER.offset) {
      const value = merged(this.cbasers[instance] ?? 0n, offset, width, low, high);
      this.cbasers[instance] = value;
      this.queues[instance] = { base: value & ADDRESS, bytes: ((value & 0xffn) + 1n) * PAGE, next: 0n };
    } else if (frame === 'GICR' && (offset & ~7) === GICR.GICR_PROPBASER.offset)
      this.propbaser = merged(this.propbaser, offset, width, low, high);
  }

  /** `trapped`: the system register of which an access was trapped last on the thread, or -1. */
  take(
    probe: Exclude<Probe, { type: 'vcpu' | 'hwirq' }>,
    line: FtraceLine,
    pe: number,
    rule: number,
    trapped: number,
  ): void {
    const { maker } = this;
    switch (probe.type) {
      case 'sgi': {
        // ICC_ASGI1R_EL1 generates SGIs of the other Security state, which KVM does not have.
        const isTold = probe.isGroup1 || trapped === SGI0R || trapped === ASGI1R;
        const register = probe.isGroup1 ? SGI1R : trapped === ASGI1R ? ASGI1R : SGI0R;
        maker.begin(SYSREG_WRITE, pe, line, isTold ? rule : SGI_REGISTER);
        maker.one.words.set([register, ...halves(probe.value)]);
        return maker.done();
      }
      case 'msi':
        return this.message(probe, line);
      case 'msi outcome': {
        const asked = this.asked.get(line.pid);
        this.asked.delete(line.pid);
        if (asked !== undefined && probe.isInjected) this.inject(asked, line);
        return;
      }
      case 'guest read':
        return this.memory(probe, line, pe);
      case 'lpi config': {
        if (this.propbaser === 0n || probe.intid < LPI_FIRST || probe.intid >= LPIS_BELOW) return;
        return this.known((this.propbaser & ADDRESS) + BigInt(probe.intid - LPI_FIRST), [probe.config], line);
      }
      case 'listed':
        return this.around.put('vgic.listed', pe, line, rule, [line.cpu, probe.intid, probe.lr]);
      case 'folded':
        probe.lrs.forEach((lr, n) => {
          const state = Number(lr >> STATE_AT);
          if (lr !== 0n && state < LIST_REGISTER_STATES.length)
            this.around.put('vgic.folded', pe, line, rule, [line.cpu, Number(lr & INTERRUPTS), n, state]);
        });
        return;
      case 'queued':
        return this.around.put('vgic.queued', NO_PE, line, 0, [line.cpu, probe.intid]);
    }
  }

  // ---- messages --------------------------------------------------------------------------------------------

  private message(probe: Extract<Probe, { type: 'msi' }>, line: FtraceLine): void {
    const message = { data: probe.data, device: probe.device, probe };
    if (!probe.isCached) {
      this.injected.set(line.pid, message);
      this.inject(message, line);
    } else if (probe.isInjected === undefined) this.asked.set(line.pid, message);
    else if (probe.isInjected) {
      // The function that injects a message looks into the cache first, so the same message has two lines.
      const before = this.injected.get(line.pid);
      this.injected.delete(line.pid);
      if (before?.data !== probe.data || before.device !== probe.device) this.inject(message, line);
    }
  }

  private inject({ data, device, probe }: Message, line: FtraceLine): void {
    const its = this.frames.itsOfMessage(probe.address);
    if (its < 0) {
      this.losses.add(`${line.event}: a message for no known ITS`);
      return;
    }
    this.maker.begin(MSI_WRITE, NO_PE, line);
    this.maker.one.words.set([its, device, data, 4]);
    this.maker.done();
  }

  // ---- memory ----------------------------------------------------------------------------------------------

  private memory(probe: Extract<Probe, { type: 'guest read' }>, line: FtraceLine, pe: number): void {
    const { address, length, data, caller } = probe;
    if (address !== undefined && address + BigInt(READ_MOST) > PHYSICAL_END) {
      this.losses.add(`${line.event}: memory beyond the physical addresses of 52 bits`);
      return;
    }
    if (length === 0) {
      this.losses.add(`${line.event}: memory that was not read, or is longer than the probe prints`);
      return;
    }
    const its = this.queueOf(address);
    const isCommand = length === COMMAND_BYTES && (its >= 0 || caller === READS_COMMANDS);
    if (isCommand) this.command(Math.max(its, 0), address, data, line, pe);
    else if (address !== undefined) {
      const bytes = Array.from({ length }, (_, k) => Number((data[k >> 3]! >> BigInt(8 * (k & 7))) & 0xffn));
      this.known(address, bytes, line);
    }
  }

  /** The ITS in whose queue an address is, or, without one, the only ITS with a queue; -1 for none. */
  private queueOf(address: bigint | undefined): number {
    if (address === undefined)
      return this.queues.filter((queue) => queue !== undefined).length === 1
        ? this.queues.findIndex((queue) => queue !== undefined)
        : -1;
    return this.queues.findIndex(
      (queue) => queue !== undefined && address >= queue.base && address < queue.base + queue.bytes,
    );
  }

  private command(
    its: number,
    address: bigint | undefined,
    data: readonly bigint[],
    line: FtraceLine,
    pe: number,
  ): void {
    const queue = this.queues[its];
    const at = address ?? (queue === undefined ? undefined : queue.base + queue.next);
    if (at === undefined) {
      this.losses.add(`${line.event}: a command of a queue that the log does not show`);
      return;
    }
    if (queue !== undefined) queue.next = (at - queue.base + BigInt(COMMAND_BYTES)) % queue.bytes;
    this.maker.begin(QUEUE_WRITE, pe, line, READ_BY_KVM);
    this.maker.one.words.set([its, ...halves(at), ...data.flatMap(halves)].slice(0, RECORD_WORDS));
    this.ordered.before(this.maker.one, line.pid);
  }

  /** Bytes of memory from an address on: one record for each run of equal bytes. */
  private known(address: bigint, bytes: readonly number[], line: FtraceLine): void {
    for (let from = 0; from < bytes.length; ) {
      let end = from + 1;
      while (end < bytes.length && bytes[end] === bytes[from]) end++;
      this.maker.begin(MEM_KNOWN, NO_PE, line, READ_BY_KVM);
      this.maker.one.words.set([...halves(address + BigInt(from)), end - from, bytes[from]!]);
      this.ordered.before(this.maker.one, line.pid);
      from = end;
    }
  }
}

/** A 64-bit register after a write of a half, or of all of it. */
function merged(old: bigint, offset: number, width: number, low: number, high: number): bigint {
  if (width === 8) return (BigInt(high) << 32n) | BigInt(low);
  return offset & 4 ? (BigInt(low) << 32n) | (old & 0xffff_ffffn) : (old & ~0xffff_ffffn) | BigInt(low);
}
