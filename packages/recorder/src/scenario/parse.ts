// From the text of a scenario, YAML or JSON, to operations. Errors name line and column.
import { readFileSync } from 'node:fs';
import { GicTraceError, type Operation } from '@gictrace/core';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { type ScenarioFile, type Step, scenarioSchema } from './schema.ts';

export interface Scenario {
  readonly name: string;
  readonly pes: number;
  readonly operations: readonly Operation[];
  /** Seeds that interleavings were drawn from, in order. */
  readonly seeds: readonly number[];
}

type Path = readonly (string | number)[];
/** More than this a scenario cannot mean. */
const MAX_OPERATIONS = 10_000_000;

class Place {
  private readonly document: Document;
  private readonly lines: LineCounter;
  private readonly file: string;
  constructor(document: Document, lines: LineCounter, file: string) {
    this.document = document;
    this.lines = lines;
    this.file = file;
  }

  /** An error at what the path leads to, or at the nearest thing around it. */
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

/** Multiplicative congruential steps over 2^32 with a shift: an order from a seed, the same everywhere. */
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

class Reader {
  readonly operations: Operation[] = [];
  readonly seeds: number[] = [];
  private readonly file: ScenarioFile;
  private readonly place: Place;
  constructor(file: ScenarioFile, place: Place) {
    this.file = file;
    this.place = place;
  }

  private tell(operation: Operation, path: Path): void {
    if (this.operations.length === MAX_OPERATIONS)
      throw this.place.fault(path, `more than ${MAX_OPERATIONS} operations`);
    this.operations.push(operation);
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

  steps(steps: readonly Step[], path: Path): void {
    steps.forEach((step, n) => {
      this.step(step, [...path, n]);
    });
  }

  private step(step: Step, path: Path): void {
    if ('repeat' in step) {
      for (let n = step.repeat as number; n > 0; n--) this.steps(step.steps as Step[], [...path, 'steps']);
      return;
    }
    if ('interleave' in step) {
      this.interleave(step, path);
      return;
    }
    const verb = Object.keys(step).find((key) => key !== 'pe' && key !== 'by')!;
    const at = [...path, verb];
    const value = step[verb];
    if (verb === 'online') {
      (value as number[]).forEach((pe, n) => {
        this.tell({ op: 'pe.online', pe: this.pe(pe, [...at, n]) }, at);
      });
      return;
    }
    if (verb === 'alloc' || verb === 'free') {
      const { id: device, vectors: count } = this.deviceOf(value as string, at);
      this.tell(verb === 'alloc' ? { op: verb, device, count } : { op: verb, device }, at);
      return;
    }
    if (typeof value === 'number') {
      const op = verb.replace('_', '.');
      const to = 'pe' in step ? { pe: this.pe(step.pe as number, [...path, 'pe']) } : {};
      this.tell({ op, vpe: value, ...to } as Operation, at);
      return;
    }
    const { device, vector, of } = this.vectorOf(value as string, at);
    const own = { device, vector };
    switch (verb) {
      case 'activate':
      case 'set_affinity':
        this.tell({ op: verb, ...own, pe: this.pe(step.pe as number, [...path, 'pe']) }, at);
        return;
      case 'set_pending':
      case 'clear_pending':
        this.tell({ op: 'set_pending', ...own, pending: verb === 'set_pending' }, at);
        return;
      case 'fire':
        if (of.kind === 'multi-msi') this.tell({ op: 'fire.multi', ...own, count: of.vectors }, at);
        else this.tell({ op: 'fire', ...own }, at);
        return;
      case 'forge':
        this.tell({ op: 'forge', ...own, by: this.deviceOf(step.by as string, [...path, 'by']).id }, at);
        return;
      default:
        this.tell({ op: verb, ...own } as Operation, at);
    }
  }

  /** Lists keep their own order; the seed draws whose turn it is, each list as often as it has steps. */
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

/** What a file may not say although its shape is right. */
function check(file: ScenarioFile, place: Place): void {
  const ids = new Map<number, string>();
  for (const [name, { id, vectors, kind }] of Object.entries(file.devices)) {
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
  }
}

/**
 * Reads a scenario. `name` is what errors call it.
 * @throws GicTraceError `usage` with line and column.
 */
export function parseScenario(text: string, name: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = new Place(document, lines, name);
  const bad = document.errors[0];
  if (bad !== undefined) {
    const { line, col } = lines.linePos(bad.pos[0]);
    throw place.at(line, col, bad.message.split('\n')[0]!);
  }
  const checked = scenarioSchema.safeParse(document.toJS());
  if (!checked.success) {
    const issue = checked.error.issues[0]!;
    throw place.fault(
      issue.path.map((key) => (typeof key === 'number' ? key : `${String(key)}`)),
      issue.message,
    );
  }
  check(checked.data, place);
  const reader = new Reader(checked.data, place);
  reader.steps(checked.data.steps, ['steps']);
  return {
    name: checked.data.scenario,
    pes: checked.data.machine.pes,
    operations: reader.operations,
    seeds: reader.seeds,
  };
}

/** Whether a file is taken for a scenario: by its name. */
export function isScenario(path: string): boolean {
  return /\.(ya?ml|json)$/i.test(path);
}

/** Reads a scenario file. */
export function readScenario(path: string): Scenario {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new GicTraceError('usage', code === 'ENOENT' ? 'no such file' : `cannot be read: ${code}`, {
      path,
    });
  }
  return parseScenario(text, path);
}
