// Imports the text of an ftrace log (tracefs' `trace`, or `trace-cmd report`): register accesses of the kernel or of a
// KVM guest, and changes of a guest's interrupt inputs. Infers nothing; what ftrace does not record stays out.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import { NO_PE, RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch, RULES } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { Identity, type Provenance } from '../common/identity.ts';
import type { ImportStats } from '../common/import-stats.ts';
import { eachLine } from '../common/lines.ts';
import { Losses } from '../common/losses.ts';
import { openSource } from '../common/source.ts';
import { type Access, accessOf, inputOf, TELLS_NO_INTID, vcpuOf } from './events.ts';
import { type FrameOptions, Frames, type Place } from './frames.ts';
import { type FtraceLine, isChatter, lostEvents, parseLine } from './lines.ts';

export interface FtraceOptions extends FrameOptions {
  /** Whose GIC to import: the kernel's own, or that of the guest. If absent, the first access decides. */
  readonly of?: 'host' | 'guest';
  /** Profile to replay under. If absent, `architecture` for a host and `kvm` for a guest. */
  readonly profile?: string;
}

export interface FtraceSink {
  begin(config: GicConfig, provenance: Provenance): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  progress?(lines: number): void;
}

/** Records that are kept back until the configuration is decided. */
const RECORDS_HELD = 100_000;
/** Reads of one thread that may wait for their values at a time. Interrupt handlers also read. */
const READS_MAX = 8;
const MEND =
  'record with trace-cmd record -e rwmmio, or -e kvm_mmio -e vgic_update_irq_pending, and give trace-cmd report';
const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const PE_FROM_CPU = RULES['pe-from-cpu'].id;
const PE_FROM_VCPU = RULES['pe-from-vcpu-thread'].id;
const GICR_TYPER = 8;
const PRIVATE_BELOW = 32;

interface Waiting {
  readonly access: Access;
  readonly line: FtraceLine;
  readonly number: number;
}

/**
 * Imports a log (`-`: standard input; .gz, .xz and .zst are decompressed).
 * @throws GicTraceError `input` if it cannot be read, is not such a log, or the frames of its GIC are not known.
 */
export async function importFtrace(
  path: string,
  options: FtraceOptions,
  sink: FtraceSink,
  source: AsyncIterable<Buffer> = openSource(path),
): Promise<ImportStats> {
  const importer = new Importer(path === '-' ? 'standard input' : path, options, sink);
  await eachLine(source, (bytes, from, to) => importer.line(bytes.toString('utf8', from, to)), MEND).catch(
    (error: unknown) => {
      if (error instanceof GicTraceError && error.place.path === undefined)
        throw new GicTraceError(
          error.code,
          error.message,
          { path: importer.name, ...error.place },
          error.hint,
        );
      throw error;
    },
  );
  return importer.end();
}

class Importer {
  readonly name: string;
  private readonly options: FtraceOptions;
  private readonly sink: FtraceSink;
  private readonly frames: Frames;
  private readonly identity = new Identity();
  private readonly losses = new Losses();
  private readonly events: Record<string, number> = {};
  /** Affinities as read from GICR_TYPER. */
  private readonly affinities = new Map<number, number>();
  private readonly waiting = new Map<string, Waiting[]>();
  /** By thread: writes that were printed before they were made, to recognise the line that repeats them. */
  private readonly written = new Map<string, Access>();
  private side: 'host' | 'guest' | undefined;
  private lines = 0;
  private matched = 0;
  private accesses = 0;
  private records = 0;
  /** Time of the first event. */
  private base: FtraceLine | undefined;
  private held: RecordBatch | undefined = new RecordBatch(RECORDS_HELD);
  private readonly one = new RecordBatch(1);
  private peCount = 0;

  constructor(name: string, options: FtraceOptions, sink: FtraceSink) {
    this.name = name;
    this.options = options;
    this.sink = sink;
    this.frames = new Frames(options);
    this.side = options.of;
  }

