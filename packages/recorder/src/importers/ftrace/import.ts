// Imports the text of an ftrace log: register accesses of the kernel or of a KVM guest, changes of a guest's interrupt
// inputs, what probes show of its ITS, and what KVM and the host do meanwhile. Reads the log twice: survey.ts finds out
// whose GIC it shows and where that is; then the records are made. What ftrace does not record stays out.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import { isContext, NO_PE, RECORD_FLAGS, RECORD_WORDS, RecordBatch, RULES } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { Identity, type Provenance } from '../common/identity.ts';
import type { ImportStats } from '../common/import-stats.ts';
import type { KeptSource } from '../common/kept-source.ts';
import type { Missing, Start } from '../common/learn/unknowns.ts';
import { eachLine } from '../common/lines.ts';
import { Losses } from '../common/losses.ts';
import { GIC_RESET, MMIO_READ, MMIO_WRITE, WIRE_SET } from '../common/record-kinds.ts';
import { AroundRecords } from './around.ts';
import { type Access, type Parsed, parseEvent } from './events.ts';
import type { Place } from './frames.ts';
import { type FtraceLine, LineReader, lostEvents, otherLine } from './lines.ts';
import { missingOf } from './missing.ts';
import { Ordered } from './ordered.ts';
import { ProbeRecords } from './probe-records.ts';
import { type Probe, parseProbe } from './probes.ts';
import { ADVICE, type Plan, type Side, Survey, type SurveyOptions } from './survey.ts';

export interface FtraceOptions extends SurveyOptions {
  /** Profile to replay under. If absent, `architecture` for a host and `kvm` for a guest. */
  readonly profile?: string;
}

/** What is known about a log before its records. */
export interface FtraceFacts {
  readonly start: Start;
  readonly missing: readonly Missing[];
  /** Whether probes show what KVM reads of guest memory. */
  readonly showsMemory: boolean;
}

export interface FtraceSink {
  begin(config: GicConfig, provenance: Provenance, facts: FtraceFacts): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  progress?(lines: number): void;
}

/** Records that are kept back until the configuration is decided. */
const RECORDS_HELD = 100_000;
/** Reads of one thread that may wait for their values at a time. Interrupt handlers also read. */
const READS_MAX = 8;
/** Times are doubles in nanoseconds, exact below this. */
const TIME_MAX = 2 ** 53;
const PE_RULES = {
  cpu: RULES['pe-from-cpu'].id,
  name: RULES['pe-from-vcpu-thread'].id,
  timer: RULES['pe-from-vcpu-timer'].id,
} as const;
const AFTER_LOSS = RULES['state-after-loss'].id;
const GICR_TYPER = 8;
const PRIVATE_BELOW = 32;
const SPIS_BELOW = 1020;

interface Waiting {
  readonly access: Access;
  readonly line: FtraceLine;
  readonly number: number;
}

/** How a line says whose it is: of the machine of the trace, of another one, or not at all. */
type Ownership = 'ours' | 'of another virtual machine' | 'of a virtual machine that the log does not show';

/**
 * Imports a log.
 * @throws GicTraceError `input` if it cannot be read, is not such a log, shows several virtual machines, or the frames of
 * its GIC are not known.
 */
export async function importFtrace(
  source: Pick<KeptSource, 'name' | 'open'>,
  options: FtraceOptions,
  sink: FtraceSink,
): Promise<ImportStats> {
  const { name } = source;
  const read = async (line: (text: string) => void) => {
    try {
      await eachLine(source.open(), (bytes, from, to) => line(bytes.toString('utf8', from, to)), ADVICE);
    } catch (error) {
      if (!(error instanceof GicTraceError) || error.place.path !== undefined) throw error;
      throw new GicTraceError(error.code, error.message, { path: name, ...error.place }, error.hint);
    }
  };
  const survey = new Survey();
  await read((text) => survey.line(text));
  const importer = new Importer(name, options, survey.plan(options, name), sink);
  await read((text) => importer.line(text));
  return importer.end();
}

class Importer {
  private readonly name: string;
  private readonly options: FtraceOptions;
  private readonly plan: Plan;
  private readonly side: Side;
  private readonly sink: FtraceSink;
  private readonly reader = new LineReader();
  private readonly identity = new Identity();
  /** By ITS: what was read of its identification registers. */
  private readonly itss: Identity[] = [];
  private readonly losses = new Losses();
  /** Affinities as read from GICR_TYPER. */
  private readonly affinities = new Map<number, number>();
  private readonly waiting = new Map<string, Waiting[]>();
  /** By thread: writes that were printed before they were made, to recognise the line that repeats them. */
  private readonly written = new Map<string, Access>();
  private readonly ordered: Ordered;
  private readonly probes: ProbeRecords;
  private readonly around: AroundRecords;
  private readonly showsMemory: boolean;
  private lines = 0;
  private records = 0;
  /** Time of the first event. */
  private base: FtraceLine | undefined;
  private held: RecordBatch | undefined = new RecordBatch(RECORDS_HELD);
  private readonly one = new RecordBatch(1);
  private peCount = 0;
  /** Stimuli so far, and when events were lost last. */
  private taken = 0;
  private takenAtLoss = -1;
  private itsCount = 0;

