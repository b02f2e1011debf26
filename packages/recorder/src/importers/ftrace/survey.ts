// The first reading of a log: which events it has, whose GIC it shows, which machine's, and where the frames are.
import { GicTraceError } from '@gictrace/core';
import type { Start } from '../common/learn/unknowns.ts';
import { type Access, type Parsed, parseEvent } from './events.ts';
import { GuestFrames, HostFrames, knownMap } from './find-frames.ts';
import { type Found, type FrameOptions, Frames } from './frames.ts';
import { type FtraceLine, LineReader, lostEvents } from './lines.ts';
import { type Chosen, Machines } from './machines.ts';
import { type Probe, parseProbe } from './probes.ts';

export interface SurveyOptions extends FrameOptions {
  readonly of?: Side;
  readonly vm?: string;
  readonly start?: Start;
}
export type Side = 'host' | 'guest';

/** How a frame is known, for the configuration's provenance. */
export type FoundBy = 'option' | 'frame-from-probe' | 'frame-from-map' | undefined;

/** What the second reading goes by. */
export interface Plan {
  readonly side: Side;
  readonly machine: Chosen | undefined;
  readonly frames: Frames;
  readonly foundBy: { readonly gicd: FoundBy; readonly gicr: FoundBy; readonly gits: FoundBy };
  readonly start: Start;
  /** How many lines there are of each event. */
  readonly events: ReadonlyMap<string, number>;
}

const CTLR_OFFSET = 0n;
const GROUP_ENABLES = 3n;
const MAPS_HINT = 'give --gicd, --gicr and --gits with addresses as the log prints them';
const CANDIDATES_MAX = 6;
const NONE: Found = { gicd: undefined, gicr: [], its: [] };
export const ADVICE =
  'record with trace-cmd record -e kvm_mmio -e vgic_update_irq_pending (a guest) or -e rwmmio (the host), and give trace-cmd report, or the text of tracefs or perf script';

export class Survey {
  readonly reader = new LineReader();
  readonly events = new Map<string, number>();
  lines = 0;
  /** Lines of events. */
  matched = 0;
  /** Lines of each event that do not fit it. */
  private readonly malformed = new Map<string, number>();
  private readonly machines = new Machines();
  private readonly host = new HostFrames();
  private readonly hostPages = new Set<bigint>();
  /** By thread: frames and pages of a guest. */
  private readonly guests = new Map<number, GuestFrames>();
  /** Pages of 64 KB whose register at offset 0 was written with a group enable. */
  private readonly enabling = new Set<bigint>();
  private readonly accesses = { host: 0, guest: 0 };
  private readonly around = { host: 0, guest: 0 };
  private first: Side | undefined;
  private isCut = false;

  line(text: string): void {
    this.lines++;
    const line = this.reader.parse(text);
    if (line === undefined) {
      if (lostEvents(text)?.isBefore === true) this.isCut = true;
      return;
    }
    this.matched++;
    const { event } = line;
    this.events.set(event, (this.events.get(event) ?? 0) + 1);
    const parsed = parseEvent(event, line.text, this.reader.format === 'perf trace');
    if (parsed === 'malformed') this.malformed.set(event, (this.malformed.get(event) ?? 0) + 1);
    else if (parsed !== undefined) this.take(line, parsed);
    else {
      const probe = parseProbe(event, line.text);
      if (probe === 'malformed') this.malformed.set(event, (this.malformed.get(event) ?? 0) + 1);
      else if (probe !== undefined) this.probe(line, probe);
    }
  }

  private take(line: FtraceLine, parsed: Parsed): void {
    switch (parsed.type) {
      case 'access':
        return this.access(line, parsed);
      case 'input':
      case 'timer':
        this.around.guest++;
        this.machines.input(line, this.lines, parsed.vcpu, parsed.type === 'timer' ? TIMER : parsed.intid);
        return;
      case 'irq_line':
        this.around.guest++;
        this.machines.sets(line, this.lines);
        return;
      case 'entry':
      case 'exit':
      case 'wait':
      case 'wakeup':
      case 'sysreg':
        this.around.guest++;
        this.machines.runs(line, this.lines);
        return;
      case 'set_irq':
        this.around.guest++;
        return;
      default:
        this.around.host++;
    }
  }

