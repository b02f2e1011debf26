// What a repro about the tables of an ITS lacks before its effect can be seen: LPIs that are enabled, and mappings from a
// message to a PE. All of it is memory and registers that the repro itself does not use.
import type { GicConfig } from '@gictrace/core';
import { KIND, RecordBatch, type RecordName } from '@gictrace/core/record';
import { FRAMES, GICD, GICR, GITS, ITS_COMMANDS, LPI_FIRST, SYSREGS } from '@gictrace/core/spec';
import type { Single } from './stimuli.ts';

const CONFIGURATIONS = 0xd000_0000;
const PENDING_TABLES = 0xd010_0000;
const TABLES = 0xd100_0000;
const ITT = 0xd200_0000;
const VIRTUAL_PENDING_TABLES = 0xd300_0000;
const PAGE = 0x1_0000;
/** LPIs that are enabled, from the first, and their configuration: priority 0xa0, enabled. */
const LPIS = 256;
const ENABLED = 0xa1;
const VALID_HIGH = 0x8000_0000;
const [MAPC, MAPD, MAPI, MAPTI, MOVI, VMAPI, VMAPP, VMAPTI, VMOVP] = (
  ['MAPC', 'MAPD', 'MAPI', 'MAPTI', 'MOVI', 'VMAPI', 'VMAPP', 'VMAPTI', 'VMOVP'] as const
).map((name) => ITS_COMMANDS[name].opcode) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
const FRAME = (name: (typeof FRAMES)[number]) => FRAMES.indexOf(name);

/** Stimuli before and behind a repro; undefined if it has no command of an ITS. */
export interface Surrounding {
  readonly before: readonly RecordBatch[];
  readonly behind: readonly RecordBatch[];
}

export function surroundingsOf(config: GicConfig, small: Single): Surrounding | undefined {
  const commands = small.list.filter(({ kind }) => kind[0] === KIND['queue.write']);
  if (commands.length === 0) return undefined;
  const its = commands[0]!.words[0]!;
  return { before: enabled(config, its, small), behind: mapped(config, its, commands) };
}

function one(kind: RecordName, pe: number, ...words: number[]): RecordBatch {
  const batch = new RecordBatch(1);
  batch.push(KIND[kind], pe, Number.NaN);
  batch.words.set(words);
  return batch;
}

function enabled({ pes, its: itss }: GicConfig, its: number, small: Single): RecordBatch[] {
  const out: RecordBatch[] = [];
  const write = (
    pe: number,
    frame: (typeof FRAMES)[number],
    instance: number,
    offset: number,
    width: number,
    low: number,
    high = 0,
  ) => out.push(one('mmio.write', pe, FRAME(frame), instance, offset, width, low >>> 0, high >>> 0));
  const bytes = ENABLED * 0x0101_0101;
  for (let at = 0; at < LPIS; at += 8) out.push(one('mem.write', 0, CONFIGURATIONS + at, 0, 8, bytes, bytes));
  write(0, 'GICD', 0, GICD.GICD_CTLR.offset, 4, 2);
  pes.forEach((_, pe) => {
    write(pe, 'GICR', pe, GICR.GICR_PROPBASER.offset, 8, CONFIGURATIONS | 13);
    write(pe, 'GICR', pe, GICR.GICR_PENDBASER.offset, 8, PENDING_TABLES + pe * PAGE);
    write(pe, 'GICR', pe, GICR.GICR_CTLR.offset, 4, 1);
    out.push(one('sysreg.write', pe, SYSREGS.ICC_PMR_EL1.encoding, 0xf8));
    out.push(one('sysreg.write', pe, SYSREGS.ICC_IGRPEN1_EL1.encoding, 1));
  });
  const has = (offset: number) =>
    small.list.some(
      ({ kind, words }) =>
        kind[0] === KIND['mmio.write'] && words[0] === FRAME('GITS') && words[2] === offset,
    );
  itss[its]!.baser.forEach((fixed, n) => {
    const type = Number((BigInt(fixed) >> 56n) & 7n);
    const offset = GITS.GITS_BASER.offset + 8 * n;
    if (type !== 0 && !has(offset)) write(0, 'GITS', its, offset, 8, TABLES + n * PAGE, VALID_HIGH);
  });
  return out;
}

/** Maps what the commands name and do not map. */
function mapped({ pes }: GicConfig, its: number, commands: readonly RecordBatch[]): RecordBatch[] {
  const out: RecordBatch[] = [];
  const queue = (...doublewords: [number, number][]) =>
    out.push(
      one('queue.write', 0, its, 0, 0, ...doublewords.flatMap(([low, high]) => [low >>> 0, high >>> 0])),
    );
  const opcode = ({ words }: RecordBatch) => words[3]! & 0xff;
  const collections = new Set<number>();
  const vpes = new Set<number>();
  const hasCollection = new Set<number>();
  const hasVpe = new Set<number>();
  let forwarded = false;
  for (const command of commands) {
    const { words } = command;
    switch (opcode(command)) {
      case MAPC:
        hasCollection.add(words[7]! & 0xffff);
        break;
      case MAPTI:
      case MAPI:
      case MOVI:
        collections.add(words[7]! & 0xffff);
        break;
      case VMAPP:
        hasVpe.add(words[6]! & 0xffff);
        vpes.add(words[6]! & 0xffff);
        break;
      case VMAPTI:
      case VMAPI:
        forwarded = true;
        vpes.add(words[6]! & 0xffff);
        break;
      case VMOVP:
        vpes.add(words[6]! & 0xffff);
        break;
    }
  }
  for (const icid of collections)
    if (!hasCollection.has(icid))
      queue([MAPC, 0], [0, 0], [icid | ((icid % pes.length) << 16), VALID_HIGH], [0, 0]);
  for (const vpe of vpes)
    if (!hasVpe.has(vpe))
      queue(
        [VMAPP, 0],
        [0, vpe],
        [(vpe % pes.length) << 16, VALID_HIGH],
        [(VIRTUAL_PENDING_TABLES + (vpe % 256) * PAGE) | 13, 0],
      );
  // A message for a vPE whose place has changed, if no event is mapped to it.
  if (!forwarded && vpes.size > 0) {
    queue([MAPD, 0], [0, 0], [ITT, VALID_HIGH], [0, 0]);
    queue([VMAPTI, 0], [0, [...vpes][0]!], [LPI_FIRST, LPI_FIRST + 1], [0, 0]);
  }
  if (out.length > 0) out.push(one('mmio.write', 0, FRAME('GITS'), its, GITS.GITS_CWRITER.offset, 8, 0, 0));
  return out;
}
