// Any header that validates, and any records: a GIC that no machine has, and software that does what none does. Half of the
// records are drawn so that they get far: registers that exist, commands that are valid, the tables that were set up.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { GICV5_PROFILES } from '@gictrace/core/gicv5';
import { PROFILES } from '@gictrace/core/profile';
import {
  NO_PE,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordKind,
  wordLimits,
} from '@gictrace/core/record';
import {
  encodeCommand,
  FRAMES,
  GICD,
  GICR,
  GITS,
  ITS_COMMANDS,
  type RegisterTable,
  SYSREGS,
} from '@gictrace/core/spec';
import { type AnyTraceHeader, TraceWriter } from '@gictrace/recorder';
import type { Random } from './random.ts';
import { number } from './values.ts';

const KINDS = Object.values(RECORDS) as readonly RecordKind[];
const TABLES: readonly RegisterTable[] = [GICD, GICR, GITS];
const ENCODINGS = Object.values(SYSREGS).map(({ encoding }) => encoding);
const COMMANDS = Object.keys(ITS_COMMANDS) as (keyof typeof ITS_COMMANDS)[];
const PAGE = 0x1_0000;
const QUEUE = 0x4000_0000;
/** Where tables are: device table, collections, ITTs, LPI configuration, pending tables. */
const MEMORY = 0x4100_0000;
const PAGES = 8;

const hex = (random: Random) =>
  `0x${(BigInt(number(random)) * 0x1_0000_0000n + BigInt(number(random))).toString(16)}`;

/** A configuration that the schema takes. */
export function anyConfig(random: Random, profile = random.pick(Object.keys(PROFILES))): GicConfig {
  const pes = random.pick([1, 1, 2, 3, 4, 17, 64, 512]);
  const its = random.pick([0, 1, 1, 2, 16]);
  const place = () => (random.chance(0.5) ? random.below(2 ** 32) : random.below(2 ** 26) * 2 ** 26);
  const isSane = random.chance(0.6);
  return {
    profile,
    architecture: random.pick([3, 4]),
    pes: Array.from({ length: pes }, (_, pe) => ({ affinity: isSane ? pe : number(random) })),
    gicd: {
      typer: isSane ? random.pick([0x37a_0007, 0x7b_04ff, 0x7ff_ffff]) : number(random),
      iidr: number(random),
      pidr2: number(random),
    },
    gicr: { typer: random.pick([0, 1, 3, 9, 0x2b, 0xff, number(random)]), iidr: number(random), pidr2: 0x3b },
    its: Array.from({ length: its }, () => ({
      typer: isSane ? '0x1eff1f' : hex(random),
      iidr: number(random),
      pidr2: number(random),
      baser: Array.from({ length: 8 }, (_, n) =>
        isSane ? (['0x107000000000000', '0x407000000000000'][n] ?? '0x0') : hex(random),
      ),
    })),
    priorityBits: 4 + random.below(5),
    intidBits: random.pick([16, 24]),
    ...(random.chance(0.5) ? {} : { vtr: number(random) }),
    ...(random.chance(0.5) ? {} : { resetNonSecure: random.chance(0.5) }),
    addresses: {
      gicd: place(),
      gicr: Array.from({ length: pes }, place),
      its: Array.from({ length: its }, place),
    },
  };
}

/** A configuration of a GICv5 that the schema takes. */
export function anyGicv5Config(
  random: Random,
  profile = random.pick(Object.keys(GICV5_PROFILES)),
): Gicv5Config {
  const idr = () => Array.from({ length: 8 }, () => number(random));
  const sane = [0x4_0000, 0, 0x8_0010, 0, 0, 0x40, 0x40, 0];
  return {
    profile,
    architecture: 5,
    pes: Array.from({ length: random.pick([1, 2, 4, 64]) }, (_, pe) => ({ affinity: pe, iaffid: pe })),
    irs: Array.from({ length: random.pick([1, 1, 2, 16]) }, () => ({
      idr: random.chance(0.5) ? sane : idr(),
      iidr: number(random),
      aidr: number(random),
      frames: [0, 1, 2, 3]
        .slice(0, 1 + random.below(4))
        .map((domain) => ({ domain, address: random.below(2 ** 32) })),
    })),
    cpuif: { idr0: number(random), hmr: [hex(random), hex(random)] },
  };
}

/** Records of any kinds, with any values. */
export function anyKinds(random: Random, pes: number, count: number): RecordBatch {
  const batch = new RecordBatch(count);
  while (!batch.full) anyKind(batch, random, pes);
  return batch;
}

function anyKind(batch: RecordBatch, random: Random, pes: number): void {
  const kind = random.pick(KINDS);
  const i = batch.push(kind.id, random.below(pes + 1) - 1, Number.NaN);
  wordLimits(kind).forEach((most, k) => {
    const value = random.chance(0.5) ? random.below(4) : number(random);
    batch.words[i * RECORD_WORDS + k] = most === 0xffff_ffff ? value : value % (most + 1);
  });
}

