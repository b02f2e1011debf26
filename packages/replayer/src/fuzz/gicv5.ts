// Differential fuzzing of a GICv5: the same stimuli on the simulator and on a real QEMU, where every response, every line of
// QEMU's log and, at the end, the tables in guest memory have to agree. The first difference is shrunk to a few stimuli.
import { GicTraceError, type Gicv5Config, VERSION } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import {
  Gicv5Draw,
  Gicv5Machine,
  gicv5ProfileNamed,
  gicv5Step,
  plantGicv5Mutation,
} from '@gictrace/core/gicv5';
import { RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { type Gicv5TraceHeader, TraceWriter } from '@gictrace/recorder';
import type { QemuOptions } from '../backends/qemu/process.ts';
import {
  FRAME_ADDRESS,
  type Gicv5Answer,
  Gicv5Qemu,
  RAM,
  VIRT_SPIS,
} from '../backends/qemu-gicv5/backend.ts';
import { shrink } from '../minimize/shrink.ts';

const SHRINK_TESTS = 150;
const PAGE = 4096;
/** Pages of tables that are compared at the end of a run, at most. */
const PAGES_MAX = 16;
/** Where draws have tables. */
const TABLES_FROM = RAM.from + 0x100_0000;

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;

/** The GICv5 of QEMU 11.1's `virt` machine, with the profile of the simulator that it is compared with. */
export function qemuGicv5Config(pes: number, profile = 'qemu-11.1'): Gicv5Config {
  return {
    profile: gicv5ProfileNamed(profile).name,
    architecture: 5,
    pes: Array.from({ length: pes }, (_, n) => ({ affinity: (n & 15) | ((n >> 4) << 8), iaffid: n })),
    irs: [
      {
        idr: [0x1c, 0x4f_0000 | pes, 0x3fb8, 0, 0, VIRT_SPIS, VIRT_SPIS, 0],
        iidr: 0xfff0_043b,
        aidr: 0,
        frames: [{ domain: 1, address: FRAME_ADDRESS }],
      },
    ],
    cpuif: { idr0: 0x41, hmr: ['0xfffffffffffffff7', '0xffffffffffffffff'] },
  };
}

export interface Gicv5FuzzOptions extends QemuOptions {
  /** A fault that is planted into the simulator, to see it found. */
  readonly plant?: string;
  /** 0 to 4,294,967,295. */
  readonly seed: number;
  /** Stimuli, at least 1. */
  readonly steps: number;
  /** 1 to 16. */
  readonly pes: number;
  /** Profile of the simulator; that of QEMU 11.1 if absent. */
  readonly profile?: string;
  /** Whether a difference is left as it was found, without shrinking it. */
  readonly whole?: boolean;
  readonly progress?: (runs: number) => void;
}

/** What came of one stimulus on each side. */
export interface Gicv5Difference {
  readonly text: string;
  readonly simulator: readonly string[];
  readonly qemu: readonly string[];
}

export interface Gicv5FuzzResult {
  readonly seed: number;
  readonly config: Gicv5Config;
  readonly steps: number;
  /** Responses, observables and words of memory that were compared. */
  readonly compared: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** The first difference, or how QEMU ended; null if there is none. */
  readonly difference: Gicv5Difference | null;
  /** The stimuli that are left after shrinking, and the number of runs that it took. */
  readonly stimuli: readonly RecordBatch[];
  readonly tests: number;
}

/** The stimuli of a seed, one in each batch. */
export function drawn({ seed, steps, pes }: Pick<Gicv5FuzzOptions, 'seed' | 'steps' | 'pes'>): RecordBatch[] {
  const draw = new Gicv5Draw(seed, pes, VIRT_SPIS);
  return Array.from({ length: steps }, () => {
    const one = new RecordBatch(1);
    draw.next(one);
    return one;
  });
}

/** Fuzzes a real QEMU with one seed. @throws GicTraceError `backend` if there is no QEMU with a GICv5. */
export async function fuzzGicv5(options: Gicv5FuzzOptions): Promise<Gicv5FuzzResult> {
  const config = qemuGicv5Config(options.pes, options.profile);
  const all = drawn(options);
  const whole = await compare(config, all, options);
  const found = { seed: options.seed, config, compared: whole.compared, skipped: whole.skipped };
  if (whole.difference === null)
    return { ...found, steps: all.length, difference: null, stimuli: [], tests: 0 };
  const cut = all.slice(0, whole.ran);
  const wanted = shape(whole.difference);
  let tests = 0;
  const fails = async (list: readonly RecordBatch[]) => {
    options.progress?.(++tests);
    const { difference } = await compare(config, list, options);
    return difference !== null && shape(difference) === wanted;
  };
  const small = options.whole ? cut : (await shrink(cut, fails, { testsMax: SHRINK_TESTS })).list;
  const { difference } = await compare(config, small, options);
  return { ...found, steps: whole.ran, difference, stimuli: small, tests };
}

/** A difference without its numbers, by which it is recognised among fewer stimuli. */
const shape = ({ text, simulator, qemu }: Gicv5Difference) =>
  [text, ...simulator, '/', ...qemu]
    .map((part) => part.replace(/0x[0-9a-f]+|\d+/g, '#').split('{')[0])
    .join('|');

interface Outcome {
  readonly ran: number;
  readonly compared: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly difference: Gicv5Difference | null;
}

/** Runs stimuli on both sides, up to the first difference. */
async function compare(
  config: Gicv5Config,
  stimuli: readonly RecordBatch[],
  options: QemuOptions & Pick<Gicv5FuzzOptions, 'plant'>,
): Promise<Outcome> {
  const qemu = await Gicv5Qemu.start(config, options);
  const comparison = new Comparison(config, options.plant);
  const part = new RecordBatch(PAGE);
  let sent = 0;
  try {
    while (sent < stimuli.length && comparison.difference === null) {
      part.clear();
      for (const one of stimuli.slice(sent, sent + part.capacity)) part.copy(one, 0);
      await qemu.run(part, (i, answer) => comparison.take(part, i, answer));
      sent += part.count;
    }
    if (comparison.difference === null) await comparison.memory(qemu);
  } catch (error) {
    if (!(error instanceof GicTraceError) || !qemu.ended) throw error;
    // What it was given last is not known to the stimulus, since batches are sent ahead.
    const text = `QEMU ended within ${part.count} stimuli`;
    return {
      ...comparison.outcome(sent + part.count),
      difference: { text, simulator: [], qemu: [error.message] },
    };
  } finally {
    qemu.close();
  }
  return comparison.outcome(comparison.steps);
}

/** The simulator beside QEMU. */
class Comparison {
  steps = 0;
  difference: Gicv5Difference | null = null;
  private readonly machine: Gicv5Machine;
  private readonly own = new RecordBatch(PAGE);
  private compared = 0;
  private readonly skipped: Record<string, number> = {};

  constructor(config: Gicv5Config, plant?: string) {
    this.machine = new Gicv5Machine(config);
    if (plant !== undefined) plantGicv5Mutation(this.machine, plant);
    this.machine.sink = { batch: this.own, events: false, full: () => this.own.clear() };
  }

  outcome(ran: number): Outcome {
    return { ran, compared: this.compared, skipped: this.skipped, difference: this.difference };
  }

  /** Gives stimulus `i` to the simulator, and compares what came of it with QEMU's answer. */
  take(batch: RecordBatch, i: number, answer: Gicv5Answer): void {
    if (this.difference !== null) return;
    const { machine, own } = this;
    own.clear();
    gicv5Step(machine, batch, i);
    this.steps++;
    if (answer.skipped !== undefined) {
      this.skipped[answer.skipped] = (this.skipped[answer.skipped] ?? 0) + 1;
      return;
    }
    const kind = batch.kind[i]!;
    const isRead = kind === MMIO_READ || kind === SYSREG_READ;
    const isMmio = kind === MMIO_READ || kind === MMIO_WRITE;
    this.compared += answer.shown.count + (isRead ? 1 : 0) + (isMmio ? 1 : 0);
    const value = (BigInt(machine.high) << 32n) | BigInt(machine.low >>> 0);
    const isSame =
      (!isRead || value === answer.value) &&
      (!isMmio || machine.reserved === answer.reserved) &&
      sameRecords(own, answer.shown);
    if (isSame) return;
    const say = (read: bigint, reserved: boolean, shown: RecordBatch) => [
      ...(isRead ? [`0x${read.toString(16)}`] : []),
      ...(isMmio && reserved ? ['a reserved location'] : []),
      ...Array.from({ length: shown.count }, (_, k) => recordText(shown, k)),
    ];
    this.difference = {
      text: recordText(batch, i),
      simulator: say(value, machine.reserved, own),
      qemu: say(answer.value, answer.reserved, answer.shown),
    };
  }

  /** Compares the tables in guest memory. */
  async memory(qemu: Gicv5Qemu): Promise<void> {
    let pages = 0;
    for (const [number, data] of this.machine.state.memory.entries()) {
      const address = number * PAGE;
      if (address < TABLES_FROM || address >= RAM.to || ++pages > PAGES_MAX) continue;
      const theirs = await qemu.words(address, PAGE / 8);
      const ours = new BigUint64Array(data.slice().buffer);
      this.compared += theirs.length;
      for (const [k, word] of theirs.entries()) {
        if (word === ours[k]) continue;
        this.difference = {
          text: `guest memory at 0x${(address + 8 * k).toString(16)}`,
          simulator: [`0x${ours[k]!.toString(16)}`],
          qemu: [`0x${word.toString(16)}`],
        };
        return;
      }
    }
  }
}

/** Whether two batches have the same observables of the same PEs. */
function sameRecords(one: RecordBatch, other: RecordBatch): boolean {
  if (one.count !== other.count) return false;
  for (let i = 0; i < one.count; i++) {
    if (one.kind[i] !== other.kind[i] || one.pe[i] !== other.pe[i]) return false;
    for (let k = 0; k < RECORD_WORDS; k++)
      if (one.words[i * RECORD_WORDS + k] !== other.words[i * RECORD_WORDS + k]) return false;
  }
  return true;
}

/** Writes the stimuli of a difference, with what the simulator does, as a trace. */
export function saveGicv5(result: Gicv5FuzzResult, path: string, version = VERSION, force = false): void {
  const { difference, config, seed, stimuli } = result;
  if (difference === null) return;
  const header: Gicv5TraceHeader = {
    writer: { name: 'gictrace', version },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: 'fuzz', name: `seed ${seed}`, provenance: {} },
    losses: [],
    seed: `${seed}`,
    options: { difference: { ...difference } },
  };
  const writer = new TraceWriter(path, header, { force });
  const machine = new Gicv5Machine(config);
  const shown = new RecordBatch(PAGE);
  machine.sink = { batch: shown, events: false, full: () => shown.clear() };
  for (const one of stimuli) {
    const kind = one.kind[0]!;
    shown.clear();
    gicv5Step(machine, one, 0);
    const at = kind === MMIO_READ ? 4 : 1;
    if (kind === MMIO_READ || kind === SYSREG_READ)
      one.words.set([machine.low >>> 0, machine.high >>> 0], at);
    writer.record(one, 0);
    for (let i = 0; i < shown.count; i++) writer.record(shown, i);
  }
  writer.close({ meta: {} });
}
