// Puts the lines of a log together into steps: one stimulus and what it did. QEMU holds one lock meanwhile, so the lines of
// a step are contiguous. An instruction and an input line are printed before their effects, an access to a frame behind
// them, and a write to a register of the CPU interface is not printed at all: its effects stand alone.
import type { Line } from './lines.ts';

/** A stimulus and its effects, in the order of the log. A hidden stimulus has only effects. */
export interface Step {
  readonly stimulus: Line | 'PPI write' | 'interface write' | undefined;
  readonly effects: readonly Effect[];
}

/** An effect, and the IAFFID for which the IRS did it; -1 if the line names none. */
export interface Effect {
  readonly line: Line;
  readonly iaffid: number;
}

/** Lines that belong together: the four lines about PPIs with the signal behind them, or a recalculation with its own. */
interface Unit {
  readonly sort: 'recalculation' | 'PPIs' | 'signal' | 'table' | 'spi';
  readonly effects: Effect[];
}

/** How many effects of each sort a stimulus may have. */
interface Room {
  recalculation: number;
  PPIs: number;
  signal: number;
  spi: number;
  irs: number;
}
const room = (of: Partial<Room>): Room => ({ recalculation: 0, PPIs: 0, signal: 0, spi: 0, irs: 0, ...of });

/** The register whose read makes QEMU recalculate for all PEs. */
const IRS_CR0 = 0x80n;
const PPI = 1;

export class Steps {
  private readonly pes: number;
  private readonly take: (step: Step) => void;
  private open: { stimulus: Line; effects: Effect[]; room: Room } | undefined;
  /** Effects that are not those of the stimulus before. */
  private apart: Unit[] = [];
  /** The unit whose signal is printed next. */
  private awaiting: { effects: Effect[]; iaffid: number } | undefined;

  constructor(pes: number, take: (step: Step) => void) {
    this.pes = pes;
    this.take = take;
  }

  add(line: Line): void {
    const { event } = line;
    switch (event) {
      case 'gicv5_irs_recalc_hppi':
      case 'gicv5_irs_recalc_hppi_fail': {
        const iaffid = Number(line.numbers[0]);
        const into = this.into('recalculation');
        into.push({ line, iaffid });
        this.awaiting = event === 'gicv5_irs_recalc_hppi' ? { effects: into, iaffid } : undefined;
        return;
      }
      case 'gicv5_recalc_ppi_hppi':
        if (this.awaiting === undefined || line.domain === 0)
          this.awaiting = { effects: this.into('PPIs'), iaffid: -1 };
        this.awaiting.effects.push({ line, iaffid: -1 });
        return;
      case 'gicv5_update_irq_fiq': {
        const { effects, iaffid } = this.awaiting ?? { effects: this.into('signal'), iaffid: -1 };
        effects.push({ line, iaffid });
        this.awaiting = undefined;
        return;
      }
      case 'gicv5_ist_valid':
      case 'gicv5_ist_invalid':
        this.close();
        this.apart.push({ sort: 'table', effects: [{ line, iaffid: -1 }] });
        return;
      case 'gicv5_spi_state':
        this.into('spi').push({ line, iaffid: -1 });
        return;
      case 'gicv5_activate':
      case 'gicv5_deactivate':
        if (this.open !== undefined && this.open.room.irs-- > 0) this.open.effects.push({ line, iaffid: -1 });
        return;
      case 'gicv5_read':
      case 'gicv5_badread':
      case 'gicv5_write':
      case 'gicv5_badwrite':
        this.access(line);
        return;
      case 'gicv5_common_realize':
        return;
      default:
        this.flush();
        this.open = { stimulus: line, effects: [], room: roomOf(line) };
    }
  }

  /** Hands on what is left, at the end of the log or where no step can go on. */
  end(): void {
    this.flush();
  }

  /** Where an effect of this sort belongs: to the stimulus before it, if that can have one more; otherwise apart. */
  private into(sort: 'recalculation' | 'PPIs' | 'signal' | 'spi'): Effect[] {
    this.awaiting = undefined;
    const { open } = this;
    // A log without the lines about PPIs has only the signal of theirs.
    const as =
      open !== undefined && sort === 'signal' && open.room.signal === 0 && open.room.PPIs > 0 ? 'PPIs' : sort;
    if (open !== undefined && open.room[as] > 0) {
      open.room[as]--;
      return open.effects;
    }
    this.close();
    const effects: Effect[] = [];
    this.apart.push({ sort, effects });
    return effects;
  }

  /** The access behind its effects: those at the end of what stands apart that an access can have. */
  private access(line: Line): void {
    this.close();
    this.awaiting = undefined;
    const isRecall =
      line.event === 'gicv5_read' && line.numbers[0] === IRS_CR0 && ((line.numbers[1] ?? 0n) & 1n) === 0n;
    let from = this.apart.length;
    while (from > 0 && ['recalculation', 'table', 'spi'].includes(this.apart[from - 1]!.sort)) from--;
    const own = this.apart.splice(from).flatMap(({ effects }) => effects);
    if (isRecall && own.length === 0) {
      // The IRS is disabled: it recalls what it presented to each PE in turn.
      const last = this.apart.slice(-this.pes);
      if (last.length === this.pes && last.every(({ sort }) => sort === 'signal'))
        this.apart.splice(-this.pes).forEach(({ effects }, pe) => {
          own.push({ line: effects[0]!.line, iaffid: pe });
        });
    }
    this.hidden();
    this.take({ stimulus: line, effects: own });
  }

  private close(): void {
    if (this.open === undefined) return;
    const { stimulus, effects } = this.open;
    this.open = undefined;
    this.take({ stimulus, effects });
  }

  private hidden(): void {
    for (const { sort, effects } of this.apart)
      this.take({
        stimulus: sort === 'PPIs' ? 'PPI write' : sort === 'signal' ? 'interface write' : undefined,
        effects,
      });
    this.apart = [];
  }

  private flush(): void {
    this.close();
    this.hidden();
    this.awaiting = undefined;
  }
}

/** The effects that a stimulus can have. */
function roomOf({ event, numbers }: Line): Room {
  switch (event) {
    case 'gicv5_set_priority':
    case 'gicv5_set_enabled':
    case 'gicv5_set_pending':
      return room({ recalculation: 1 });
    case 'gicv5_set_target':
      return room({ recalculation: 2 });
    case 'gicv5_gicr_cdia':
    case 'gicv5_cddi':
      return Number(numbers[0]! >> 29n) === PPI ? room({ PPIs: 1 }) : room({ irs: 1, recalculation: 1 });
    case 'gicv5_cdeoi':
      return room({ signal: 1 });
    case 'gicv5_update_ppi_state':
      return room({ PPIs: 1 });
    case 'gicv5_spi':
      return room({ spi: 1, recalculation: 1 });
    default:
      return room({});
  }
}
