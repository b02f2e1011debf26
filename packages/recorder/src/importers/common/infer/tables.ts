// Infers what the tables of an ITS held from the entries that the source says were read.
import type { GicState } from '@gictrace/core/model';
import { RECORD_WORDS, type RecordBatch, type RuleName } from '@gictrace/core/record';
import { deposit, extract, QEMU_LAYOUT } from '@gictrace/core/spec';
import {
  CTE_READ,
  DTE_READ,
  ITE_READ,
  MEM_KNOWN,
  MEM_UNKNOWN,
  MEM_WRITE,
  VTE_READ,
} from '../record-kinds.ts';

/** Addresses for level-2 tables whose place is not in the source, one page each. No machine has memory there. */
const PLACED_AT = 2 ** 50;
const PLACED_STRIDE = 0x1_0000;

type Say = (kind: number, rule: RuleName, address: number, ...rest: number[]) => void;

export class TableInference {
  private readonly state: GicState;
  private readonly say: Say;
  private placed = 0;

  constructor(state: GicState, say: Say) {
    this.state = state;
    this.say = say;
  }

  /** Infers whether a level-2 table existed from whether the ITS read or wrote an entry through it. */
  level1(group: RecordBatch, at: number, end: number, index: number, address: number): void {
    for (let i = at + 1; i < end; i++) {
      const w = i * RECORD_WORDS;
      if (group.kind[i] !== DTE_READ && group.kind[i] !== CTE_READ && group.kind[i] !== VTE_READ) continue;
      if (group.words[w + 1] !== index || group.words[w + 2] !== 0) continue;
      this.say(MEM_KNOWN, 'table-entry-from-read', address, 8, 0);
      return;
    }
    const place = PLACED_AT + this.placed++ * PLACED_STRIDE;
    this.say(
      MEM_WRITE,
      'table-placed',
      address,
      8,
      place >>> 0,
      (Math.floor(place / 2 ** 32) | 0x8000_0000) >>> 0,
    );
  }

  /** The entry that an ITS read holds what the source's line says. `fields` are word offsets in the record. */
  entry(
    group: RecordBatch,
    at: number,
    end: number,
    kind: number,
    index: number,
    address: number,
    layout: {
      readonly bytes: number;
      readonly fields: readonly { lsb: number; width: number; shift?: number }[];
    },
    fields: readonly number[],
    length: number,
  ): void {
    for (let i = at + 1; i < end; i++) {
      const w = i * RECORD_WORDS;
      if (group.kind[i] !== kind || group.words[w + (kind === ITE_READ ? 3 : 1)] !== index) continue;
      const raw = new Uint32Array(4);
      layout.fields.forEach((field, k) => {
        const word = w + fields[k]!;
        const value = group.words[word]! + (field.shift ? group.words[word + 1]! * 2 ** 32 : 0);
        deposit(raw, 0, field.lsb >> 6, field.lsb & 63, field.width, value / 2 ** (field.shift ?? 0));
      });
      if (raw.every((word) => word === 0)) this.say(MEM_KNOWN, 'table-entry-from-read', address, length, 0);
      else
        for (let from = 0; from < length; from += 8) {
          const width = Math.min(8, length - from);
          this.say(
            MEM_WRITE,
            'table-entry-from-read',
            address + from,
            width,
            raw[from >> 2]!,
            width > 4 ? raw[(from >> 2) + 1]! : 0,
          );
        }
      return;
    }
  }

  /**
   * A device's table entry has become known. A command that is not in the source may have written it, and then the
   * entries of the device's events may have changed, too.
   */
  forgetEvents(address: number): void {
    const { memory } = this.state;
    if (!memory.areKnown(address, QEMU_LAYOUT.dte.bytes)) return;
    const raw = Uint32Array.of(memory.readWord(address), memory.readWord(address + 4));
    const [valid, size, itt] = QEMU_LAYOUT.dte.fields.map((field) => {
      const shift: number | undefined = 'shift' in field ? field.shift : undefined;
      return extract(raw, 0, 0, field.lsb, field.width) * 2 ** (shift ?? 0);
    });
    const bytes = 2 ** (size! + 1) * QEMU_LAYOUT.ite.bytes;
    if (valid && memory.anyKnown(itt!, bytes))
      this.say(MEM_UNKNOWN, 'tables-after-unknown-command', itt!, bytes);
  }
}
