// Growing columns of integers, and their encoding in a page: in planes of bytes, either of the values or of differences,
// whichever is smaller. The page's own decoder is page/data.js.
import type { PackedColumn, PackedTable } from './facts.ts';

export class Column {
  private values = new Uint32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Uint32Array(this.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = value;
  }

  get(i: number): number {
    return this.values[i]!;
  }

  /** The values; valid until the next push. */
  all(): Uint32Array {
    return this.values.subarray(0, this.length);
  }
}

/** Columns by name, of the same length. */
export type Columns = Readonly<Record<string, Column>>;

export function columns<Name extends string>(...names: readonly Name[]): Record<Name, Column> {
  return Object.fromEntries(names.map((name) => [name, new Column()])) as Record<Name, Column>;
}

/** Collects the bytes of tables. */
export class Packer {
  private readonly parts: Uint8Array[] = [];
  private bytes = 0;

  table(named: Readonly<Record<string, Uint32Array>>): PackedTable {
    const entries = Object.entries(named);
    return {
      rows: entries[0]?.[1].length ?? 0,
      columns: entries.map(([name, values]) => this.column(name, values)),
    };
  }

  /** All bytes, in order. */
  all(): Buffer {
    return Buffer.concat(this.parts);
  }

  private column(name: string, values: Uint32Array): PackedColumn {
    const n = values.length;
    const differences = new Uint32Array(n);
    let before = 0;
    let bits = 0;
    let differenceBits = 0;
    let sum = 0;
    let differenceSum = 0;
    for (let i = 0; i < n; i++) {
      const value = values[i]!;
      const signed = (value - before) | 0;
      const zigzag = ((signed << 1) ^ (signed >> 31)) >>> 0;
      differences[i] = zigzag;
      bits |= value;
      differenceBits |= zigzag;
      sum += value;
      differenceSum += zigzag;
      before = value;
    }
    const delta = differenceSum < sum;
    const stored = delta ? differences : values;
    const planes = Math.ceil((32 - Math.clz32(delta ? differenceBits : bits)) / 8);
    const packed = new Uint8Array(planes * n);
    for (let plane = 0; plane < planes; plane++)
      for (let i = 0; i < n; i++) packed[plane * n + i] = stored[i]! >>> (8 * plane);
    const at = this.bytes;
    this.parts.push(packed);
    this.bytes += packed.length;
    return { name, at, planes, delta };
  }
}
