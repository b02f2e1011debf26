// Compares designs: takes the operations of a trace, or lifts them if it contains none, and runs them on each design. If a
// design may be the one that was recorded, its commands and accesses are compared with those of the recorded kernel.
import { atPlace, GicTraceError } from '@gictrace/core';
import {
  COST_MODELS,
  type CostModel,
  type Design,
  type Judgement,
  judge,
  type Operation,
  type OperationName,
  type Run,
  type RunObserver,
  Translation,
} from '@gictrace/core/irqchip';
import { NO_PE } from '@gictrace/core/record';
import { blocksOf, type Scenario, TraceReader } from '@gictrace/recorder';
import { ALL_SHOWN, type Alignment, Comparison, designOf, shownOperands } from './alignment.ts';
import { designsNamed, hasInvlpir, ofRecorded, ofScenario } from './designs.ts';
import { proxyDevice } from './doorbells.ts';
import { Lift, NOT_SHOWN } from './lift.ts';
import type { LiftStats } from './lift-parts.ts';
import { SPI_DEVICE } from './lift-spis.ts';
import { MeasuredTimes } from './measured-times.ts';
import { holdsOperations, operationsIn } from './operations-of.ts';
import { type Properties, propertiesOf } from './properties.ts';
import { OF_SPIS, SpiComparison } from './spi-alignment.ts';

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
  /** The recorded profile on which the designs with an ITS ran, because Linux uses its GICR_INVLPIR; else undefined. */
  readonly invlpirOf?: string | undefined;
}

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
    // The commands are those of a recorded kernel only if operations had to be lifted from them. What it did before the trace
    // begins is part of what it did.
    const isHeld = isLifted && reader.header.options.start !== 'mid-life';
    const own = isHeld ? designOf(config) : undefined;
    const comparison = new Comparison(proxyDevice(config));
    // Without an ITS, devices raise SPIs, or LPIs for which there is no recorded design.
    const spis = isHeld && config.its.length === 0 ? new SpiComparison() : undefined;
    let device = -1;
    const runs = designs.map((named) => {
      const design = isLifted ? ofRecorded(named, config) : named;
      const observer = options.observe?.(design);
      if (spis !== undefined && OF_SPIS.includes(design.name))
        return new Translation(
          design,
          config.pes.length,
          {
            ...observer,
            stimulus(batch) {
              if (device >= 0) spis.access(design.name, device, batch);
              observer?.stimulus?.(batch);
            },
          },
          blocks,
          inFlightMax,
        );
      if (design.name !== own)
        return new Translation(design, config.pes.length, observer, blocks, inFlightMax);
      const run = new Translation(
        design,
        config.pes.length,
        {
          ...observer,
          command(operation, { name, operands }) {
            comparison.command('sent', { name, operands, shown: ALL_SHOWN });
            observer?.command?.(operation, { name, operands });
          },
          stimulus(batch) {
            if (batch.pe[0] !== NO_PE) comparison.access('sent', batch, 0);
            observer?.stimulus?.(batch);
          },
        },
        blocks,
        inFlightMax,
      );
      const machine = run.run.config;
      if (machine.architecture !== 5) comparison.proxyOfDesign = proxyDevice(machine);
      return run;
    });
    const has = new Set<OperationName>();
    let operations = 0;
    const take = (operation: Operation) => {
      has.add(operation.op);
      device = 'device' in operation ? operation.device : -1;
      for (const run of runs) run.take(operation);
      options.progress?.(++operations);
    };
    if (!isLifted) {
      for (const operation of operationsIn(reader)) take(operation);
      return {
        isLifted,
        lift: { operations, inferred: new Map(), unlifted: new Map() },
        ...judged(finished(runs, options.all === true ? undefined : names, has)),
        model,
        inFlightMax,
        alignments: new Map(),
      };
    }
    const isCompared = designs.some((design) => design.name === own);
    const shown = isCompared ? shownOperands(reader.batches()) : undefined;
    const lift = new Lift(config, {
      operation: take,
      ...(shown && {
        command: (n, name, operands) =>
          comparison.command('recorded', { name, operands, shown: shown[n] ?? ALL_SHOWN }),
        stimulus: (batch, i) => comparison.access('recorded', batch, i),
      }),
      ...(spis && { stimulus: (batch, i, machine) => spis.stimulus(batch, i, machine) }),
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
    const runsDone = finished(runs, options.all === true ? undefined : names, has);
    // Without its commands, the operations are not all that the kernel did. And where devices raise SPIs, none of them is one
    // for which the kernel sent commands.
    const isOfCommands = !stats.unlifted.has(NOT_SHOWN) && !stats.inferred.has(SPI_DEVICE);
    if (own !== undefined && isCompared && isOfCommands) alignments.set(own, comparison.finish());
    const ofSpis = spis?.finish();
    if (ofSpis !== undefined) alignments.set(...ofSpis);
    return {
      isLifted,
      lift: stats,
      ...judged(runsDone),
      model: times.into(model),
      inFlightMax,
      alignments,
      invlpirOf: hasInvlpir(config) ? config.profile : undefined,
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
