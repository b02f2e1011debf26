// Converts the text of a scenario, YAML or JSON, to operations. Errors give line and column.
import { GicTraceError } from '@gictrace/core';
import type { Operation } from '@gictrace/core/irqchip';
import { type Document, isNode, LineCounter } from 'yaml';
import { readText } from '../input/index.ts';
import { parseYaml, yamlData } from '../yaml.ts';
import { type ScenarioFile, type ScenarioInput, type Step, scenarioSchema, verbOf } from './schema.ts';

export interface Scenario {
  readonly name: string;
  readonly pes: number;
  /** The number of blocks to which devices are connected. */
  readonly blocks: number;
  /** Profile of the simulator, instead of each design's own. */
  readonly profile?: string;
  readonly operations: readonly Operation[];
  /** The seeds of the interleavings, in order. */
  readonly seeds: readonly number[];
}

type Path = readonly (string | number)[];
/** More operations than any sensible scenario has. */
const MAX_OPERATIONS = 2_000_000;

interface Place {
  /** An error at the place to which the path leads. */
  fault(path: Path, what: string): GicTraceError;
}

/** Places in a program, which has paths but no lines. */
const IN_PROGRAM: Place = {
  fault: (path, what) =>
    new GicTraceError('usage', `${path.length > 0 ? `${path.join('.')}: ` : ''}${what}`, {
      path: 'scenario',
    }),
};

class PlaceInFile implements Place {
  private readonly document: Document;
  private readonly lines: LineCounter;
  private readonly file: string;
  constructor(document: Document, lines: LineCounter, file: string) {
    this.document = document;
    this.lines = lines;
    this.file = file;
  }

  /** An error at the place to which the path leads, or at the nearest enclosing place. */
  fault(path: Path, what: string): GicTraceError {
    for (let depth = path.length; depth >= 0; depth--) {
      const node = this.document.getIn(path.slice(0, depth), true);
      if (!isNode(node) || !node.range) continue;
      const { line, col } = this.lines.linePos(node.range[0]);
      return this.at(line, col, `${path.length > 0 ? `${path.join('.')}: ` : ''}${what}`);
    }
    return this.at(1, 1, what);
  }
  at(line: number, column: number, what: string): GicTraceError {
    return new GicTraceError('usage', `line ${line}, column ${column}: ${what}`, { path: this.file });
  }
}

/** A pseudo-random order from a seed, the same on every machine: a linear congruential generator over 2^32 with a shift. */
class Draw {
  private state: number;
  constructor(seed: number) {
    this.state = (seed ^ 0x9e37_79b9) >>> 0 || 1;
  }
  below(n: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state % n;
  }
}

/** A vector that has been activated. */
interface Started {
  readonly device: number;
  readonly vector: number;
  pe: number;
  isMasked: boolean;
}

class Reader {
  readonly operations: Operation[] = [];
  readonly seeds: number[] = [];
  private readonly file: ScenarioFile;
  private readonly place: Place;
  private readonly managed: ReadonlySet<number>;
  private readonly online = new Set<number>();
  private readonly started = new Map<number, Started>();
  /** Managed vectors that were shut down with their PE. */
  private readonly shutDown: Started[] = [];

  constructor(file: ScenarioFile, place: Place) {
    this.file = file;
    this.place = place;
    this.managed = new Set(
      Object.values(file.devices)
        .filter((one) => one.managed)
        .map((one) => one.id),
    );
  }

  private tell(told: Operation, path: Path): void {
    if (this.operations.length === MAX_OPERATIONS) throw this.tooMany(path);
    const isManaged = told.op === 'activate' && this.managed.has(told.device);
    const operation: Operation = isManaged ? { ...told, managed: true } : told;
    this.operations.push(operation);
    this.follow(operation);
  }

  private tooMany(path: Path): GicTraceError {
    return this.place.fault(path, `more than ${MAX_OPERATIONS} operations`);
  }