  private access(line: FtraceLine, { side, what, address, width, value, callers }: Access): void {
    this.accesses[side]++;
    this.first ??= side;
    if (what === 'before') return;
    const isWrite = what !== 'read';
    const page = address & ~0xffffn;
    if (isWrite && address === page + CTLR_OFFSET && width === 4 && (value & GROUP_ENABLES) !== 0n)
      this.enabling.add(page);
    if (side === 'host') {
      this.hostPages.add(page);
      if (!isWrite) this.host.read(address, value, callers, this.lines);
      return;
    }
    this.machines.runs(line, this.lines);
    let guest = this.guests.get(line.pid);
    if (guest === undefined) {
      guest = new GuestFrames();
      this.guests.set(line.pid, guest);
    }
    guest.take(address, width, isWrite, value);
  }

  private probe(line: FtraceLine, probe: Probe): void {
    if (probe.type === 'hwirq') {
      this.around.host++;
      return;
    }
    this.around.guest++;
    if (probe.type === 'vcpu') this.machines.probed(line, this.lines, probe.kvm, probe.id);
    else if ('kvm' in probe) this.machines.probed(line, this.lines, probe.kvm);
    if (probe.type === 'sgi' || probe.type === 'listed' || probe.type === 'folded')
      this.machines.runs(line, this.lines);
  }

  /**
   * What the second reading goes by.
   * @throws GicTraceError `input` if the log is not one of ftrace, or leaves open whose GIC to import, or where it is.
   */
  plan(options: SurveyOptions, path: string): Plan {
    if (this.matched === 0)
      throw new GicTraceError(
        'input',
        this.lines === 0 ? 'is empty' : 'has no line of an ftrace event: it is not the text of an ftrace log',
        { path },
        ADVICE,
      );
    const side = options.of ?? this.sideOf(options);
    if (this.accesses[side] + this.around[side] + this.around.host === 0) throw this.nothing(path);
    const machine = side === 'guest' ? this.machines.choose(options.vm, path) : undefined;
    if (side === 'host' && options.vm !== undefined)
      throw new GicTraceError(
        'usage',
        `--vm is ${options.vm}, and the trace is of the host's GIC`,
        {},
        'add --of guest',
      );
    const { found, by } = side === 'host' ? this.hostFound() : this.guestFound(machine);
    const frames = new Frames(options, found);
    const isGiven = options.gicd !== undefined || options.gicr !== undefined || options.gits !== undefined;
    const hasGicd = options.gicd !== undefined || found.gicd !== undefined;
    const hasGicr = options.gicr !== undefined || found.gicr.length > 0;
    if (this.accesses[side] > 0 && !isGiven && !(hasGicd && (hasGicr || side === 'host')))
      throw this.unplaced(side, found, machine, path);
    const given = (option: unknown, has: boolean): FoundBy =>
      option !== undefined ? 'option' : has ? by : undefined;
    return {
      side,
      machine,
      frames,
      foundBy: {
        gicd: given(options.gicd, hasGicd),
        gicr: given(options.gicr, hasGicr),
        gits: given(options.gits, found.its.length > 0),
      },
      start: options.start ?? this.startOf(side, frames),
      events: this.events,
    };
  }

  /** The side of the GIC that is accessed first, or of which anything is known. */
  private sideOf({ gicd, gicr, gits }: SurveyOptions): Side {
    const given = [gicd, ...(gicr ?? []).map(({ base }) => base), ...(gits ?? [])].filter(
      (one) => one !== undefined,
    );
    const host = this.host.found;
    const isHost =
      host.gicd !== undefined || host.gicr.length > 0 || given.some((page) => this.hostPages.has(page));
    const guests = [...this.guests.values()];
    const isGuest = guests.some(
      ({ found, pages }) =>
        found.gicd !== undefined || found.gicr.length > 0 || given.some((page) => pages.has(page)),
    );
    if (isHost !== isGuest) return isHost ? 'host' : 'guest';
    if (this.first !== undefined) return this.first;
    return this.around.guest > 0 ? 'guest' : 'host';
  }

