// Small traces made by hand for the tests of this package: a GIC of two PEs and one ITS, and a builder of
// records. Not part of the published package; knows no SQL.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GicConfig } from '@gictrace/core';
import {
  fieldOffsets,
  fieldWords,
  NO_PE,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordKind,
  type RecordName,
} from '@gictrace/core/record';
import { type CommandName, encodeCommand, FRAMES, SYSREGS, type SysregName } from '@gictrace/core/spec';
import type { LoadSource } from '../index.ts';

const zero = '0x0';
export const CONFIG: GicConfig = {
  profile: 'qemu-virt',
  architecture: 3,
  pes: [{ affinity: 0 }, { affinity: 1 }],
  gicd: { typer: 0x37a_0007, iidr: 0x43b, pidr2: 0x3b },
  gicr: { typer: 0x100_0001, iidr: 0x43b, pidr2: 0x3b },
  its: [
    {
      typer: '0x1f0001efb1',
      iidr: 0x43b,
      pidr2: 0x3b,
      baser: ['0x107000000000000', '0x407000000000000', zero, zero, zero, zero, zero, zero],
    },
  ],
  priorityBits: 5,
  intidBits: 24,
  addresses: { gicd: 0x800_0000, gicr: [0x80a_0000, 0x80c_0000], its: [0x808_0000] },
};

export type Fields = Readonly<Record<string, number | bigint>>;

/** Builds a trace record by record; each method answers the record's number. */
export class Recording {
  readonly batch = new RecordBatch(1024);
  /** Nanoseconds added before each record. */
  private readonly stepNs: number;
  private nowNs = 0;

  constructor(stepNs = 1000) {
    this.stepNs = stepNs;
  }

  add(name: RecordName, pe: number, fields: Fields = {}, flags = 0): number {
    const kind: RecordKind = RECORDS[name];
    this.nowNs += this.stepNs;
    const i = this.batch.push(kind.id, pe, this.nowNs);
    this.batch.flags[i] = flags;
    const offsets = fieldOffsets(kind);
    kind.fields.forEach((field, k) => {
      const value = BigInt(fields[field.name] ?? 0);
      const at = i * RECORD_WORDS + offsets[k]!;
      this.batch.words[at] = Number(value & 0xffff_ffffn);
      if (fieldWords(field.type) === 2) this.batch.words[at + 1] = Number((value >> 32n) & 0xffff_ffffn);
    });
    return i;
  }

  mmio(
    direction: 'read' | 'write',
    pe: number,
    frame: (typeof FRAMES)[number],
    offset: number,
    value: number | bigint,
    width = 4,
  ): number {
    const instance = frame === 'GICR' ? pe : 0;
    return this.add(`mmio.${direction}`, pe, {
      frame: FRAMES.indexOf(frame),
      instance,
      offset,
      width,
      value,
    });
  }

  sysreg(direction: 'read' | 'write', pe: number, register: SysregName, value: number, flags = 0): number {
    return this.add(`sysreg.${direction}`, pe, { register: SYSREGS[register].encoding, value }, flags);
  }

  wire(pe: number, INTID: number, level: 0 | 1): number {
    return this.add('wire.set', pe, { INTID, level });
  }

  command(name: CommandName, operands: Readonly<Record<string, number>>, extra: Fields = {}): number {
    const w = encodeCommand(name, operands);
    const dw = (k: number) => (BigInt(w[2 * k + 1]!) << 32n) | BigInt(w[2 * k]!);
    const words = { dw0: dw(0), dw1: dw(1), dw2: dw(2), dw3: dw(3) };
    return this.add('its.command', NO_PE, { shown: 0xffff_ffff, ...words, ...extra });
  }

  /** Software sets a PE up to take level-sensitive PPI 27. */
  setUp(pe: number): this {
    this.mmio('write', pe, 'GICD', 0, 0x13);
    this.mmio('write', pe, 'GICR', 0x14, 0);
    this.mmio('write', pe, 'GICR', 0x1_0080, 0xffff_ffff);
    this.mmio('write', pe, 'GICR', 0x1_0100, 1 << 27);
    this.sysreg('write', pe, 'ICC_PMR_EL1', 0xf0);
    this.sysreg('write', pe, 'ICC_IGRPEN1_EL1', 1);
    return this;
  }

  source(name = 'synthetic'): LoadSource {
    return {
      name,
      header: { config: CONFIG, source: { kind: 'test', name: 'by hand' } },
      contentDigest: null,
      semanticDigest: null,
      batches: [{ batch: this.batch, first: 0 }],
    };
  }
}

/** A folder that is gone when `dispose` has been called. */
export function scratch(): { path(name: string): string; dispose(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'gictrace-query-'));
  return {
    path: (name) => join(folder, name),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
