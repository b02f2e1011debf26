// Handles lines about an ITS: MSIs, the commands that it executes, and the table entries that it reads and writes.
// Rebuilds the command slots that are not in the log.
import { fieldOffsets, RECORD_FLAGS, RECORD_WORDS, RECORDS, RULES } from '@gictrace/core/record';
import {
  type CommandName,
  commandName,
  encodeCommand,
  ITS_COMMANDS,
  type OperandSpec,
  operandOf,
} from '@gictrace/core/spec';
import type { Identity } from '../common/identity.ts';
import type { Losses } from '../common/losses.ts';
import { FRAME_GITS, ITS_COMMAND, MEM_WRITE, MMIO_WRITE, QUEUE_WRITE } from '../common/record-kinds.ts';
import { CommandFromTables } from './command-tables.ts';
import type { Group } from './group.ts';
import { eventNames, type Token } from './tokenize.ts';

const CTLR = 0;
const CTLR_ENABLED = 1;
const CBASER = 0x80;
const CWRITER = 0x88;
const COMMAND_BYTES = 32;
const COMMANDS_A_PAGE = 128;
/** GITS_CWRITER.Offset, in place. */
const OFFSETS = 0xf_ffe0;
const TRANSLATER = 0x1_0040;
const DISAGREE = 'command slots that were read of guest memory otherwise than the ITS read them';

/** Commands whose operands QEMU prints. */
const PRINTED: ReadonlySet<string> = new Set(
  eventNames.flatMap((name) =>
    name.startsWith('gicv3_its_cmd_') ? [name.slice('gicv3_its_cmd_'.length).toUpperCase()] : [],
  ),
);

export interface ItsLinesOptions {
  /**
   * The address assumed for the queue until the log reveals it. If absent, no command slots are rebuilt before that.
   */
  readonly queue?: number;
  /** The log does not print which slot of the queue a command is in. */
  readonly unnumbered?: boolean;
  /** The log does not print the operands of commands. */
  readonly unprinted?: boolean;
}

export class ItsLines {
  private readonly group: Group;
  private readonly identity: Pick<Identity, 'showIts' | 'showVirtualLpis' | 'showMapped'>;
  private readonly losses: Losses;
  /** A memory region's line about GITS_TRANSLATER. The ITS's own line follows it. */
  translation: { low: number; width: number; line: number } | undefined;
  private cbaser = 0;
  /** GITS_CTLR.Enabled, as last written or read. */
  private enabled = false;
  /** The queue slot of the next command. */
  private next = 0;
  /** The number of slots in the queue. */
  private commands = COMMANDS_A_PAGE;
  private readonly options: ItsLinesOptions;
  private readonly tables = new CommandFromTables();
  /** The slot of the current command, if more than its opcode is needed and not known yet; otherwise -1. */
  private open = -1;
  /** Time and line of that command. */
  private openNow = Number.NaN;
  private openLine = 0;
  /** The operands of the current command are known, from its line or from memory. */
  private isPrinted = false;
  /** The log contains the stores to the command queue. */
  private queueShown = false;
  /** Queue slots that were read from memory, by address, until their command begins. */
  private readonly slots = new Map<number, readonly number[]>();
  /** The slot of the current command, if it was read from memory. */
  private slot: { readonly address: number; readonly words: readonly number[] } | undefined;

  constructor(
    group: Group,
    identity: Pick<Identity, 'showIts' | 'showVirtualLpis' | 'showMapped'>,
    losses: Losses,
    options: ItsLinesOptions = {},
  ) {
    this.options = options;
    this.cbaser = options.queue ?? 0;
    this.group = group;
    this.identity = identity;
    this.losses = losses;
  }

  /** The machine was reset. */
  reset(): void {
    this.cbaser = this.options.queue ?? 0;
    this.enabled = false;
    this.next = 0;
    this.commands = COMMANDS_A_PAGE;
    this.open = -1;
    this.slot = undefined;
    this.slots.clear();
  }