  /** The least number of operations of these steps. @throws GicTraceError before anything is repeated too often. */
  private least(steps: readonly Step[], path: Path): number {
    let count = 0;
    steps.forEach((step, n) => {
      const at = [...path, n];
      if (step.repeat !== undefined)
        count += (step.repeat as number) * this.least(step.steps as Step[], [...at, 'steps']);
      else if (step.interleave !== undefined)
        for (const list of step.interleave as Step[][]) count += this.least(list, [...at, 'interleave']);
      else count += verbOf(step) === 'storm' ? (step.times as number) : 1;
      if (count > MAX_OPERATIONS) throw this.tooMany(at);
    });
    return count;
  }

  /** Reads all steps of the scenario. */
  all(): void {
    this.least(this.file.steps, ['steps']);
    this.steps(this.file.steps, ['steps']);
  }

  /** Tracks where vectors are and which are masked, for PEs that go offline. */
  private follow(o: Operation): void {
    if (o.op === 'pe.online') this.online.add(o.pe);
    else if (o.op === 'pe.offline') this.online.delete(o.pe);
    else if (o.op === 'probe' && o.reset === true) {
      this.online.clear();
      this.started.clear();
      this.shutDown.length = 0;
    } else if (o.op === 'free') {
      for (const [key, { device }] of this.started) if (device === o.device) this.started.delete(key);
    }
    if (!('vector' in o)) return;
    const key = o.device * 65_536 + o.vector;
    const own = this.started.get(key);
    if (o.op === 'activate')
      this.started.set(key, { device: o.device, vector: o.vector, pe: o.pe, isMasked: true });
    else if (o.op === 'deactivate' || o.op === 'vlpi.map') this.started.delete(key);
    else if (own === undefined) return;
    else if (o.op === 'set_affinity') own.pe = o.pe;
    else if (o.op === 'mask' || o.op === 'unmask') own.isMasked = o.op === 'mask';
  }

  private pe(pe: number, path: Path): number {
    if (pe >= this.file.machine.pes)
      throw this.place.fault(path, `PE ${pe} of a machine with ${this.file.machine.pes}`);
    return pe;
  }

  private deviceOf(name: string, path: Path): ScenarioFile['devices'][string] {
    const device = Object.hasOwn(this.file.devices, name) ? this.file.devices[name] : undefined;
    if (device === undefined)
      throw this.place.fault(path, `there is no device '${name}'; devices: ${this.names()}`);
    return device;
  }
  private names(): string {
    return Object.keys(this.file.devices).join(', ') || 'none';
  }

  private vectorOf(text: string, path: Path) {
    const [name, number] = text.split('/') as [string, string];
    const device = this.deviceOf(name, path);
    const vector = Number(number);
    if (vector >= device.vectors)
      throw this.place.fault(path, `vector ${vector} of a device with ${device.vectors}`);
    return { device: device.id, vector, of: device };
  }

  private steps(steps: readonly Step[], path: Path): void {
    steps.forEach((step, n) => {
      this.step(step, [...path, n]);
    });
  }

  private step(step: Step, path: Path): void {
    const verb = verbOf(step)!;
    const at = [...path, verb];
    const value = step[verb];
    switch (verb) {
      case 'repeat':
        for (let n = value as number; n > 0; n--) this.steps(step.steps as Step[], [...path, 'steps']);
        return;
      case 'interleave':
        return this.interleave(step, path);
      case 'probe':
        return this.tell({ op: 'probe' }, at);
      case 'reboot':
        return this.tell({ op: 'probe', reset: true }, at);
      case 'online':
      case 'offline':
      case 'busy':
        (value as number[]).forEach((pe, n) => {
          this.ofPe(verb, this.pe(pe, [...at, n]), step, [...at, n]);
        });
        return;
      case 'alloc': {
        const { id, vectors, kind, block } = this.deviceOf(value as string, at);
        const more = { ...(kind === 'msi-x' ? {} : { msi: kind }), ...(block === 0 ? {} : { block }) };
        return this.tell({ op: 'alloc', device: id, count: vectors, ...more }, at);
      }
      case 'free':
        return this.tell({ op: 'free', device: this.deviceOf(value as string, at).id }, at);
      case 'fail':
        return this.tell({ op: 'fail', what: value, nth: step.nth ?? 1 } as Operation, at);
      case 'migrate':
        return this.tell(
          { op: 'migrate', without: (value as { without?: 'nothing' }).without ?? 'nothing' },
          at,
        );
      case 'vm_alloc':
        return this.tell({ op: 'vm.alloc', vpe: value as number, count: step.vpes as number }, at);
      default:
        if (typeof value === 'number') this.ofVpe(verb, value, step, path);
        else this.ofVector(verb, value as string, step, path);
    }
  }

