// Compares designs: lifts the operations of a trace once and runs them on each. Holds the commands that a design
// sends against those that the recorded kernel sent, where the design is the one that was recorded.
import {
  DESIGNS,
  type Design,
  GicTraceError,
  type Operation,
  type OperationName,
  PROFILES,
  PROXY_DEVICE,
  type Run,
  type RunObserver,
  type SentCommand,
  Translation,
} from '@gictrace/core';
import { type Scenario, TraceReader } from '@gictrace/recorder';
import { Lift, type LiftStats, proxyDevice, type RecordedCommand } from './lift.ts';

/** How far the commands of a design are those that were recorded. */
export interface Alignment {
  /** Which commands are compared. */
  readonly of: string;
  readonly recorded: number;
  readonly sent: number;
  /** Commands from the first on that are the same. */
  readonly same: number;
  /** The first that differs: what was recorded and what was sent. */
  readonly first: { readonly at: number; readonly recorded: string; readonly sent: string } | null;
}

export interface Compared {
  readonly lift: LiftStats;
  readonly runs: readonly Run[];
  /** By design. */
  readonly alignments: ReadonlyMap<string, Alignment>;
}

/** Commands of one side of an alignment, in order: those of the proxy device, or all others; each with its SYNC. */
class Sequence {
  readonly commands: string[] = [];
  private readonly proxy: number;
  private readonly ofProxy: boolean;
  private follows = false;

  constructor(proxy: number, ofProxy: boolean) {
    this.proxy = proxy;
    this.ofProxy = ofProxy;
  }

  /** A command that is not compared, and so is its SYNC. */
  skip(): void {
    this.follows = false;
  }

  take(command: RecordedCommand | SentCommand): void {
    const { name, operands } = command;
    if (name === 'SYNC') {
      if (this.follows) this.commands.push('SYNC');
      this.follows = false;
      return;
    }
    this.follows = false;
    if (name.startsWith('V') || (operands.DeviceID === this.proxy) !== this.ofProxy) return;
    this.follows = true;
    this.commands.push(this.shape(command));
  }

  /** What is compared of a command: INTIDs of LPIs and addresses are a driver's own to choose. */
  private shape({ name, operands: o }: RecordedCommand | SentCommand): string {
    const parts: string[] = [name];
    for (const operand of ['DeviceID', 'EventID', 'ICID', 'V', 'Size']) {
      // QEMU's log does not show the collection of INVALL; a MAPD that unmaps has a Size that nobody looks at.
      if (o[operand] === undefined || (name === 'INVALL' && operand === 'ICID')) continue;
      if (operand === 'Size' && o.V === 0) continue;
      const proxied = operand === 'DeviceID' && this.ofProxy;
      parts.push(`${operand} ${proxied ? 'of the proxy' : o[operand]}`);
    }
    return parts.join(' ');
  }
}

/** Compares two sequences of commands from their beginnings on. */
export function align(of: string, recorded: readonly string[], sent: readonly string[]): Alignment {
  const n = Math.max(recorded.length, sent.length);
  let same = 0;
  while (same < n && recorded[same] === sent[same]) same++;
  const first =
    same === n ? null : { at: same, recorded: recorded[same] ?? 'nothing', sent: sent[same] ?? 'nothing' };
  return { of, recorded: recorded.length, sent: sent.length, same, first };
}

/**
 * The design with this name, under another profile of the simulator where `@PROFILE` follows.
 * @throws GicTraceError `usage` for a name that there is not.
 */
export function designNamed(text: string): Design {
  const [name, profile] = text.split('@') as [string, string | undefined];
  const design = Object.hasOwn(DESIGNS, name) ? DESIGNS[name]! : undefined;
  if (design === undefined)
    throw new GicTraceError(
      'usage',
      `there is no design '${name}'`,
      {},
      `designs: ${Object.keys(DESIGNS).join(', ')}`,
    );
  if (profile === undefined) return design;
  if (!Object.hasOwn(PROFILES, profile))
    throw new GicTraceError(
      'usage',
      `there is no profile '${profile}'`,
      {},
      `profiles: ${Object.keys(PROFILES).join(', ')}`,
    );
  return { ...design, name: text, profile };
}

