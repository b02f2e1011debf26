// Compares designs: takes the operations of a trace, or lifts them if it contains none, and runs them on each design. If a
// design may be the one that was recorded, its commands are compared with those that the recorded kernel sent.
import { atPlace, GicTraceError } from '@gictrace/core';
import {
  COST_MODELS,
  type CostModel,
  type Design,
  type Judgement,
  judge,
  type Operation,
  type OperationName,
  operationAt,
  PROXY_DEVICE,
  type Run,
  type RunObserver,
  type SentCommand,
  Translation,
} from '@gictrace/core/irqchip';
import { blocksOf, type Scenario, TraceReader } from '@gictrace/recorder';
import { designsNamed, ofScenario } from './designs.ts';
import { proxyDevice } from './doorbells.ts';
import { Lift, type RecordedCommand } from './lift.ts';
import type { LiftStats } from './lift-parts.ts';
import { MeasuredTimes } from './measured-times.ts';
import { type Properties, propertiesOf } from './properties.ts';

/** How far the commands of a design agree with the recorded ones. */
export interface Alignment {
  /** Which commands are compared. */
  readonly of: string;
  readonly recorded: number;
  readonly sent: number;
  /** The number of equal commands from the first on. */
  readonly same: number;
  /** The first command that differs: what was recorded and what was sent. */
  readonly first: { readonly at: number; readonly recorded: string; readonly sent: string } | null;
}

/** The verdict on a run, and what is true of its design whatever it runs. */
export interface Judged {
  readonly judgement: Judgement;
  readonly properties: Properties;
}

/**
 * Messages that a device may have sent by one vector without the handler having run. A ring of requests bounds them: a device
 * whose interrupt never comes stops.
 */
export const IN_FLIGHT_MAX = 16;

export interface Compared {
  /** Whether the operations were lifted, because the trace contains none. */
  readonly isLifted: boolean;
  readonly lift: LiftStats;
  readonly runs: readonly Run[];
  /** For each run, in the same order. */
  readonly judged: readonly Judged[];
  /** What costs are worth. */
  readonly model: CostModel;
  /** A device stops when it has this many messages in flight by one vector; Infinity if it never stops. */
  readonly inFlightMax: number;
  /** By design. */
  readonly alignments: ReadonlyMap<string, Alignment>;
}

/**
 * Compares two sequences of commands from their beginnings on. It keeps only the commands by which one side is ahead, and
 * nothing after the first difference.
 */
export class Aligner {
  private readonly sides = { recorded: 0, sent: 0 };
  /** The commands that one side has and the other does not have yet, and where they begin. */
  private ahead: string[] = [];
  private taken = 0;
  private of: 'recorded' | 'sent' = 'recorded';
  private same = 0;
  private first: Alignment['first'] = null;

  take(side: 'recorded' | 'sent', command: string): void {
    this.sides[side]++;
    if (this.first !== null) return;
    if (this.taken === this.ahead.length) {
      this.ahead = [];
      this.taken = 0;
      this.of = side;
    }
    if (this.of === side) {
      this.ahead.push(command);
      return;
    }
    const other = this.ahead[this.taken++]!;
    if (other === command) this.same++;
    else this.differ(side === 'sent' ? [other, command] : [command, other]);
  }

  private differ([recorded, sent]: readonly [string, string]): void {
    this.first = { at: this.same, recorded, sent };
    this.ahead = [];
    this.taken = 0;
  }

  /** Ends both sequences. */
  finish(of: string): Alignment {
    const left = this.ahead[this.taken];
    if (left !== undefined) this.differ(this.of === 'recorded' ? [left, 'nothing'] : ['nothing', left]);
    return { of, ...this.sides, same: this.same, first: this.first };
  }
}

/** The commands of one side that are compared: those of the proxy device, or all others; each with its SYNC. */
class Sequence {
  private readonly proxy: number;
  private readonly ofProxy: boolean;
  private readonly tell: (command: string) => void;
  private follows = false;