  constructor(name: string, options: FtraceOptions, plan: Plan, sink: FtraceSink) {
    this.name = name;
    this.options = options;
    this.plan = plan;
    this.side = plan.side;
    this.sink = sink;
    this.showsMemory = plan.side === 'guest' && (plan.events.has('rdguest') || plan.events.has('vgic_cmd'));
    this.ordered = new Ordered(this.showsMemory, (batch, i) => this.emit(batch, i));
    const maker = { begin: this.push, done: this.finish, one: this.one };
    this.around = new AroundRecords(plan, maker, this.losses);
    this.probes = new ProbeRecords(plan.frames, maker, this.around, this.ordered, this.losses);
    for (const vcpu of plan.machine?.vcpus.keys() ?? []) this.identity.showPe(vcpu);
  }

  line(text: string): void {
    this.lines++;
    if ((this.lines & 0xffff) === 0) this.sink.progress?.(this.lines);
    const line = this.reader.parse(text);
    if (line === undefined) {
      this.other(text);
      return;
    }
    this.base ??= line;
    const { event } = line;
    const parsed = parseEvent(event, line.text, this.reader.format === 'perf trace');
    const probe = parsed === undefined ? parseProbe(event, line.text) : undefined;
    if (parsed === 'malformed' || probe === 'malformed') this.losses.add(`${event}: cut or malformed`);
    else if (parsed !== undefined) this.take(parsed, line);
    else if (probe !== undefined) this.probe(probe, line);
    else this.losses.add(`event ${event}`);
  }

  private other(text: string): void {
    const lost = lostEvents(text);
    if (lost !== undefined) this.lost(lost.cpu, lost.count, lost.isBefore);
    const kind = otherLine(text);
    if (kind === 'stack') this.losses.add('lines of stack traces');
    else if (kind === 'function') this.losses.add('lines of the function_graph tracer');
    else if (kind === 'unknown') this.losses.add('lines that are no event');
  }

  /** The source lost events. If that happened in its course, the state is unknown from here on. */
  private lost(cpu: number, count: number, isBefore: boolean): void {
    this.losses.add('events that the ring buffer lost', count > 0 ? count : 1);
    const begin = this.base;
    if (isBefore || begin === undefined) return;
    this.around.lost(cpu, count, begin);
    // Each CPU has a line for what it lost.
    if (this.taken === this.takenAtLoss) return;
    this.takenAtLoss = this.taken;
    this.push(GIC_RESET, NO_PE, begin, AFTER_LOSS);
    this.one.timeNs[0] = Number.NaN;
    this.finish();
  }

  end(): ImportStats {
    for (const list of this.waiting.values()) for (const one of list) this.readWithoutValue(one);
    this.ordered.end();
    if (this.held !== undefined) this.decide();
    if (this.records === 0)
      throw new GicTraceError('input', 'has no access to a GIC', { path: this.name }, ADVICE);
    return {
      lines: this.lines,
      records: this.records,
      events: Object.fromEntries(this.plan.events),
      losses: Object.fromEntries(this.losses.counts),
    };
  }

  // ---- whose -----------------------------------------------------------------------------------------------

  /** Whether a line is of the machine of the trace. `kvm`: the machine that the line names. */
  private ownership(line: FtraceLine, kvm: bigint | undefined): Ownership {
    const { machine } = this.plan;
    if (machine === undefined || machine.isOnly) return 'ours';
    if (kvm !== undefined && machine.kvms.size > 0)
      return machine.kvms.has(kvm) ? 'ours' : 'of another virtual machine';
    if (machine.pids.has(line.pid) || (line.tgid >= 0 && machine.tgids.has(line.tgid))) return 'ours';
    const isKnown = (line.tgid >= 0 && machine.tgids.size > 0) || machine.others.has(line.pid);
    return isKnown ? 'of another virtual machine' : 'of a virtual machine that the log does not show';
  }

  /** Whether a line belongs in the trace. If not, that is counted. */
  private isOurs(side: Side, line: FtraceLine, kvm?: bigint): boolean {
    if (side !== this.side) {
      this.losses.add(`${line.event}: of the ${side}'s GIC, and the trace is of the ${this.side}'s`);
      return false;
    }
    const whose = side === 'guest' ? this.ownership(line, kvm) : 'ours';
    if (whose !== 'ours') this.losses.add(`${line.event}: ${whose}`);
    return whose === 'ours';
  }

