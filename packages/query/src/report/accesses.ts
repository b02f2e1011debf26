// The accesses to registers that a report shows: memory-mapped ones, and those to system registers.
import { registerLabel, sysregLabel } from '@gictrace/core/disasm';
import { KIND, RECORD_FLAGS, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { columns } from './columns.ts';
import { NONE } from './facts.ts';
import type { Strings } from './strings.ts';

const MMIO_READ = KIND['mmio.read'];
const MMIO_WRITE = KIND['mmio.write'];
const SYSREG_READ = KIND['sysreg.read'];
const SYSREG_WRITE = KIND['sysreg.write'];

/** Rows of accesses. `how`, `frame` and `register` are numbers of strings; `instance` is that of records of their kind. */
export class Accesses {
  readonly columns = columns('at', 'pe', 'how', 'frame', 'instance', 'register', 'low', 'high');
  private readonly strings: Strings;
  /** Names of registers: by frame, offset and width, or (negative) by encoding of a system register. */
  private readonly names = new Map<number, number>();

  constructor(strings: Strings) {
    this.strings = strings;
  }

  get count(): number {
    return this.columns.at.length;
  }

  static is(kind: number): boolean {
    return kind === MMIO_READ || kind === MMIO_WRITE || kind === SYSREG_READ || kind === SYSREG_WRITE;
  }

  add(record: number, { kind, pe, flags, words }: RecordBatch, i: number): void {
    const at = i * RECORD_WORDS;
    const isMmio = kind[i] === MMIO_READ || kind[i] === MMIO_WRITE;
    const isWrite = kind[i] === MMIO_WRITE || kind[i] === SYSREG_WRITE;
    const isUnknown = !isWrite && (flags[i]! & RECORD_FLAGS.valueUnknown) !== 0;
    const value = at + (isMmio ? 4 : 1);
    const { columns: out, strings } = this;
    out.at.push(record);
    out.pe.push(pe[i]! < 0 ? NONE : pe[i]!);
    out.how.push(strings.put(isWrite ? 'write' : isUnknown ? 'read, value unknown' : 'read'));
    out.frame.push(strings.put(isMmio ? (FRAMES[words[at]!] ?? `frame ${words[at]}`) : 'system registers'));
    out.instance.push(isMmio ? words[at + 1]! : NONE);
    out.register.push(
      isMmio
        ? this.mmioName(words[at]!, words[at + 2]!, words[at + 3]!)
        : this.name(-1 - words[at]!, () => sysregLabel(words[at]!)),
    );
    out.low.push(isUnknown ? 0 : words[value]!);
    out.high.push(isUnknown ? 0 : words[value + 1]!);
  }

  private mmioName(frame: number, offset: number, width: number): number {
    return this.name((offset * 16 + width) * 8 + frame, () => registerLabel(frame, offset, width));
  }

  private name(key: number, make: () => string): number {
    let name = this.names.get(key);
    if (name === undefined) {
      name = this.strings.put(make());
      this.names.set(key, name);
    }
    return name;
  }
}