  constructor(proxy: number, ofProxy: boolean, tell: (command: string) => void) {
    this.proxy = proxy;
    this.ofProxy = ofProxy;
    this.tell = tell;
  }

  /** Takes a command that is not compared; its SYNC is not compared either. */
  skip(): void {
    this.follows = false;
  }

  take(command: RecordedCommand | SentCommand): void {
    const { name, operands } = command;
    if (name === 'SYNC') {
      if (this.follows) this.tell('SYNC');
      this.follows = false;
      return;
    }
    this.follows = false;
    if (name.startsWith('V') || (operands.DeviceID === this.proxy) !== this.ofProxy) return;
    this.follows = true;
    this.tell(this.shape(command));
  }

  /** The part of a command that is compared. INTIDs of LPIs and addresses are left out, because each driver chooses its own. */
  private shape({ name, operands: o }: RecordedCommand | SentCommand): string {
    const parts: string[] = [name];
    for (const operand of ['DeviceID', 'EventID', 'ICID', 'V', 'Size']) {
      // QEMU's log does not contain the collection of INVALL; the Size of a MAPD that unmaps is not used.
      if (o[operand] === undefined || (name === 'INVALL' && operand === 'ICID')) continue;
      if (operand === 'Size' && o.V === 0) continue;
      const proxied = operand === 'DeviceID' && this.ofProxy;
      parts.push(`${operand} ${proxied ? 'of the proxy' : o[operand]}`);
    }
    return parts.join(' ');
  }
}

/** Designs that the recorded kernel may have used, by name, and whether their commands are those of the proxy device. */
const RECORDED_DESIGNS: ReadonlyMap<string, boolean> = new Map([
  ['its', false],
  ['vpe-proxy', true],
]);

/** The runs to report: all that were requested, or those of designs that had something to do. */
function finished(
  runs: readonly Translation[],
  names: readonly string[] | undefined,
  has: ReadonlySet<OperationName>,
): Run[] {
  const begins: Readonly<Record<Design['serves'], readonly OperationName[]>> = {
    devices: ['activate', 'probe'],
    vpes: ['vpe.map', 'vm.alloc'],
  };
  const nothing = !Object.values(begins)
    .flat()
    .some((name) => has.has(name));
  return runs
    .map((run) => run.finish())
    .filter(
      ({ design }) => names !== undefined || nothing || begins[design.serves].some((name) => has.has(name)),
    );
}

const judged = (runs: readonly Run[]): Pick<Compared, 'runs' | 'judged'> => ({
  runs,
  judged: runs.map((run) => ({ judgement: judge(run), properties: propertiesOf(run.design) })),
});

export interface CompareOptions {
  /** Returns the observer for the run of a design. */
  readonly observe?: (design: Design) => RunObserver;
  /** Called with the number of operations so far. */
  readonly progress?: (operations: number) => void;
  /** The names are all designs of a kind and not chosen one by one: those that have nothing to do are left out. */
  readonly all?: boolean;
  /** Lift even if the trace contains operations. */
  readonly lift?: boolean;
  /** {@link IN_FLIGHT_MAX} if absent; Infinity: devices never stop. */
  readonly inFlightMax?: number;
  /** What costs are worth; `bare-metal` if absent. */
  readonly model?: CostModel;
}

/** The operations that a trace contains. */
function* operationsOf(reader: TraceReader): Generator<Operation> {
  for (const { batch } of reader.batches())
    for (let i = 0; i < batch.count; i++) {
      const operation = operationAt(batch, i);
      if (operation !== undefined) yield operation;
    }
}

/** Whether a trace contains operations. The footer says so; without a footer, the trace is searched. */
function holdsOperations(reader: TraceReader): boolean {
  if (reader.footer !== undefined)
    return Object.keys(reader.footer.kinds).some((name) => name.startsWith('op.'));
  return !operationsOf(reader).next().done;
}

