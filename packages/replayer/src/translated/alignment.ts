// Holds a design against the kernel that was recorded: its ITS commands, in order, and its accesses to the ITSs and to the
// LPI registers of the Redistributors, by number and in order.
import type { GicConfig } from '@gictrace/core';
import { RECORD_WORDS, RECORDS, type RecordBatch, RULES } from '@gictrace/core/record';
import { FRAMES, GITS, ITS_COMMANDS, NO_DOORBELL, type OperandSpec, registerAt } from '@gictrace/core/spec';
import type { RecordedCommand } from './command-follower.ts';

/** How far two sequences agree from their beginnings on. */
export interface Sequences {
  readonly recorded: number;
  readonly sent: number;
  /** The number of equal elements from the first on. */
  readonly same: number;
  /** The first element that differs: what was recorded and what was sent. */
  readonly first: { readonly at: number; readonly recorded: string; readonly sent: string } | null;
}

/** Two empty sequences. */
export const noSequences = (): Sequences => ({ recorded: 0, sent: 0, same: 0, first: null });

export interface Alignment {
  /** What is compared: commands and accesses to ITSs and LPI registers; or, for each SPI, accesses to the Distributor. */
  readonly of: 'ITSs' | 'SPIs';
  readonly commands: Sequences;
  /** Operands that the source does not contain, by command and operand. They are not compared. */
  readonly notShown: ReadonlyMap<string, number>;
  readonly accesses: Sequences;
  /** Accesses by register: `GITS_CREADR read`. */
  readonly registers: ReadonlyMap<string, { readonly recorded: number; readonly sent: number }>;
  /** Recorded accesses that belong to no operation, and what they are. */
  readonly notCompared: ReadonlyMap<string, number>;
}

/**
 * Whether a design did what the recorded kernel did: the same commands in the same order, and as many accesses to each
 * register. Where PEs use an ITS at the same time, the order of accesses to it may differ; for an SPI, it may not.
 */
export function isSame({ of, commands, accesses, registers }: Alignment): boolean {
  if (commands.first !== null || (of === 'SPIs' && accesses.first !== null)) return false;
  return [...registers.values()].every(({ recorded, sent }) => recorded === sent);
}

/**
 * Compares two sequences from their beginnings on. It keeps only the elements by which one side is ahead, and nothing after
 * the first difference. `?` in the text of a recorded element stands for anything.
 */
export class Aligner {
  private readonly sides = { recorded: 0, sent: 0 };
  /** The elements that one side has and the other does not have yet, and where they begin. */
  private ahead: string[] = [];
  private taken = 0;
  private of: 'recorded' | 'sent' = 'recorded';
  private same = 0;
  private first: Sequences['first'] = null;

  take(side: 'recorded' | 'sent', element: string): void {
    this.sides[side]++;
    if (this.first !== null) return;
    if (this.taken === this.ahead.length) {
      this.ahead = [];
      this.taken = 0;
      this.of = side;
    }
    if (this.of === side) {
      this.ahead.push(element);
      return;
    }
    const other = this.ahead[this.taken++]!;
    const [recorded, sent] = side === 'sent' ? [other, element] : [element, other];
    if (matches(recorded, sent)) this.same++;
    else this.differ(recorded, sent);
  }

  private differ(recorded: string, sent: string): void {
    this.first = { at: this.same, recorded, sent };
    this.ahead = [];
    this.taken = 0;
  }

  /** Ends both sequences. */
  finish(): Sequences {
    const left = this.ahead[this.taken];
    if (left !== undefined)
      this.differ(...((this.of === 'recorded' ? [left, 'nothing'] : ['nothing', left]) as [string, string]));
    return { ...this.sides, same: this.same, first: this.first };
  }
}

function matches(recorded: string, sent: string): boolean {
  if (recorded === sent) return true;
  if (!recorded.includes('?')) return false;
  const [parts, others] = [recorded.split(' '), sent.split(' ')];
  return parts.length === others.length && parts.every((part, n) => part === '?' || part === others[n]);
}

/**
 * Operands that are not compared, because each driver chooses its own: INTIDs of LPIs and vLPIs, and addresses. Of a
 * doorbell, it is compared whether there is one.
 */
const CHOSEN = new Set(['pINTID', 'vINTID', 'ITT_addr', 'VPT_addr', 'VCONF_addr']);
const DOORBELLS = new Set(['Dbell_pINTID', 'Default_Doorbell_pINTID']);

/** A command as text, with `?` for operands that the source does not contain. */
function commandText({ name, operands, shown }: RecordedCommand, proxy: number): string {
  const parts: string[] = [name];
  (ITS_COMMANDS[name].operands as readonly OperandSpec[]).forEach((operand, k) => {
    if (CHOSEN.has(operand.name)) return;
    const value = operands[operand.name] ?? 0;
    let text = `${value}`;
    if (DOORBELLS.has(operand.name)) text = value === NO_DOORBELL || value === 0 ? 'none' : 'own';
    if (operand.name === 'DeviceID' && value === proxy) text = 'proxy';
    parts.push(operand.name, (shown >>> k) & 1 ? text : '?');
  });
  return parts.join(' ');
}

/** All operands are known. */
export const ALL_SHOWN = 0xffff_ffff;

