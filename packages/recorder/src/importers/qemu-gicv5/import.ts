// Imports a QEMU log with `gicv5_*` trace events. Reads it twice: first for the identity of the GIC, then line by line.
import { GicTraceError, type Gicv5Config } from '@gictrace/core';
import { CONFLICTS, NO_PE, RECORD_FLAGS, RecordBatch, RULES } from '@gictrace/core/record';
import type { Provenance } from '../common/identity.ts';
import { eachLine } from '../common/lines.ts';
import { Losses } from '../common/losses.ts';
import { type Attributed, Attribution } from './attribute.ts';
import { Identity } from './config.ts';
import { type EventName, type Line, LineReader } from './lines.ts';
import { type Draft, deedOf, effectOf, fill, learntDrafts, shownBy, stimulusOf } from './records.ts';
import { Resets } from './resets.ts';
import { type Step, Steps } from './steps.ts';

export interface Gicv5Options {
  /** The number of PEs, if the log does not show it. */
  readonly pes?: number;
  /** The profile for replay. */
  readonly profile?: string;
  /** How the log begins; if absent, by whether QEMU made the device in it, or software reads the identity of the IRS. */
  readonly start?: 'reset' | 'mid-life';
}

export interface Gicv5Facts {
  readonly start: 'reset' | 'mid-life';
  /** The kinds of observables that the log has lines for. */
  readonly shows: readonly string[];
}

export interface Gicv5Sink {
  begin(config: Gicv5Config, provenance: Provenance, facts: Gicv5Facts): void;
  /** Takes record `i` of a batch that is reused after the call. */
  record(batch: RecordBatch, i: number): void;
  progress?(lines: number): void;
}

export interface Gicv5Stats {
  readonly lines: number;
  readonly events: Readonly<Record<string, number>>;
  readonly losses: Readonly<Record<string, number>>;
}

const OBSERVABLES: Readonly<Partial<Record<EventName, string>>> = {
  gicv5_irs_recalc_hppi: 'irs.hppi',
  gicv5_irs_recalc_hppi_fail: 'irs.refused',
  gicv5_recalc_ppi_hppi: 'ppi.hppi',
  gicv5_update_irq_fiq: 'cpuif.signal',
  gicv5_ist_valid: 'ist.changed',
  gicv5_activate: 'irs.activated',
  gicv5_deactivate: 'irs.deactivated',
  gicv5_request_config: 'irs.config',
  gicv5_spi_state: 'spi.state',
};
/** Observables that every boot has; if one has no line, it was not traced. */
const ALWAYS = ['irs.hppi', 'ppi.hppi', 'cpuif.signal'];

/**
 * Imports a log whose bytes `open` gives from the beginning, as often as it is called.
 * @throws GicTraceError `input` if it has no line of a `gicv5_` event.
 */
export async function importGicv5(
  source: { readonly name: string; open(): AsyncIterable<Buffer> },
  options: Gicv5Options,
  sink: Gicv5Sink,
): Promise<Gicv5Stats> {
  const losses = new Losses();
  const identity = new Identity();
  const resets = new Resets();
  const counts = new Map<string, number>();
  let lines = 0;
  let sawVirtual = 0;
  // The second reading counts.
  const reader = new LineReader(new Losses());
  await eachText(source.open(), (text) => {
    lines++;
    const line = reader.read(text, lines);
    if (line === undefined) return;
    if (line === 'unknown') {
      losses.add('lines of gicv5_ events that are not understood');
      return;
    }
    counts.set(line.event, (counts.get(line.event) ?? 0) + 1);
    if (line.virtual) sawVirtual++;
    identity.note(line);
    resets.note(line);
  });
  if ([...counts.keys()].every((event) => event === 'exception'))
    throw new GicTraceError('input', 'has no line of a gicv5_ event', { path: source.name });
  if (sawVirtual > 0) losses.add('lines about virtual interrupts', sawVirtual);
  const { config, provenance } = identity.decide(options);
  const isBeginning = counts.has('gicv5_common_realize') || (counts.get('gicv5_write') ?? 0) > 0;
  const start = options.start ?? (isBeginning ? 'reset' : 'mid-life');
  const shown = new Set(
    Object.entries(OBSERVABLES).flatMap(([event, kind]) => (counts.has(event) ? [kind] : [])),
  );
  const isWhole = ALWAYS.every((kind) => shown.has(kind));
  const shows = Object.values(OBSERVABLES).filter((kind) => isWhole || shown.has(kind));
  sink.begin(config, provenance, { start, shows });

  const out = new Output(config.pes.length, sink);
  const attribution = new Attribution<Step>(
    config.pes.length,
    {
      ppis: [...identity.ppis].filter((ppi) => ppi < 128).sort((a, b) => a - b),
      fromReset: start === 'reset',
      showsExceptions: counts.has('exception'),
    },
    (one) => out.take(one),
  );
  const steps = new Steps(config.pes.length, (step) => {
    if (step.stimulus === undefined) losses.add('effects whose cause has no line', step.effects.length);
    attribution.add({ deed: deedOf(step), shown: shownBy(step), step });
  });
  let at = 0;
  let time = Number.NaN;
  const again = new LineReader(losses);
  await eachText(source.open(), (text) => {
    at++;
    if ((at & 0xffff) === 0) sink.progress?.(at);
    const line = again.read(text, at);
    if (line === undefined || line === 'unknown' || line.virtual) return;
    if (line.event === 'exception') {
      steps.end();
      attribution.exception(Number(line.numbers[0]));
      return;
    }
    // Times never go back, so that a PE's clock that is behind another's does not order records.
    if (Number.isNaN(line.timeNs) || line.timeNs < time) line.timeNs = time;
    time = line.timeNs;
    if (resets.places.has(at)) {
      steps.end();
      attribution.reset();
      out.reset(line);
    }
    steps.add(line);
  });
  steps.end();
  attribution.end();
  if (attribution.misfits > 0) losses.add('steps that fit no PE', attribution.misfits);
  if (out.lost > 0) losses.add('steps behind which PEs cannot be told apart any more', out.lost);
  if (out.undecided > 0) losses.add('PEs of steps that nothing decides', out.undecided);
  return { lines, events: Object.fromEntries(counts), losses: Object.fromEntries(losses.counts) };
}