/** The designs with these names, or all. */
function designsNamed(names: readonly string[] | undefined): readonly Design[] {
  return names === undefined ? Object.values(DESIGNS) : [...new Set(names)].map(designNamed);
}

/** What is left of the runs: all that were asked for, or those of designs that had something to do. */
function finished(
  runs: readonly Translation[],
  names: readonly string[] | undefined,
  has: ReadonlySet<OperationName>,
): Run[] {
  const begins: Readonly<Record<Design['serves'], OperationName>> = { devices: 'alloc', vpes: 'vpe.map' };
  return runs
    .map((run) => run.finish())
    .filter(({ design }) => names !== undefined || has.has(begins[design.serves]));
}

export interface CompareOptions {
  /** Told of all that a run counts, by design. */
  readonly observe?: (design: Design) => RunObserver;
  /** Told of operations so far. */
  readonly progress?: (operations: number) => void;
}

/**
 * Lifts a trace and runs what was lifted on each design.
 * @throws GicTraceError `usage` for a design that there is not, or a trace that holds no operation; `input` for a bad trace.
 */
export function compareTrace(
  path: string,
  names: readonly string[] | undefined,
  options: CompareOptions = {},
): Compared {
  const designs = designsNamed(names);
  const reader = TraceReader.open(path);
  try {
    const { config } = reader.header;
    const proxy = proxyDevice(config);
    const recorded = { its: new Sequence(proxy, false), 'vpe-proxy': new Sequence(proxy, true) };
    const sent = new Map<string, Sequence>();
    const runs = designs.map((design) => {
      const sequence = new Sequence(PROXY_DEVICE, design.serves === 'vpes');
      if (Object.hasOwn(recorded, design.name)) sent.set(design.name, sequence);
      const observer = options.observe?.(design);
      return new Translation(design, config.pes.length, {
        ...observer,
        command(operation, command) {
          if (sent.has(design.name)) sequence.take(command);
          observer?.command?.(operation, command);
        },
      });
    });
    const has = new Set<OperationName>();
    const lift = new Lift(config, {
      operation(operation: Operation) {
        has.add(operation.op);
        for (const run of runs) run.take(operation);
        options.progress?.(lift.stats.operations);
      },
      command(command, forwarded) {
        if (forwarded) recorded.its.skip();
        else recorded.its.take(command);
        recorded['vpe-proxy'].take(command);
      },
    });
    const stats = lift.run(() => reader.batches());
    if (!has.has('alloc') && !has.has('vpe.map'))
      throw new GicTraceError(
        'usage',
        'holds no operation of a device or a vPE: no MAPD and no VMAPP was recorded',
        { path },
        'compare a trace of software that drives an ITS, or the scenario that was recorded',
      );
    const alignments = new Map<string, Alignment>();
    // These two are what the recorded kernel may have been; others send other commands by design.
    const of = { its: 'collections and devices', 'vpe-proxy': `the proxy device ${proxy}` };
    for (const [name, sequence] of sent) {
      const own = name as keyof typeof recorded;
      if (recorded[own].commands.length > 0)
        alignments.set(name, align(of[own], recorded[own].commands, sequence.commands));
    }
    return {
      lift: stats,
      runs: finished(runs, names, has),
      alignments,
    };
  } finally {
    reader.close();
  }
}

/** Runs the operations of a scenario on each design. */
export function compareScenario(
  scenario: Scenario,
  names: readonly string[] | undefined,
  options: CompareOptions = {},
): Compared {
  const runs = designsNamed(names).map(
    (design) => new Translation(design, scenario.pes, options.observe?.(design)),
  );
  const has = new Set<OperationName>();
  scenario.operations.forEach((operation, n) => {
    has.add(operation.op);
    for (const run of runs) run.take(operation);
    options.progress?.(n + 1);
  });
  return {
    lift: { operations: scenario.operations.length, inferred: new Map(), unlifted: new Map() },
    runs: finished(runs, names, has),
    alignments: new Map(),
  };
}