  /**
   * Handles a write to an ITS register, which may place the command queue. While the ITS is enabled it ignores a write
   * to GITS_CBASER.
   */
  noteWrite(offset: number, width: number, low: number, high: number): void {
    this.identity.showIts();
    if (offset === CTLR) this.enabled = (low & CTLR_ENABLED) !== 0;
    else if (!this.enabled) this.noteQueue(offset, width, low, high);
    if (offset === CBASER && !this.enabled) this.next = 0;
    else if (offset === CWRITER && this.options.unnumbered) this.number((low & OFFSETS) / COMMAND_BYTES);
  }

  /** The commands of the open group end before slot `next` of the queue. */
  private number(next: number): void {
    const { batch, queue } = this.group;
    let index = next;
    let q = queue.count;
    for (let i = batch.count - 1; i >= 0; i--) {
      if (batch.kind[i] !== ITS_COMMAND || batch.rule[i] !== RULES['command-index'].id) continue;
      index = (index === 0 ? this.commands : index) - 1;
      batch.words[i * RECORD_WORDS + 1] = index;
      if (--q < 0) continue;
      const address = this.cbaser + COMMAND_BYTES * index;
      queue.words.set([address >>> 0, Math.floor(address / 2 ** 32)], q * RECORD_WORDS + 1);
    }
    this.next = next;
  }

  /** Handles a read of an ITS register, which may reveal the command queue. */
  noteRead(offset: number, width: number, low: number, high: number): void {
    this.identity.showIts();
    if (offset === CTLR) this.enabled = (low & CTLR_ENABLED) !== 0;
    else this.noteQueue(offset, width, low, high);
  }

  private noteQueue(offset: number, width: number, low: number, high: number): void {
    if (offset === CBASER) this.commands = ((low & 0xff) + 1) * COMMANDS_A_PAGE;
    if (offset === CBASER && width === 8)
      this.cbaser = (high & 0xf_ffff) * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
    else if (offset === CBASER)
      this.cbaser = Math.floor(this.cbaser / 2 ** 32) * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
    else if (offset === CBASER + 4) this.cbaser = (low & 0xf_ffff) * 2 ** 32 + (this.cbaser % 2 ** 32);
  }

  /** Handles a store to memory that is in the log. */
  noteStore(address: number): void {
    if (this.cbaser > 0 && address >= this.cbaser && address < this.cbaser + 0x10_0000)
      this.queueShown = true;
  }

  /** Handles the contents of a command queue slot. */
  noteSlot(address: number, words: readonly number[]): void {
    this.slots.set(address, words);
  }

  /** Handles a write to the translation page. */
  msi(t: Token): void {
    const offset = t.low[0]!;
    const value = t.low[1]!;
    const width = t.low[2]!;
    const deviceId = t.low[3]!;
    this.identity.showIts();
    const region = this.translation;
    this.translation = undefined;
    const at = region === undefined ? this.group.lineNumber : region.line;
    if (offset !== (TRANSLATER & 0xffff)) {
      const i = this.group.stimulus(MMIO_WRITE, -1);
      this.group.set(i, FRAME_GITS, 0, 0x1_0000 + offset, width, value, 0);
      return;
    }
    const i = this.group.stimulus(RECORDS['msi.write'].id, -1);
    this.group.batch.line[i] = at;
    this.group.set(i, 0, deviceId, value, width);
    if (region !== undefined) {
      if (region.width !== width) this.group.conflict('width', [region.width, 0], [width, 0], region.line);
      else if (region.low === value) this.group.batch.flags[i] = RECORD_FLAGS.confirmed;
      else this.group.conflict('value', [region.low, 0], [value, 0], region.line);
    }
  }

  /** Handles the line with which the ITS begins a command. */
  command(t: Token): void {
    this.begin(t.low[0]!, t.low[1]!, false);
  }