  private hostFound(): { found: Found; by: FoundBy } {
    return { found: this.host.found, by: 'frame-from-probe' };
  }

  private guestFound(machine: Chosen | undefined): { found: Found; by: FoundBy } {
    const own = [...this.guests].filter(
      ([pid]) => machine === undefined || machine.isOnly || machine.pids.has(pid),
    );
    const found = own.reduce((sum, [, { found: more }]) => merged(sum, more), NONE);
    if (found.gicd !== undefined && found.gicr.length > 0) return { found, by: 'frame-from-probe' };
    const pages = new Set(own.flatMap(([, guest]) => [...guest.pages]));
    const map = knownMap(pages, found, this.vcpusOf(machine));
    return map === undefined ? { found, by: 'frame-from-probe' } : { found: map.found, by: 'frame-from-map' };
  }

  private vcpusOf(machine: Chosen | undefined): number {
    return Math.max(1, ...(machine === undefined ? [] : [...machine.vcpus.keys()].map((vcpu) => vcpu + 1)));
  }

  /**
   * A log that shows how software enables the Distributor begins with the reset of the GIC. One without that, or of which
   * the first events were overwritten, begins while the GIC is in use.
   */
  private startOf(side: Side, frames: Frames): Start {
    const base = frames.distributor;
    if (this.accesses[side] === 0) return 'mid-life';
    return !this.isCut && base !== undefined && this.enabling.has(base) ? 'reset' : 'mid-life';
  }

  private unplaced(side: Side, found: Found, machine: Chosen | undefined, path: string): GicTraceError {
    const what = 'has register accesses, but does not show where the frames of the GIC are';
    if (side === 'host') return new GicTraceError('input', what, { path }, MAPS_HINT);
    const pages = [...this.guests]
      .filter(([pid]) => machine === undefined || machine.isOnly || machine.pids.has(pid))
      .flatMap(([, guest]) => [...guest.pages])
      .sort((x, y) => (x < y ? -1 : 1));
    const known = [
      ...(found.gicd === undefined ? [] : [`--gicd ${hex(found.gicd)}`]),
      ...(found.gicr.length === 0 ? [] : [`--gicr ${found.gicr.map(hex).join(',')}`]),
      ...(found.its.length === 0 ? [] : [`--gits ${found.its.map(({ base }) => hex(base)).join(',')}`]),
    ];
    const list = [...new Set(pages)].map(hex);
    const shown = list.length > CANDIDATES_MAX ? [...list.slice(0, CANDIDATES_MAX), '…'] : list;
    return new GicTraceError(
      'input',
      what,
      { path },
      `${MAPS_HINT}; it shows ${known.length === 0 ? 'none' : known.join(' ')}; accesses are in the 64 KB from ${shown.join(', ')}`,
    );
  }

  private nothing(path: string): GicTraceError {
    const wrong = [...this.malformed].map(([event, count]) => `${count} of ${event}`);
    if (wrong.length > 0)
      return new GicTraceError(
        'input',
        `has events of a GIC whose text cannot be read (${wrong.join(', ')})`,
        { path },
        ADVICE,
      );
    return new GicTraceError('input', 'has no access to a GIC', { path }, ADVICE);
  }
}

/** Any INTID of a PPI: KVM's timers have PPIs only. */
const TIMER = 27;
const hex = (value: bigint) => `0x${value.toString(16)}`;

function merged(one: Found, other: Found): Found {
  const gicr = [...one.gicr, ...other.gicr.filter((base) => !one.gicr.includes(base))];
  const bases = [...one.its, ...other.its.filter(({ base }) => !one.its.some((its) => its.base === base))];
  return { gicd: one.gicd ?? other.gicd, gicr, its: bases.map((range, its) => ({ ...range, its })) };
}