  line(text: string): void {
    this.lines++;
    if ((this.lines & 0xffff) === 0) this.sink.progress?.(this.lines);
    const line = parseLine(text);
    if (line === undefined) {
      const lost = lostEvents(text);
      if (lost > 0) this.losses.add('events that the ring buffer lost', lost);
      if (!isChatter(text)) this.losses.add('lines that are no event');
      return;
    }
    this.matched++;
    this.events[line.event] = (this.events[line.event] ?? 0) + 1;
    this.base ??= line;
    const access = accessOf(line.event, line.text);
    const input = access === undefined ? inputOf(line.event, line.text) : undefined;
    if (access === 'malformed' || input === 'malformed') this.losses.add(`${line.event}: cut or malformed`);
    else if (access !== undefined) this.access(access, line);
    else if (input !== undefined) {
      if (!this.isOurs('guest', line.event)) return;
      this.identity.showPe(input.vcpu);
      const pe = input.intid < PRIVATE_BELOW ? input.vcpu : NO_PE;
      const at = this.push(WIRE_SET, pe, line, this.lines) * RECORD_WORDS;
      this.one.words[at] = input.intid;
      this.one.words[at + 1] = input.level ? 1 : 0;
      this.emit();
    } else if (Object.hasOwn(TELLS_NO_INTID, line.event))
      this.losses.add(`${line.event}: tells ${TELLS_NO_INTID[line.event]}`);
    else this.losses.add(`event ${line.event}`);
  }

  end(): ImportStats {
    for (const list of this.waiting.values()) for (const one of list) this.readWithoutValue(one);
    if (this.matched === 0)
      throw new GicTraceError(
        'input',
        this.lines === 0 ? 'is empty' : 'has no line of an ftrace event: it is not the text of an ftrace log',
        { path: this.name },
        MEND,
      );
    if (this.held !== undefined) {
      if (this.held.count === 0) throw this.nothing();
      this.decide();
    }
    return {
      lines: this.lines,
      records: this.records,
      events: this.events,
      losses: Object.fromEntries(this.losses.counts),
    };
  }

  private nothing(): GicTraceError {
    if (this.accesses > 0 && !this.frames.known)
      return new GicTraceError(
        'input',
        'has register accesses, but does not show where the frames of the GIC are',
        { path: this.name },
        'give --gicd, --gicr and --gits with addresses as the log prints them',
      );
    return new GicTraceError('input', 'has no access to a GIC', { path: this.name }, MEND);
  }

  // ---- accesses ------------------------------------------------------------------------------------------

  private access(access: Access, line: FtraceLine): void {
    const { what, side, address } = access;
    this.accesses++;
    const thread = `${side}${line.pid === 0 ? `.cpu${line.cpu}` : line.pid}`;
    if (what === 'read') this.frames.read(address, access.value, access.functions);
    if (what === 'before') {
      const list = this.waiting.get(thread) ?? [];
      this.waiting.set(thread, list);
      list.push({ access, line, number: this.lines });
      if (list.length > READS_MAX) this.readWithoutValue(list.shift()!);
      return;
    }
    if (what === 'read') this.answered(thread, access);
    if (what === 'again') {
      const before = this.written.get(thread);
      this.written.delete(thread);
      if (before?.address === address && before.value === access.value) return;
    } else if (what === 'write' && side === 'host') this.written.set(thread, access);
    this.record(access, line, this.lines, what === 'read' ? access.value : undefined);
  }

  /** A read has its value and waits no longer. */
  private answered(thread: string, { address, width }: Access): void {
    const list = this.waiting.get(thread);
    const at =
      list?.findLastIndex((one) => one.access.address === address && one.access.width === width) ?? -1;
    if (at >= 0) list!.splice(at, 1);
  }

  private readWithoutValue({ access, line, number }: Waiting): void {
    this.record({ ...access, what: 'read' }, line, number, undefined);
  }

  private record(access: Access, line: FtraceLine, number: number, value: bigint | undefined): void {
    const { side, what, width } = access;
    const place = this.frames.find(access.address);
    if (place === undefined) {
      this.losses.add(`${side === 'host' ? 'rwmmio' : 'kvm_mmio'}: an access to no known frame of the GIC`);
      return;
    }
    if (!this.isOurs(side, side === 'host' ? 'rwmmio' : 'kvm_mmio')) return;
    const pe = side === 'host' ? line.cpu : vcpuOf(line.comm);
    const i = this.push(what === 'write' ? MMIO_WRITE : MMIO_READ, pe, line, number);
    const moved = what === 'write' ? access.value : (value ?? 0n);
    const [low, high] = [Number(moved & 0xffff_ffffn), Number(moved >> 32n)];
    this.one.words.set(
      [FRAMES.indexOf(place.frame), place.instance, place.offset, width, low, high],
      i * RECORD_WORDS,
    );
    if (pe >= 0) this.one.rule[i] = side === 'host' ? PE_FROM_CPU : PE_FROM_VCPU;
    if (what === 'read' && value === undefined) this.one.flags[i] = RECORD_FLAGS.valueUnknown;
    else if (what === 'read') this.identify(place, width, low, high);
    this.emit();
  }