  /** Begins the command in slot `index` of the queue. `isCounted`: the source does not print the slot. */
  private begin(index: number, opcode: number, isCounted: boolean): void {
    this.identity.showIts();
    const name = commandName(opcode);
    if (name !== undefined && ITS_COMMANDS[name].version === 4) this.identity.showVirtualLpis();
    const i = this.group.observe(ITS_COMMAND, -1);
    // Its outcome is not printed.
    this.group.batch.flags[i] = RECORD_FLAGS.valueUnknown;
    if (isCounted) this.group.batch.rule[i] = RULES['command-index'].id;
    this.group.set(i, 0, index, 0, 0, opcode);
    this.slot = undefined;
    this.open = -1;
    this.isPrinted = false;
    this.next = (index + 1) % this.commands;
    if (this.queueShown || this.cbaser === 0) return;
    const address = this.cbaser + COMMAND_BYTES * index;
    const slot = this.slots.get(address);
    this.slots.delete(address);
    if (slot !== undefined && (slot[0]! & 0xff) === opcode) {
      this.slot = { address, words: slot };
      this.isPrinted = true;
      return;
    }
    if (slot !== undefined) this.losses.add(DISAGREE);
    // QEMU prints no operands for commands that it does nothing for, and then they do not matter.
    if (name === undefined || !PRINTED.has(name)) {
      this.rebuild(address, [opcode], 'command-from-decode');
      return;
    }
    this.open = address;
    this.openNow = this.group.now;
    this.openLine = this.group.lineNumber;
    const known = this.tables.begin(opcode);
    if (known === undefined) return;
    if (this.options.unprinted) this.fromTables(known);
    else this.rebuildOpen([opcode]);
  }

  /** The slot of the current command holds these words, according to the lines about it. */
  private rebuildOpen(words: ArrayLike<number>): void {
    const { group } = this;
    const { now, lineNumber } = group;
    group.now = this.openNow;
    group.lineNumber = this.openLine;
    this.rebuild(this.open, words, 'command-from-decode');
    group.now = now;
    group.lineNumber = lineNumber;
    this.open = -1;
  }

  /** Rebuilds a command whose operands are not printed from what the ITS did for it. */
  private fromTables({ name, operands }: { name: CommandName; operands: Record<string, number> }): void {
    const words = encodeCommand(name, operands);
    if (this.open >= 0) this.rebuild(this.open, words, 'command-from-tables');
    else this.rewrite(words);
    this.open = -1;
  }

  /** Replaces the words of the slot that was rebuilt last. */
  private rewrite(words: Uint32Array): void {
    const q = (this.group.queue.count - 1) * RECORD_WORDS;
    if (q >= 0) for (let k = 0; k < 8; k++) this.group.queue.words[q + 3 + k] = words[k]!;
  }

  /** Rebuilds a command slot from the log. */
  private rebuild(address: number, words: ArrayLike<number>, rule: keyof typeof RULES): void {
    const { queue } = this.group;
    if (queue.full) {
      this.losses.add('ITS commands beyond one write of GITS_CWRITER that this importer can hold');
      return;
    }
    const q = queue.push(QUEUE_WRITE, -1, this.group.now);
    queue.line[q] = this.group.lineNumber;
    queue.rule[q] = RULES[rule].id;
    const at = q * RECORD_WORDS;
    queue.words.set([address >>> 0, Math.floor(address / 2 ** 32)], at + 1);
    queue.words.set(words, at + 3);
  }