  /** The PE that a line is about by its thread, and the rule by which that is known. */
  private peOf(line: FtraceLine): { pe: number; rule: number } {
    if (this.side === 'host')
      return line.cpu < 0 ? { pe: NO_PE, rule: 0 } : { pe: line.cpu, rule: PE_RULES.cpu };
    const one = this.plan.machine?.vcpuOf.get(line.pid);
    if (one === undefined) return { pe: NO_PE, rule: 0 };
    return { pe: one.vcpu, rule: one.byName ? PE_RULES.name : PE_RULES.timer };
  }

  // ---- lines -----------------------------------------------------------------------------------------------

  private take(parsed: Parsed, line: FtraceLine): void {
    if (parsed.type === 'timer') this.losses.add(`event ${line.event}`);
    else if (parsed.type === 'access') this.access(parsed, line);
    else if (parsed.type === 'input') this.input(parsed.vcpu, parsed.intid, parsed.level, line);
    else if (this.around.isOfHost(parsed)) this.around.take(parsed, line, NO_PE, 0);
    else {
      if (!this.isOurs('guest', line)) return;
      const { pe, rule } = this.peOf(line);
      this.ordered.boundary(line.pid);
      this.around.take(parsed, line, pe, rule);
      // Without its own event, the request is all that shows the input.
      if (parsed.type === 'irq_line' && !this.plan.events.has('vgic_update_irq_pending'))
        this.input(parsed.vcpu, parsed.num, parsed.level, line);
    }
  }

  private input(vcpu: number, intid: number, level: boolean, line: FtraceLine): void {
    const isPrivate = intid < PRIVATE_BELOW;
    if (!this.isOurs('guest', line)) return;
    if (intid < 16 || intid >= SPIS_BELOW || (isPrivate && vcpu < 0)) {
      this.losses.add(`${line.event}: no input line`);
      return;
    }
    if (vcpu >= 0) this.identity.showPe(vcpu);
    const at = this.push(WIRE_SET, isPrivate ? vcpu : NO_PE, line) * RECORD_WORDS;
    this.one.words[at] = intid;
    this.one.words[at + 1] = level ? 1 : 0;
    this.finish();
  }

  private probe(probe: Probe, line: FtraceLine): void {
    if (probe.type === 'hwirq') {
      this.around.hwirq(line.cpu, probe.hwirq);
      return;
    }
    if (probe.type === 'vcpu') return;
    if (!this.isOurs('guest', line, 'kvm' in probe ? probe.kvm : undefined)) return;
    const { pe, rule } = this.peOf(line);
    if (probe.type === 'sgi' || probe.type === 'listed' || probe.type === 'folded')
      this.ordered.boundary(line.pid);
    this.probes.take(probe, line, pe, rule, this.around.trapped(line.pid));
  }

  // ---- accesses ------------------------------------------------------------------------------------------

  private access(access: Access, line: FtraceLine): void {
    const { what, side, address } = access;
    const thread = `${side}${line.pid === 0 ? `.cpu${line.cpu}` : line.pid}`;
    if (side === 'guest') this.ordered.boundary(line.pid);
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
    const { side, what, width, address } = access;
    if (!this.isOurs(side, line)) return;
    const { frames } = this.plan;
    if (value !== undefined) frames.read(address, value, number);
    const place = frames.find(address, number);
    if (place === undefined) {
      this.losses.add(`${side === 'host' ? 'rwmmio' : 'kvm_mmio'}: an access to no known frame of the GIC`);
      return;
    }
    const { pe, rule } = this.peOf(line);
    const i = this.push(what === 'read' ? MMIO_READ : MMIO_WRITE, pe, line, pe < 0 ? 0 : rule);
    this.one.line[i] = number;
    const moved = what === 'read' ? (value ?? 0n) : access.value;
    const [low, high] = [Number(moved & 0xffff_ffffn), Number(moved >> 32n)];
    this.one.words.set(
      [FRAMES.indexOf(place.frame), place.instance, place.offset, width, low, high],
      i * RECORD_WORDS,
    );
    if (what === 'read' && value === undefined) this.one.flags[i] = RECORD_FLAGS.valueUnknown;
    else if (what === 'read') this.identify(place, width, low, high);
    else if (side === 'guest') {
      this.probes.written(place, width, low, high);
      // What KVM reads of guest memory for this access comes first.
      this.ordered.hold(this.one, line.pid);
      return;
    }
    this.finish();
  }

  private identify({ frame, instance, offset }: Place, width: number, low: number, high: number): void {
    this.identity.read(frame, instance, offset, width, low, high);
    if (frame === 'GITS') {
      this.itss[instance] ??= new Identity();
      this.itss[instance].read(frame, 0, offset, width, low, high);
    }
    if (frame === 'GICR') this.identity.showPe(instance);
    if (frame === 'GICR' && offset === GICR_TYPER && width === 8) this.affinities.set(instance, high);
  }