  private ofPe(verb: 'online' | 'offline' | 'busy', pe: number, step: Step, at: Path): void {
    if (verb === 'busy') {
      this.tell({ op: 'pe.busy', pe, steps: step.steps as number }, at);
      return;
    }
    if (verb === 'online') {
      this.tell({ op: 'pe.online', pe }, at);
      for (const own of this.shutDown.filter((one) => one.pe === pe)) {
        this.shutDown.splice(this.shutDown.indexOf(own), 1);
        const { device, vector, isMasked } = own;
        this.tell({ op: 'activate', device, vector, pe }, at);
        if (!isMasked) this.tell({ op: 'unmask', device, vector }, at);
      }
      return;
    }
    if (!this.online.has(pe)) throw this.place.fault(at, `PE ${pe} is not online`);
    const to = Math.min(...[...this.online].filter((one) => one !== pe));
    if (to === Number.POSITIVE_INFINITY)
      throw this.place.fault(at, `PE ${pe} is the last one that is online`);
    for (const own of [...this.started.values()].filter((one) => one.pe === pe)) {
      const { device, vector, isMasked } = own;
      if (!this.managed.has(device)) {
        this.tell({ op: 'set_affinity', device, vector, pe: to }, at);
        continue;
      }
      this.shutDown.push({ ...own });
      if (!isMasked) this.tell({ op: 'mask', device, vector }, at);
      this.tell({ op: 'deactivate', device, vector }, at);
    }
    this.tell({ op: 'pe.offline', pe }, at);
  }

  private ofVpe(verb: string, vpe: number, step: Step, path: Path): void {
    const at = [...path, verb];
    const pe = 'pe' in step ? this.pe(step.pe as number, [...path, 'pe']) : -1;
    if (verb === 'vpe_block') {
      // As KVM does: first its doorbell is unmasked so that it can be woken, and then it ceases to be resident.
      this.tell({ op: 'doorbell.unmask', vpe }, at);
      this.tell({ op: 'vpe.deschedule', vpe, pe }, at);
      return;
    }
    if (verb === 'vpe_unblock') {
      this.tell({ op: 'doorbell.mask', vpe }, at);
      this.tell({ op: 'vpe.schedule', vpe, pe }, at);
      this.tell({ op: 'doorbell.clear', vpe }, at);
      return;
    }
    this.tell({ op: verb.replace('_', '.'), vpe, ...(pe < 0 ? {} : { pe }) } as Operation, at);
  }

  private ofVector(verb: string, text: string, step: Step, path: Path): void {
    const at = [...path, verb];
    const { device, vector, of } = this.vectorOf(text, at);
    const own = { device, vector };
    switch (verb) {
      case 'activate':
      case 'set_affinity':
        this.tell({ op: verb, ...own, pe: this.pe(step.pe as number, [...path, 'pe']) }, at);
        return;
      case 'set_pending':
      case 'clear_pending':
      case 'retrigger':
        // Linux's ITS and GIC drivers retrigger by setting the state.
        this.tell({ op: 'set_pending', ...own, pending: verb !== 'clear_pending' }, at);
        return;
      case 'storm':
        for (let n = step.times as number; n > 0; n--) this.fire(own, of, at);
        return;
      case 'fire':
        this.fire(own, of, at);
        return;
      case 'forge':
        this.tell({ op: 'forge', ...own, by: this.deviceOf(step.by as string, [...path, 'by']).id }, at);
        return;
      case 'vlpi_map':
        this.tell({ op: 'vlpi.map', ...own, vpe: step.vpe as number }, at);
        return;
      default:
        this.tell({ op: verb, ...own } as Operation, at);
    }
  }