  /** Handles the operands of the current command. */
  operands(t: Token): void {
    this.identity.showIts();
    const i = this.group.batch.count - 1;
    let at = i;
    while (at >= 0 && this.group.batch.kind[at] === MEM_WRITE) at--;
    const name = eventNames[t.event]!.slice(
      'gicv3_its_cmd_'.length,
    ).toUpperCase() as keyof typeof ITS_COMMANDS;
    if (this.options.unnumbered) {
      this.begin(this.next, ITS_COMMANDS[name].opcode, true);
      at = this.group.batch.count - 1;
    } else if (at < 0 || this.group.batch.kind[at] !== ITS_COMMAND) {
      this.losses.add('command operands without their command');
      return;
    }
    const operands: Record<string, number> = {};
    let shown = 0;
    const specs: readonly OperandSpec[] = ITS_COMMANDS[name].operands;
    t.kind!.detail!.forEach((operand, k) => {
      const index = specs.findIndex((spec) => spec.name === operand);
      const spec = specs[index]!;
      // When it unmaps a collection, QEMU does not read RDbase, and prints 0.
      if (name === 'MAPC' && operand === 'RDbase' && t.low[2] === 0) return;
      shown += 2 ** index;
      operands[operand] = (t.high[k]! * 2 ** 32 + t.low[k]!) * 2 ** (spec.shift ?? 0);
    });
    if (name === 'MAPC' && operands.RDbase !== undefined) this.identity.showMapped(operands.RDbase, false);
    const words = encodeCommand(name, operands);
    const base = at * RECORD_WORDS;
    if ((words[0]! & 0xff) !== this.group.batch.words[base + 4])
      this.group.conflict(
        'value',
        [this.group.batch.words[base + 4]!, 0],
        [words[0]! & 0xff, 0],
        this.group.batch.line[at]!,
      );
    this.group.batch.words[base + 3] = shown;
    for (let k = 0; k < 8; k++) this.group.batch.words[base + 4 + k] = words[k]!;
    if (this.slot !== undefined) {
      this.checkSlot(this.slot, specs, shown, words);
      this.slot = undefined;
    } else if (this.open >= 0) this.rebuildOpen(words);
    else if (!this.queueShown) this.rewrite(words);
    this.isPrinted = true;
  }

  /** Checks the operands that the log prints against those read from memory. If they differ, the log is right. */
  private checkSlot(
    slot: { readonly address: number; readonly words: readonly number[] },
    specs: readonly OperandSpec[],
    shown: number,
    words: Uint32Array,
  ): void {
    const read = Uint32Array.from(slot.words);
    const agree = specs.every(
      (spec, index) =>
        Math.floor(shown / 2 ** index) % 2 === 0 || operandOf(read, 0, spec) === operandOf(words, 0, spec),
    );
    if (agree) return;
    this.losses.add(DISAGREE);
    this.rebuild(slot.address, words, 'command-from-decode');
  }

  /** Handles a line about a table entry that was read or written. */
  entry(t: Token): void {
    this.identity.showIts();
    const name = t.kind!.detail![0] as 'dte.read' | 'cte.read' | 'ite.read' | 'vte.read';
    const kind = RECORDS[name];
    const i = this.group.observe(kind.id, -1);
    const base = i * RECORD_WORDS;
    const at = fieldOffsets(kind);
    const w = this.group.batch.words;
    const { low, high } = t;
    const order =
      ENTRY_ORDER[
        t.kind!.detail![0] === 'dte.write' ? 'dte.write' : (name.slice(0, 3) as 'dte' | 'cte' | 'ite' | 'vte')
      ];
    order.forEach(([field, shift], k) => {
      const value = (high[k]! * 2 ** 32 + low[k]!) * 2 ** shift;
      w[base + at[field]!] = value >>> 0;
      if (kind.fields[field]!.type === 'pa') w[base + at[field]! + 1] = Math.floor(value / 2 ** 32);
    });
    const rdbase = at[kind.fields.findIndex((field) => field.name === 'RDbase')];
    const isValid = w[base + at[kind.fields.findIndex((field) => field.name === 'valid')]!] === 1;
    if (rdbase !== undefined && isValid) this.identity.showMapped(w[base + rdbase]!, true);
    if (this.isPrinted || this.cbaser === 0 || this.queueShown) return;
    const known = this.tables.entry(kind.id, (n) => w[base + n]!);
    if (known !== undefined) this.fromTables(known);
  }
}

/** For each table entry: the record's field, and how far the printed number is shifted, in the order printed. */
const ENTRY_ORDER: Readonly<
  Record<'dte' | 'dte.write' | 'cte' | 'ite' | 'vte', readonly (readonly [number, number])[]>
> = {
  dte: [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
  ],
  // A write prints ITT_addr without its low 8 bits; a read prints the whole address.
  'dte.write': [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 8],
  ],
  cte: [
    [1, 0],
    [2, 0],
    [3, 0],
  ],
  ite: [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
    [5, 0],
    [6, 0],
    [7, 0],
    [8, 0],
  ],
  // VPT_addr is printed without its low 16 bits.
  vte: [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 16],
    [5, 0],
  ],
};