  // ---- records -------------------------------------------------------------------------------------------

  /** Begins a record in `one`. Returns its index there. */
  private readonly push = (kind: number, pe: number, line: FtraceLine, rule = 0): number => {
    const { seconds, nanos } = this.base!;
    this.one.clear();
    const time = (line.seconds - seconds) * 1e9 + line.nanos - nanos;
    const i = this.one.push(kind, pe, Math.abs(time) < TIME_MAX ? time : Number.NaN);
    this.one.line[i] = this.lines;
    this.one.rule[i] = rule;
    this.identity.showPe(pe);
    return i;
  };

  /** The record in `one` is complete. */
  private readonly finish = (): void => {
    if (!isContext(this.one.kind[0]!) && this.one.kind[0] !== GIC_RESET) this.taken++;
    this.ordered.take(this.one);
  };

  private emit(batch: RecordBatch, i: number): void {
    this.records++;
    if (this.held === undefined) {
      this.out(batch, i);
      return;
    }
    this.held.copy(batch, i);
    if (this.held.full) this.decide();
  }

  private out(batch: RecordBatch, i: number): void {
    const pe = batch.pe[i]!;
    const at = i * RECORD_WORDS;
    const isAccess = batch.kind[i] === MMIO_READ || batch.kind[i] === MMIO_WRITE;
    const [frame, instance] = isAccess ? [FRAMES[batch.words[at]!], batch.words[at + 1]!] : [undefined, -1];
    const highest = Math.max(pe, frame === 'GICR' ? instance : -1);
    if (highest >= this.peCount)
      throw new GicTraceError(
        'input',
        `PE ${highest} appears, but ${this.peCount} PEs were counted before`,
        { path: this.name, line: batch.line[i]! },
        `give --pes ${highest + 1}`,
      );
    if (frame === 'GITS' && instance >= this.itsCount)
      throw new GicTraceError(
        'input',
        `ITS ${instance} appears, but ${this.itsCount} ITSs were counted before`,
        { path: this.name, line: batch.line[i]! },
        'give all of them: --gits ADDRESS,…',
      );
    this.sink.record(batch, i);
  }

  /** Decides the configuration, as far as it is in the log; Identity supplies the rest. */
  private decide(): void {
    const { profile, pes } = this.options;
    const { frames, foundBy, start, events, machine } = this.plan;
    const { itsCount } = frames;
    const { config, provenance } = this.identity.decide({
      ...(pes === undefined ? {} : { pes }),
      its: itsCount > 0,
    });
    provenance.its = foundBy.gits === 'option' ? 'option' : 'log';
    const isPhysical = (base: bigint | undefined) => base !== undefined && base < 2n ** 52n;
    const physical = (base: bigint | undefined, other: number) => (isPhysical(base) ? Number(base) : other);
    const bases = Array.from({ length: itsCount }, (_, its) => frames.itsBase(its));
    // A log with virtual addresses does not contain the physical ones.
    const place = (name: string, base: bigint | undefined, by: Plan['foundBy']['gicd']) => {
      if (!isPhysical(base) || by === undefined) provenance[name] = 'default';
      else provenance[name] = by === 'option' ? 'option' : `rule ${by}`;
    };
    place('addresses.gicd', frames.distributor, foundBy.gicd);
    place('addresses.gicr', frames.redistributor(0), foundBy.gicr);
    if (itsCount > 0) place('addresses.its', bases[0], foundBy.gits);
    provenance.affinities = this.affinities.size >= config.pes.length ? 'log' : 'default';
    this.peCount = config.pes.length;
    this.itsCount = itsCount;
    const virt = config.addresses.its[0] ?? 0;
    this.sink.begin(
      {
        ...config,
        profile: profile ?? (this.side === 'guest' ? 'kvm' : 'architecture'),
        pes: config.pes.map(({ affinity }, pe) => ({ affinity: this.affinities.get(pe) ?? affinity })),
        its: bases.map((_, its) => this.itss[its]?.decide({ its: true }).config.its[0] ?? config.its[0]!),
        addresses: {
          gicd: physical(frames.distributor, config.addresses.gicd),
          gicr: config.addresses.gicr.map((other, pe) => physical(frames.redistributor(pe), other)),
          its: bases.map((base, its) => physical(base, virt + its * ITS_APART)),
        },
      },
      provenance,
      {
        start,
        missing: missingOf(this.side, events, machine?.missesInputs === true),
        showsMemory: this.showsMemory,
      },
    );
    const held = this.held!;
    this.held = undefined;
    for (let i = 0; i < held.count; i++) this.out(held, i);
  }
}

/** Bytes between ITSs whose physical addresses the log does not show. */
const ITS_APART = 0x4000_0000;