/**
 * Runs the operations of a trace on each design.
 * @throws GicTraceError `usage` for an unknown design, or a trace without operations; `input` for a bad trace.
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
    const { inFlightMax = IN_FLIGHT_MAX, model = COST_MODELS['bare-metal']! } = options;
    const blocks = blocksOf(reader.header);
    const isLifted = options.lift === true || !holdsOperations(reader);
    const proxy = isLifted ? proxyDevice(config) : -1;
    const recorded: Sequence[] = [];
    const aligners = new Map<string, Aligner>();
    const runs = designs.map((design) => {
      const observer = options.observe?.(design);
      // The commands are those of a recorded kernel only if operations had to be lifted from them.
      const ofProxy = isLifted ? RECORDED_DESIGNS.get(design.name) : undefined;
      if (ofProxy === undefined)
        return new Translation(design, config.pes.length, observer, blocks, inFlightMax);
      const aligner = new Aligner();
      aligners.set(design.name, aligner);
      recorded.push(new Sequence(proxy, ofProxy, (command) => aligner.take('recorded', command)));
      const sent = new Sequence(PROXY_DEVICE, ofProxy, (command) => aligner.take('sent', command));
      return new Translation(
        design,
        config.pes.length,
        {
          ...observer,
          command(operation, command) {
            sent.take(command);
            observer?.command?.(operation, command);
          },
        },
        blocks,
        inFlightMax,
      );
    });
    const has = new Set<OperationName>();
    let operations = 0;
    const take = (operation: Operation) => {
      has.add(operation.op);
      for (const run of runs) run.take(operation);
      options.progress?.(++operations);
    };
    if (!isLifted) {
      for (const operation of operationsOf(reader)) take(operation);
      return {
        isLifted,
        lift: { operations, inferred: new Map(), unlifted: new Map() },
        ...judged(finished(runs, options.all === true ? undefined : names, has)),
        model,
        inFlightMax,
        alignments: new Map(),
      };
    }
    const lift = new Lift(config, {
      operation: take,
      command(command, forwarded) {
        for (const sequence of recorded)
          if (forwarded) sequence.skip();
          else sequence.take(command);
      },
    });
    const stats = lift.run(() => reader.batches());
    const times = new MeasuredTimes();
    for (const { batch } of reader.batches()) times.take(batch);
    if (!has.has('alloc') && !has.has('vpe.map'))
      throw new GicTraceError(
        'usage',
        'holds no operation of a device or a vPE: no device was mapped (MAPD, VMAPP), and no SPI or LPI enabled',
        { path },
        'compare a trace of software that sets up interrupts of devices, or the scenario that was recorded',
      );
    const alignments = new Map<string, Alignment>();
    for (const [name, aligner] of aligners) {
      const ofProxy = RECORDED_DESIGNS.get(name) === true;
      const alignment = aligner.finish(ofProxy ? `the proxy device ${proxy}` : 'collections and devices');
      if (alignment.recorded > 0) alignments.set(name, alignment);
    }
    return {
      isLifted,
      lift: stats,
      ...judged(finished(runs, options.all === true ? undefined : names, has)),
      model: times.into(model),
      inFlightMax,
      alignments,
    };
  } catch (error) {
    throw atPlace(error, { path });
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
  const { inFlightMax = IN_FLIGHT_MAX, model = COST_MODELS['bare-metal']! } = options;
  const runs = designsNamed(names).map((design) => {
    const on = ofScenario(design, scenario);
    return new Translation(on, scenario.pes, options.observe?.(design), scenario.blocks, inFlightMax);
  });
  const has = new Set<OperationName>();
  scenario.operations.forEach((operation, n) => {
    has.add(operation.op);
    for (const run of runs) run.take(operation);
    options.progress?.(n + 1);
  });
  return {
    isLifted: false,
    lift: { operations: scenario.operations.length, inferred: new Map(), unlifted: new Map() },
    ...judged(finished(runs, options.all === true ? undefined : names, has)),
    model,
    inFlightMax,
    alignments: new Map(),
  };
}
