// Infers what an ITS must have had when a source contains its activity: a queue, a read pointer, tables, and LPIs
// enabled. If the source does not say where these are, they are put where no guest has memory.
import type { GicState } from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';
import { GICR, GITS } from '@gictrace/core/spec';
import { CTE_READ, FRAME_GITS, ITE_READ, ITS_COMMAND, MMIO_WRITE, MSI_WRITE } from '../record-kinds.ts';
import type { Knowing } from './knowing.ts';
import { PLACED, placeTables } from './placed-tables.ts';
import type { Unknowns } from './unknowns.ts';

/** The table that each kind of access belongs to: GITS_BASER<n>.Type, and the address it is given. */
const TABLE_OF = new Map<number, readonly [number, number]>([
  [RECORDS['dte.read'].id, [1, PLACED.devices]],
  [RECORDS['dte.write'].id, [1, PLACED.devices]],
  [RECORDS['cte.read'].id, [4, PLACED.collections]],
  [RECORDS['cte.write'].id, [4, PLACED.collections]],
  [RECORDS['vte.read'].id, [2, PLACED.vpes]],
  [RECORDS['vte.write'].id, [2, PLACED.vpes]],
]);
const ENABLED = 1;
const VALID = 0x8000_0000;
/** 256 pages of 64 KB. */
const LARGE = 0x2ff;
const PAGES_256 = 0xff;
const COMMANDS_A_PAGE = 128;
const COMMAND_BYTES = 32;
/** GITS_CWRITER.Offset, in place. */
const OFFSETS = 0xf_ffe0;

export class ItsState {
  private readonly state: GicState;
  private readonly unknowns: Unknowns;
  private readonly knowing: Knowing;

  constructor(state: GicState, unknowns: Unknowns, knowing: Knowing) {
    this.state = state;
    this.unknowns = unknowns;
    this.knowing = knowing;
  }

  /**
   * Called before stimulus `from` of a group runs, whose records end at `end`: infers what the ITS must have had for
   * them.
   */
  before(group: RecordBatch, from: number, end: number): void {
    const { state } = this;
    if (state.itsCount === 0) return;
    let first = -1;
    let last = -1;
    let wraps = -1;
    let works = false;
    for (let i = from + 1; i < end; i++) {
      const w = i * RECORD_WORDS;
      const kind = group.kind[i]!;
      const table = TABLE_OF.get(kind);
      if (table !== undefined) {
        works = true;
        this.table(0, table[0], table[1]);
      } else if (kind === ITE_READ) works = true;
      if (kind === CTE_READ && group.words[w + 2] !== 0) this.target(group.words[w + 3]!);
      if (kind !== ITS_COMMAND) continue;
      works = true;
      for (const [type, high] of TABLE_OF.values()) this.table(0, type, high);
      const index = group.words[w + 1]!;
      if (first < 0) first = index;
      else if (index < last) wraps = last;
      last = index;
    }
    // The write gives GITS_CWRITER the start of the queue, so the queue wraps behind the last command.
    if (wraps < 0 && last > 0 && isWriteOfZero(group, from)) wraps = last;
    if (first >= 0) this.queue(0, first, wraps);
    if ((first >= 0 || (works && group.kind[from] === MSI_WRITE)) && this.unknowns.isItsUnknown('ctlr', 0))
      this.enable(0);
  }

  /** Called after commands have run: infers the read pointer. */
  after(group: RecordBatch, from: number, end: number): void {
    for (let i = from + 1; i < end; i++) {
      if (group.kind[i] !== ITS_COMMAND) continue;
      this.unknowns.knowIts('creadr', 0);
      this.unknowns.knowIts('ctlr', 0);
      return;
    }
  }

  private enable(its: number): void {
    if ((this.state.gitsCtlr[its]! & ENABLED) === 0)
      this.knowing.register('GITS', its, GITS.GITS_CTLR.offset, ENABLED, 'its-from-command');
  }

  private queue(its: number, first: number, wraps: number): void {
    const { state, unknowns, knowing } = this;
    if (unknowns.isItsUnknown('cbaser', its)) {
      const low = state.cbaser[2 * its]!;
      const high = state.cbaser[2 * its + 1]!;
      // The queue wraps in the middle of the commands, or with the first of them.
      if (first === 0 && wraps < 0 && !unknowns.isItsUnknown('creadr', its) && state.creadr[its]! > 0)
        wraps = state.creadr[its]! / COMMAND_BYTES - 1;
      const pages = wraps >= 0 ? Math.ceil((wraps + 1) / COMMANDS_A_PAGE) - 1 : low & PAGES_256;
      if ((high & VALID) === 0)
        knowing.register(
          'GITS',
          its,
          GITS.GITS_CBASER.offset,
          wraps >= 0 ? pages : PAGES_256,
          'lpi-tables-placed',
          (VALID | PLACED.queue) >>> 0,
        );
      else if (pages !== (low & PAGES_256))
        knowing.register(
          'GITS',
          its,
          GITS.GITS_CBASER.offset,
          ((low & ~PAGES_256) | pages) >>> 0,
          'its-from-command',
          high,
        );
    }
    const at = first * COMMAND_BYTES;
    if (unknowns.isItsUnknown('creadr', its) && state.creadr[its] !== at)
      knowing.register('GITS', its, GITS.GITS_CREADR.offset, at, 'its-from-command');
  }

  /** Gives the table of a type an address. */
  private table(its: number, type: number, high: number): void {
    const { state, unknowns, knowing } = this;
    if (!unknowns.isItsUnknown('baser', its)) return;
    for (let n = 0; n < 8; n++) {
      const at = 16 * its + 2 * n;
      const old = state.baser[at + 1]!;
      if (((old >>> 24) & 7) !== type || old & VALID) continue;
      knowing.register(
        'GITS',
        its,
        GITS.GITS_BASER.offset + 8 * n,
        LARGE,
        'lpi-tables-placed',
        ((old & 0x071f_0000) | VALID | high) >>> 0,
      );
    }
  }

  /** A collection is mapped to a PE, and an event goes there, so LPIs are enabled on it. */
  private target(pe: number): void {
    const { state, unknowns, knowing } = this;
    if (pe >= state.peCount || !unknowns.isPartUnknown('gicrCtlr', pe) || state.gicrCtlr[pe]! & ENABLED)
      return;
    placeTables(state, unknowns, knowing, pe);
    knowing.register('GICR', pe, GICR.GICR_CTLR.offset, state.gicrCtlr[pe]! | ENABLED, 'its-from-command');
  }

  /** Whether the outcome of messages and commands depends on unknown state. */
  isOpen(): boolean {
    const { unknowns, state } = this;
    if (state.itsCount === 0) return false;
    for (const part of ['ctlr', 'cbaser', 'creadr', 'baser'] as const)
      if (unknowns.isItsUnknown(part, 0)) return true;
    for (let pe = 0; pe < state.peCount; pe++)
      if (unknowns.isPartUnknown('gicrCtlr', pe) || unknowns.isPartUnknown('propbaser', pe)) return true;
    return false;
  }
}

/** Whether a stimulus sets GITS_CWRITER to the first slot of the queue. */
function isWriteOfZero(group: RecordBatch, i: number): boolean {
  const w = i * RECORD_WORDS;
  const { words } = group;
  return (
    group.kind[i] === MMIO_WRITE &&
    words[w] === FRAME_GITS &&
    words[w + 2] === GITS.GITS_CWRITER.offset &&
    (words[w + 4]! & OFFSETS) === 0
  );
}
