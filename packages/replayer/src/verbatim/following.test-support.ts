// A GIC that presents another of several equal interrupts than the simulator, and the replay of a recording on it.
import type { GicConfig } from '@gictrace/core';
import { type Answers, Simulator } from '@gictrace/core/backend';
import { Guest } from '@gictrace/core/conformance';
import { Machine, prefer, type Signalled, signalledTo, step, tieOf } from '@gictrace/core/model';
import { KIND, RECORD_WORDS, RecordBatch, recordName, type Verdict } from '@gictrace/core/record';
import { BackendReplay } from './on-backend.ts';

/** A simulator that presents the highest of equal INTIDs and shows what PEs are signalled once a stimulus is complete. */
export class Contrary extends Simulator {
  private own!: Machine;
  private was: Signalled[] = [];
  readonly given: string[] = [];
  /** Changes what it presents; returns whether it did. */
  bend: (machine: Machine, pe: number) => boolean = () => false;
  private readonly shows: boolean;

  /** `shows`: whether it shows what PEs are signalled; if not, only what registers return can be compared. */
  constructor(shows = true) {
    super();
    this.shows = shows;
  }

  override async reset(config: GicConfig) {
    const capabilities = await super.reset(config);
    this.own = new Machine(config);
    this.was = config.pes.map((_, pe) => signalledTo(this.own, pe));
    return { ...capabilities, observables: this.shows ? ['hppi' as const] : [], events: [], settled: true };
  }

  override async run(batch: RecordBatch, answers: Answers): Promise<void> {
    const { own } = this;
    for (let i = 0; i < batch.count; i++) {
      if (recordName(batch.kind[i]!)!.startsWith('sysreg'))
        this.given.push(
          `${batch.words[i * RECORD_WORDS]!.toString(16)} ${batch.words[i * RECORD_WORDS + 1]}`,
        );
      step(own, batch, i);
      const isRead = batch.kind[i] === KIND['mmio.read'] || batch.kind[i] === KIND['sysreg.read'];
      if (own.unsupported) answers.skipped('not modelled');
      else answers.answered(isRead ? own.low : 0, isRead ? own.high : 0, own.reserved);
      for (let pe = 0; pe < this.was.length; pe++) {
        if (!this.bend(own, pe)) this.choose(pe);
        const now = signalledTo(own, pe);
        if (now.every((word, k) => word === this.was[pe]![k])) continue;
        this.was[pe] = now;
        if (!this.shows) continue;
        const shown = new RecordBatch(1);
        shown.words.set(now, shown.push(KIND.hppi, pe, Number.NaN) * RECORD_WORDS);
        answers.shown(shown, 0);
      }
    }
  }

  private choose(pe: number): void {
    if (this.own.state.hppiIntid[pe] === 1023) return;
    for (let intid = 8300; intid >= 0; intid = intid === 8192 ? 63 : intid - 1)
      if (tieOf(this.own, pe, intid) !== undefined) {
        prefer(this.own, pe, intid);
        return;
      }
  }
}

export async function replayed(
  config: GicConfig,
  recording: RecordBatch,
  backend = new Contrary(),
  follows = true,
): Promise<Verdict> {
  const capabilities = await backend.reset(config);
  const replay = new BackendReplay(config, backend, capabilities, { follows, sourceTellsReserved: false });
  await replay.take(recording);
  return replay.finish();
}

/** What a guest does, as a recording with responses and what PEs are signalled. */
export function recorded(config: GicConfig, act: (guest: Guest) => void): RecordBatch {
  const guest = new Guest(config);
  const out = new RecordBatch(4096);
  guest.tap = (batch) => {
    out.copy(batch, 0);
    for (const { kind, pe, words } of guest.seen)
      if (kind === 'hppi') out.words.set(words, out.push(KIND.hppi, pe, Number.NaN) * RECORD_WORDS);
  };
  act(guest);
  return out;
}