/** Writes records of attributed steps. */
class Output {
  /** Steps whose PE nothing decides, and steps where the state of the CPU interfaces is not known. */
  undecided = 0;
  lost = 0;
  private readonly batch = new RecordBatch(1);
  private readonly pes: number;
  private readonly sink: Gicv5Sink;

  constructor(pes: number, sink: Gicv5Sink) {
    this.pes = pes;
    this.sink = sink;
  }

  take({ act, pe, isUndecided, learnt, isLost }: Attributed<Step>): void {
    const { step, deed } = act;
    const { stimulus, effects } = step;
    if (isUndecided) this.undecided++;
    const rule =
      deed === undefined ? 0 : this.ruleOf(deed.does === 'acknowledge' ? deed.intid : -1, isUndecided);
    const flags = (isUndecided ? RECORD_FLAGS.peUndecided : 0) | (isLost ? RECORD_FLAGS.undecided : 0);
    if (isLost) this.lost++;
    const named = typeof stimulus === 'object' ? stimulus : undefined;
    const first = (effects[0]?.line ?? named)!;
    const place = named ?? first;
    const timeNs = named === undefined ? first.timeNs : Math.min(named.timeNs, first.timeNs);
    // A PE that no line names does nothing with an access or a configuration: there it stays unknown, except the only one.
    const who = pe >= 0 ? pe : this.pes === 1 ? 0 : -1;
    const unseen = named === undefined;
    const known = () => {
      for (const one of learnt)
        for (const { draft, rule: why } of learntDrafts(one)) this.emit(draft, why, timeNs, place, flags);
    };
    // What holds before a step comes before it; what a hidden write changed comes behind it.
    if (!unseen) known();
    const draft = stimulusOf(step, who);
    if (draft !== undefined)
      this.emit(draft, draft.pe >= 0 ? this.ruleFor(rule) : 0, timeNs, place, draft.pe >= 0 ? flags : 0);
    if (unseen) known();
    if (named?.event === 'gicv5_request_config') this.effect({ line: named, iaffid: -1 }, who, rule, flags);
    for (const effect of effects) this.effect(effect, who, rule, flags);
  }

  /** The machine was reset ahead of this line. */
  reset(line: Line): void {
    this.emit(
      { kind: 'gic.reset', pe: NO_PE, words: [0], flags: 0 },
      RULES['reset-from-registers'].id,
      line.timeNs,
      line,
      0,
    );
  }

  private effect(
    effect: { readonly line: Line; readonly iaffid: number },
    pe: number,
    rule: number,
    flags: number,
  ): void {
    const draft = effectOf(effect, pe);
    if (draft === undefined) return;
    const { line, iaffid } = effect;
    if (draft.pe < 0 || draft.kind === 'irs.hppi') this.emit(draft, 0, line.timeNs, line, 0);
    else if (iaffid >= 0)
      this.emit(draft, RULES['pe-from-iaffid'].id, line.timeNs, line, flags & RECORD_FLAGS.undecided);
    else this.emit(draft, this.ruleFor(rule), line.timeNs, line, flags);
  }

  private ruleFor(rule: number): number {
    return this.pes === 1 ? RULES['only-pe'].id : rule;
  }

  /** The rule by which the PE of a step was found. `intid` is that of an acknowledge. */
  private ruleOf(intid: number, isUndecided: boolean): number {
    if (isUndecided) return RULES['pe-undecided'].id;
    return RULES[intid >= 0 && intid >>> 29 !== 1 ? 'pe-from-iaffid' : 'pe-by-elimination'].id;
  }

  private emit(
    draft: Parameters<typeof fill>[1],
    rule: number,
    timeNs: number,
    { line }: Line,
    flags: number,
  ): void {
    // The IRS names a PE that the GIC does not have: the line is damaged, or another one is.
    const isPe = draft.pe < this.pes;
    const known = isPe ? draft : conflict(line, draft.pe);
    fill(this.batch, known, isPe ? rule : 0, timeNs, line, isPe ? flags : 0);
    this.sink.record(this.batch, 0);
  }
}

const OF_PE = CONFLICTS.indexOf('pe');

/** A line that names something that does not exist. */
function conflict(line: number, named: number): Draft {
  return { kind: 'source.conflict', pe: NO_PE, words: [OF_PE, named, 0, 0, 0, line], flags: 0 };
}

function eachText(input: AsyncIterable<Buffer>, visit: (text: string) => void): Promise<void> {
  return eachLine(input, (bytes, from, to) => visit(bytes.toString('latin1', from, to)));
}