  private identify({ frame, instance, offset }: Place, width: number, low: number, high: number): void {
    this.identity.read(frame, instance, offset, width, low, high);
    if (frame === 'GICR') this.identity.showPe(instance);
    if (frame === 'GICR' && offset === GICR_TYPER && width === 8) this.affinities.set(instance, high);
  }

  /** Whether accesses of a side belong in the trace. Without the option, the side of the first access does. */
  private isOurs(side: 'host' | 'guest', event: string): boolean {
    this.side ??= side;
    if (this.side === side) return true;
    this.losses.add(`${event}: of the ${side}'s GIC, and the trace is of the ${this.side}'s`);
    return false;
  }

  // ---- records -------------------------------------------------------------------------------------------

  private push(kind: number, pe: number, line: FtraceLine, number: number): number {
    const { seconds, nanos } = this.base!;
    this.one.clear();
    const i = this.one.push(kind, pe, (line.seconds - seconds) * 1e9 + line.nanos - nanos);
    this.one.line[i] = number;
    this.identity.showPe(pe);
    return i;
  }

  private emit(): void {
    this.records++;
    if (this.held === undefined) {
      this.out(this.one, 0);
      return;
    }
    this.held.copy(this.one, 0);
    if (this.held.full) this.decide();
  }

  private out(batch: RecordBatch, i: number): void {
    const pe = batch.pe[i]!;
    const instance = batch.kind[i] === WIRE_SET ? -1 : batch.words[i * RECORD_WORDS + 1]!;
    const highest = Math.max(pe, batch.words[i * RECORD_WORDS] === FRAMES.indexOf('GICR') ? instance : -1);
    if (highest >= this.peCount)
      throw new GicTraceError(
        'input',
        `PE ${highest} appears, but ${this.peCount} PEs were counted before`,
        { path: this.name, line: batch.line[i]! },
        `give --pes ${highest + 1}`,
      );
    this.sink.record(batch, i);
  }

  /** Decides the configuration, as far as it is in the log; Identity supplies the rest. */
  private decide(): void {
    const { profile, pes } = this.options;
    const { config, provenance } = this.identity.decide(pes === undefined ? {} : { pes });
    const { gicd, gits } = this.frames.bases;
    const physical = (base: bigint | undefined, other: number) =>
      base !== undefined && base < 2n ** 52n ? Number(base) : other;
    // A log with virtual addresses does not contain the physical ones.
    const told = (base: bigint | undefined) => base !== undefined && base < 2n ** 52n;
    provenance['addresses.gicd'] = told(gicd) ? 'log' : 'default';
    provenance['addresses.gicr'] = told(this.frames.redistributor(0)) ? 'log' : 'default';
    if (config.its.length > 0) provenance['addresses.its'] = told(gits[0]) ? 'log' : 'default';
    provenance.affinities = this.affinities.size >= config.pes.length ? 'log' : 'default';
    this.peCount = config.pes.length;
    this.sink.begin(
      {
        ...config,
        profile: profile ?? (this.side === 'guest' ? 'kvm' : 'architecture'),
        pes: config.pes.map(({ affinity }, pe) => ({ affinity: this.affinities.get(pe) ?? affinity })),
        addresses: {
          gicd: physical(gicd, config.addresses.gicd),
          gicr: config.addresses.gicr.map((other, pe) => physical(this.frames.redistributor(pe), other)),
          its: config.addresses.its.map((other, its) => physical(gits[its], other)),
        },
      },
      provenance,
    );
    const held = this.held!;
    this.held = undefined;
    for (let i = 0; i < held.count; i++) this.out(held, i);
  }
}