/** Writes a trace of any header and any records. Returns what it is. */
export function writeAny(path: string, random: Random): string {
  const config = random.chance(0.8) ? anyConfig(random) : anyGicv5Config(random);
  const count = 50 + random.below(1000);
  const writer = new TraceWriter(
    path,
    {
      writer: { name: 'any', version: '0' },
      config,
      clock: { name: 'none', unitNs: 1 },
      source: { kind: 'any', name: 'any', provenance: {} },
      losses: [],
      seed: null,
      options: {},
    } as AnyTraceHeader,
    { force: true },
  );
  writer.append(
    config.architecture === 5
      ? anyKinds(random, config.pes.length, count)
      : anyRecords(random, config, count),
  );
  writer.close();
  return `any records of a GIC of profile ${config.profile}`;
}

/** Records of a GIC: at first some that set up an ITS, so that what follows has something to work on. */
export function anyRecords(random: Random, config: GicConfig, count: number): RecordBatch {
  const batch = new RecordBatch(count);
  const pes = config.pes.length;
  const push = (kind: keyof typeof RECORDS, pe: number, words: readonly number[]) => {
    if (batch.full) return;
    const i = batch.push(RECORDS[kind].id, pe, Number.NaN);
    words.forEach((word, k) => {
      batch.words[i * RECORD_WORDS + k] = word >>> 0;
    });
    if (random.chance(0.1)) batch.flags[i] = random.below(256);
  };
  const write = (frame: number, instance: number, offset: number, width: number, low: number, high = 0) =>
    push('mmio.write', 0, [frame, instance, offset, width, low, high]);
  const anyPe = () => random.below(pes);
  const anyIts = () => random.below(Math.max(1, config.its.length));
  const page = () => MEMORY + PAGE * random.below(PAGES);
  const [gicd, gicr, gits] = ['GICD', 'GICR', 'GITS'].map((name) => FRAMES.indexOf(name as never)) as [
    number,
    number,
    number,
  ];
  if (random.chance(0.8)) {
    push('mem.known', NO_PE, [MEMORY, 0, PAGE * PAGES, 0]);
    write(gicd, 0, 0, 4, random.pick([0x37, 0x13, 7]));
    for (let pe = 0; pe < Math.min(pes, 4); pe++) {
      write(gicr, pe, 0x70, 8, (MEMORY + 5 * PAGE) | random.pick([13, 14, 15, 23]));
      write(gicr, pe, 0x78, 8, MEMORY + 6 * PAGE, random.chance(0.5) ? 0x4000_0000 : 0);
      write(gicr, pe, 0, 4, 1);
    }
    for (let its = 0; its < Math.min(config.its.length, 2); its++) {
      write(gits, its, 0x80, 8, QUEUE + its * PAGE + 0x0f, 0x8000_0000);
      write(
        gits,
        its,
        0x100,
        8,
        MEMORY | random.pick([0, 3, 0xff]),
        random.chance(0.8) ? 0x8107_0000 : 0xc107_0000,
      );
      write(gits, its, 0x108, 8, MEMORY + PAGE, 0x8407_0000);
      write(gits, its, 0, 4, 1);
    }
  }
  let slot = 0;
  while (!batch.full) {
    const what = random.below(14);
    if (what < 4) {
      const frame = random.below(3);
      const spec = random.pick(Object.values(TABLES[frame]!));
      const offset = spec.offset + spec.bytes * random.below(Math.min(spec.count ?? 1, 300));
      const instance = frame === gicr ? anyPe() : frame === gits ? anyIts() : 0;
      const width = random.pick(random.chance(0.9) ? spec.accessBytes : [1, 2, 4, 8, 255]);
      push(random.chance(0.3) ? 'mmio.read' : 'mmio.write', anyPe(), [
        ...[frame, instance, offset, width],
        ...[random.chance(0.3) ? page() | random.below(16) : number(random), number(random)],
      ]);
    } else if (what < 6)
      push(random.chance(0.4) ? 'sysreg.read' : 'sysreg.write', anyPe(), [
        random.pick(ENCODINGS),
        number(random),
        random.chance(0.7) ? 0 : number(random),
      ]);
    else if (what < 9) {
      const name = random.pick(COMMANDS);
      const operands: Record<string, number> = {};
      for (const { name: operand } of ITS_COMMANDS[name].operands)
        operands[operand] = random.chance(0.7) ? random.below(4) : number(random);
      for (const key of ['ITT_addr', 'VPT_addr', 'VCONF_addr']) if (key in operands) operands[key] = page();
      for (const key of ['pINTID', 'vINTID'])
        if (key in operands && random.chance(0.8)) operands[key] = 8192 + random.below(8);
      let words: readonly number[];
      try {
        words = [...encodeCommand(name, operands)].map(Number);
      } catch {
        // An operand that its field cannot hold: any bits instead.
        words = Array.from({ length: 8 }, () => number(random));
      }
      const its = anyIts();
      push('queue.write', anyPe(), [its, QUEUE + its * PAGE + 32 * (slot++ % 2048), 0, ...words]);
      if (random.chance(0.5)) write(gits, its, 0x88, 8, 32 * (slot % 2048));
    } else if (what < 10) push('msi.write', NO_PE, [anyIts(), random.below(4), random.below(4), 4]);
    else if (what < 11)
      push('wire.set', random.chance(0.5) ? anyPe() : NO_PE, [16 + random.below(64), random.below(2)]);
    else if (what < 12)
      push('mem.write', anyPe(), [
        page() + random.below(PAGE),
        0,
        random.pick([1, 2, 4, 8]),
        number(random),
        number(random),
      ]);
    else anyKind(batch, random, pes);
  }
  return batch;
}
