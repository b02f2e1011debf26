// Arbitrary stimuli that no sensible software makes: any register, offset or system register, corrupted tables, commands
// of random words.
import type { RecordBatch } from '../record/index.ts';
import { GICD, GICR, GITS, type RegisterSpec, SYSREGS, type SysregName } from '../spec/index.ts';
import { GUEST_MEMORY } from './guest-memory.ts';
import { type Pieces, truncated } from './pieces.ts';

/** Size of a device table entry, in its lowest byte. */
const DTE_SIZE = 0x3e;
const FRAME_BYTES = [0x1_0000, 0x4_0000, 0x3_0000] as const;

const registers: readonly (readonly RegisterSpec[])[] = [GICD, GICR, GITS].map((table) =>
  Object.values<RegisterSpec>(table),
);
const sysregNames = Object.keys(SYSREGS) as SysregName[];

/** An access to a register that exists, with a width that it allows. */
export function registerAccess(g: Pieces, batch: RecordBatch): void {
  const r = g.random;
  const frame = r.below(g.hasIts ? 3 : 2);
  const spec = r.pick(registers[frame]!);
  const element = r.below(Math.min(spec.count ?? 1, 12));
  const width = r.pick(spec.accessBytes);
  const offset = spec.offset + spec.bytes * element;
  const aligned = offset - (offset % width);
  const write = r.once(2);
  const pe = frame === 1 ? g.pe() : 0;
  g.mmio(batch, write, frame, pe, aligned, width, r.word(), width === 8 ? r.word() : 0);
}

/** Appends an arbitrary stimulus. Returns false if it only extended the script. */
export function anything(g: Pieces, batch: RecordBatch): boolean {
  const r = g.random;
  switch (r.below(6)) {
    case 0:
    case 1:
      registerAccess(g, batch);
      return true;
    case 2: {
      const frame = r.below(3);
      const write = r.once(2);
      const instance = r.below(4);
      const offset = r.below(FRAME_BYTES[frame]!);
      g.mmio(batch, write, frame, instance, offset, r.pick([1, 2, 4, 8]), r.word(), r.word());
      return true;
    }
    case 3:
      g.sysreg(batch, r.once(2), r.pick(sysregNames), r.word(), r.once(2) ? 0 : r.word());
      return true;
    case 4:
      corruption(g, batch);
      return true;
    default: {
      const words = Uint32Array.from({ length: 8 }, () => r.word());
      words[0] = ((words[0]! & ~0xff) | r.below(0x30)) >>> 0;
      g.queueNext(words);
      return false;
    }
  }
}

/** Overwrites a part of a table in memory. */
function corruption(g: Pieces, batch: RecordBatch): void {
  const r = g.random;
  const m = GUEST_MEMORY;
  // If tables must stay inside RAM, only the lowest byte of an entry that contains an address is corrupted.
  if (g.contained && r.once(2)) {
    const entry = r.pick([m.devices, m.vpes]) + 8 * r.below(12);
    const byte = r.below(256);
    // QEMU 7.2 counts the events of a device with 32 EventID bits in 32 bits: see docs/findings.md.
    const isTooLarge = entry < m.vpes && (byte & DTE_SIZE) === DTE_SIZE;
    g.store(batch, entry, 1, isTooLarge ? byte & ~2 : byte);
    return;
  }
  const width = r.pick([1, 2, 4]);
  // Software must not change the pending table of a Redistributor while LPIs are enabled either.
  const holders = g.contained ? [] : [m.devices, m.vpes, m.pendbase + 1024];
  const base = r.pick([...holders, m.collections, m.itt, m.vpt + 1024]);
  g.store(batch, base + r.below(96), width, truncated(r.word(), width));
}