const MMIO_WRITE = RECORDS['mmio.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const QUEUE_WRITE = RECORDS['queue.write'].id;
const MSI_FRAME_OFFSET = GITS.GITS_TRANSLATER.offset;
const GITS_FRAME = FRAMES.indexOf('GITS');
const GICR_FRAME = FRAMES.indexOf('GICR');
/**
 * Registers of the Redistributors that the ITS driver alone uses. The GICv3 driver reads GICR_TYPER and GICR_CTLR, too, so
 * reads of these are not compared.
 */
const LPI_REGISTERS: readonly string[] = [
  'GICR_PROPBASER',
  'GICR_PENDBASER',
  'GICR_SETLPIR',
  'GICR_CLRLPIR',
  'GICR_INVLPIR',
  'GICR_INVALLR',
  'GICR_SYNCR',
  'GICR_VPROPBASER',
  'GICR_VPENDBASER',
  'GICR_VSGIR',
  'GICR_VSGIPENDR',
];

/** An access of the ITS driver as text; undefined for any other record. */
export function accessText(batch: RecordBatch, i: number): string | undefined {
  const kind = batch.kind[i];
  if (kind !== MMIO_READ && kind !== MMIO_WRITE) return undefined;
  const at = i * RECORD_WORDS;
  const frame = batch.words[at]!;
  const offset = batch.words[at + 2]!;
  if (frame !== GITS_FRAME && frame !== GICR_FRAME) return undefined;
  const place = registerAt(frame, offset);
  if (place === undefined) return undefined;
  const what = kind === MMIO_READ ? 'read' : 'write';
  const isOwn =
    frame === GITS_FRAME
      ? offset < MSI_FRAME_OFFSET
      : LPI_REGISTERS.includes(place.name) || (place.name === 'GICR_CTLR' && what === 'write');
  if (!isOwn) return undefined;
  return `${place.label} ${what}`;
}

/** Takes what was recorded and what a design sends, and compares them. */
export class Comparison {
  private readonly commands = new Aligner();
  private readonly accesses = new Aligner();
  private readonly notShown = new Map<string, number>();
  private readonly registers = new Map<string, { recorded: number; sent: number }>();
  /** The operation of the last reset, as records name their cause, or 0. */
  private migration = 0;
  /** The DeviceID of the design's proxy device, or -1. */
  proxyOfDesign = -1;
  private readonly proxy: number;

  /** `proxy` is the DeviceID of the recorded proxy device, or -1. */
  constructor(proxy: number) {
    this.proxy = proxy;
  }

  command(side: 'recorded' | 'sent', command: RecordedCommand): void {
    this.commands.take(side, commandText(command, side === 'sent' ? this.proxyOfDesign : this.proxy));
    if (side === 'sent' || command.shown === ALL_SHOWN) return;
    (ITS_COMMANDS[command.name].operands as readonly OperandSpec[]).forEach(({ name }, k) => {
      if ((command.shown >>> k) & 1 || CHOSEN.has(name)) return;
      const what = `${name} of ${command.name}`;
      this.notShown.set(what, (this.notShown.get(what) ?? 0) + 1);
    });
  }

  access(side: 'recorded' | 'sent', batch: RecordBatch, i: number): void {
    // A host that migrates the machine resets it and writes its registers. That is not the driver's doing.
    if (batch.kind[i] === GIC_RESET) this.migration = batch.cause[i]!;
    if (this.migration > 0 && batch.cause[i] === this.migration) return;
    const text = accessText(batch, i);
    if (text === undefined) return;
    this.accesses.take(side, text);
    const counts = this.registers.get(text) ?? { recorded: 0, sent: 0 };
    counts[side]++;
    this.registers.set(text, counts);
  }

  finish(): Alignment {
    const registers = [...this.registers].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      of: 'ITSs',
      notCompared: new Map(),
      commands: this.commands.finish(),
      notShown: this.notShown,
      accesses: this.accesses.finish(),
      registers: new Map(registers),
    };
  }
}

/** The design that Linux uses on a machine: by what its ITSs and Redistributors have. */
export function designOf({ its, gicr }: GicConfig): string | undefined {
  if (its.length === 0) return undefined;
  if ((BigInt(its[0]!.typer) & VIRTUAL) === 0n) return 'its';
  if ((gicr.typer & RVPEID) !== 0) return 'vpe-v41';
  return (gicr.typer & DIRECT_LPI) === 0 ? 'vpe-proxy' : 'vpe-direct';
}
const VIRTUAL = 2n;
const DIRECT_LPI = 8;
const RVPEID = 0x80;

const COMMAND_FROM_DECODE = RULES['command-from-decode'].id;
const ITS_COMMAND = RECORDS['its.command'].id;

/**
 * For each executed command of a trace, in order, which operands its source contains: all of them if the source contains the
 * command queue. If commands were rebuilt from what the source prints about them, what it prints.
 */
export function shownOperands(batches: Iterable<{ readonly batch: RecordBatch }>): Uint32Array {
  let shown = new Uint32Array(1024);
  let count = 0;
  let isRebuilt = false;
  for (const { batch } of batches)
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i];
      if (kind === QUEUE_WRITE && batch.rule[i] === COMMAND_FROM_DECODE) isRebuilt = true;
      if (kind !== ITS_COMMAND) continue;
      if (count === shown.length) {
        const more = new Uint32Array(2 * count);
        more.set(shown);
        shown = more;
      }
      shown[count++] = isRebuilt ? batch.words[i * RECORD_WORDS + 3]! : ALL_SHOWN;
    }
  return shown.subarray(0, count);
}