  private fire(own: { device: number; vector: number }, of: ScenarioFile['devices'][string], at: Path): void {
    if (of.kind === 'multi-msi') this.tell({ op: 'fire.multi', ...own, count: of.vectors }, at);
    else this.tell({ op: 'fire', ...own }, at);
  }

  /** Interleaves lists. Each list keeps its own order; the seed decides which list is next. */
  private interleave(step: Step, path: Path): void {
    const lists = step.interleave as Step[][];
    const draw = new Draw(step.seed as number);
    this.seeds.push(step.seed as number);
    const next = lists.map(() => 0);
    for (let left = lists.reduce((sum, list) => sum + list.length, 0); left > 0; left--) {
      let k = draw.below(left);
      let list = 0;
      while (k >= lists[list]!.length - next[list]!) k -= lists[list]!.length - next[list++]!;
      const n = next[list]!++;
      this.step(lists[list]![n]!, [...path, 'interleave', list, n]);
    }
  }
}

/** Checks what the schema cannot express. */
function check(file: ScenarioFile, place: Place): void {
  const ids = new Map<number, string>();
  for (const [name, { id, vectors, kind, block }] of Object.entries(file.devices)) {
    const other = ids.get(id);
    if (other !== undefined)
      throw place.fault(['devices', name, 'id'], `DeviceID ${id} is that of '${other}' already`);
    ids.set(id, name);
    const isPower = (vectors & (vectors - 1)) === 0;
    if (kind === 'multi-msi' && (!isPower || vectors > 32))
      throw place.fault(
        ['devices', name, 'vectors'],
        `a MultiMSI function has 1, 2, 4, 8, 16 or 32 vectors, not ${vectors}`,
      );
    if (block >= file.machine.blocks)
      throw place.fault(
        ['devices', name, 'block'],
        `block ${block} of a machine with ${file.machine.blocks}`,
      );
  }
}

function fromFile(file: ScenarioFile, place: Place): Scenario {
  check(file, place);
  const reader = new Reader(file, place);
  reader.all();
  const { pes, blocks, profile } = file.machine;
  return {
    name: file.scenario,
    pes,
    blocks,
    ...(profile === undefined ? {} : { profile }),
    operations: reader.operations,
    seeds: reader.seeds,
  };
}

function checked(input: unknown, place: Place): ScenarioFile {
  const result = scenarioSchema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw place.fault(
    issue.path.map((key) => (typeof key === 'number' ? key : String(key))),
    issue.message,
  );
}

/**
 * Reads a scenario. `name` is its name in errors.
 * @throws GicTraceError `usage` with line and column.
 */
export function parseScenario(text: string, name: string): Scenario {
  const lines = new LineCounter();
  const document = parseYaml(text, name, { lineCounter: lines, prettyErrors: false });
  const place = new PlaceInFile(document, lines, name);
  const bad = document.errors[0];
  if (bad !== undefined) {
    const { line, col } = lines.linePos(bad.pos[0]);
    throw place.at(line, col, bad.message.split('\n')[0]!);
  }
  return fromFile(checked(yamlData(document, name), place), place);
}

/**
 * Makes a scenario from the data that a scenario file would contain.
 * @throws GicTraceError `usage` with the path to what is wrong.
 */
export function scenarioOf(input: ScenarioInput): Scenario {
  return fromFile(checked(input, IN_PROGRAM), IN_PROGRAM);
}

/** Whether a file is a scenario, by its name. */
export function isScenario(path: string): boolean {
  return /\.(ya?ml|json)$/i.test(path);
}

/** Reads a scenario file. */
export function readScenario(path: string): Scenario {
  return parseScenario(readText(path, { code: 'usage', kindHint: 'name a scenario' }), path);
}
