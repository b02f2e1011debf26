// Makes a divergence visible to software: a log shows what a PE is signalled and what an ITS does, and a program sees what
// its reads return. Finds a read behind the stimuli whose value differs.
import { KIND, RECORD_WORDS, RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICD, GICR, GITS, SYSREGS, type SysregName } from '@gictrace/core/spec';
import type { DivergenceTest, Shown } from './divergence-test.ts';
import { Single } from './stimuli.ts';
import { surroundingsOf } from './surroundings.ts';
import { recordAll, type Setting } from './test.ts';

/** Compares nothing but the values of reads. */
export const READS: Shown = { sourceShows: [], sourceTellsReserved: false };

/** Stimuli whose reads say which of two implementations it is. */
export interface Readable {
  readonly stimuli: Single;
  /** What the simulator does with them. */
  readonly recording: readonly RecordBatch[];
  /** Which stimulus of `recording` is the first read that differs, and what the other implementation returns. */
  readonly differs: { readonly stimulus: number; readonly value: bigint } | undefined;
}

/** `test` compares {@link READS}; undefined if there is nothing to compare with. */
export async function readableOf(
  setting: Setting,
  small: Single,
  test: DivergenceTest | undefined,
): Promise<Readable | null> {
  const recorded = (stimuli: Single) => {
    const reference = recordAll(setting, stimuli);
    return { stimuli, recording: reference.recording.batches };
  };
  if (test === undefined) return { ...recorded(small), differs: undefined };
  const around = surroundingsOf(setting.config, small);
  const candidates = function* () {
    for (const probe of [[], ...probesFor(setting, small)]) yield [...small.list, ...probe];
    if (around === undefined) return;
    const { before, behind } = around;
    // What became of a mapping is seen once a message comes.
    for (const message of messagesOf([...small.list, ...behind]))
      for (const pe of setting.config.pes.keys())
        yield [...before, ...small.list, ...behind, message, sysregRead(pe, SYSREGS.ICC_HPPIR1_EL1.encoding)];
  };
  for (const list of candidates()) {
    const stimuli = new Single(list);
    const divergence = await test.divergenceOf(stimuli);
    const value = /^returned (0x[0-9a-f]+)$/.exec(divergence?.replayed ?? '')?.[1];
    if (divergence === null || value === undefined) continue;
    return { ...recorded(stimuli), differs: { stimulus: divergence.record, value: BigInt(value) } };
  }
  return null;
}

/** Reads that may show a difference, in the order in which they are tried. The first ones change least. */
function probesFor({ config }: Setting, small: Single): RecordBatch[][] {
  const pes = config.pes.map((_, pe) => pe);
  const lists: RecordBatch[][] = [];
  const reads = (...names: SysregName[]) => {
    for (const pe of pes) lists.push(names.map((name) => sysregRead(pe, SYSREGS[name].encoding)));
  };
  reads('ICC_HPPIR1_EL1');
  reads('ICC_HPPIR0_EL1');
  for (const { offset } of [GICR.GICR_ISPENDR, GICR.GICR_ISACTIVER, GICR.GICR_ISENABLER, GICR.GICR_IGROUPR])
    for (const pe of pes) lists.push([mmioRead('GICR', pe, offset, 4)]);
  const words = Math.min(32, (config.gicd.typer & 31) + 1);
  for (const { offset } of [GICD.GICD_ISPENDR, GICD.GICD_ISACTIVER, GICD.GICD_ISENABLER])
    for (let n = 1; n < words; n++) lists.push([mmioRead('GICD', 0, offset + 4 * n, 4)]);
  config.its.forEach((_, its) => {
    lists.push([mmioRead('GITS', its, GITS.GITS_CREADR.offset, 8)]);
  });
  reads('ICC_IAR1_EL1');
  reads('ICC_IAR0_EL1');
  reads('ICC_IAR1_EL1', 'ICC_RPR_EL1');
  reads('ICC_IAR0_EL1', 'ICC_RPR_EL1');
  reads('ICC_RPR_EL1');
  if ((config.vtr ?? 1) !== 0) {
    reads('ICH_MISR_EL2');
    reads('ICH_EISR_EL2');
    reads('ICV_HPPIR1_EL1');
    reads('ICV_IAR1_EL1');
    reads('ICV_IAR1_EL1', 'ICV_RPR_EL1');
  }
  for (const message of messagesOf(small.list))
    for (const pe of pes) lists.push([message, sysregRead(pe, SYSREGS.ICC_HPPIR1_EL1.encoding)]);
  for (const message of messagesOf(small.list))
    for (const pe of pes) lists.push([message, sysregRead(pe, SYSREGS.ICV_HPPIR1_EL1.encoding)]);
  return lists;
}

function sysregRead(pe: number, encoding: number): RecordBatch {
  const one = new RecordBatch(1);
  one.push(KIND['sysreg.read'], pe, Number.NaN);
  one.words[0] = encoding;
  return one;
}

function mmioRead(
  frame: (typeof FRAMES)[number],
  instance: number,
  offset: number,
  width: number,
): RecordBatch {
  const one = new RecordBatch(1);
  one.push(KIND['mmio.read'], 0, Number.NaN);
  one.words.set([FRAMES.indexOf(frame), instance, offset, width]);
  return one;
}

/** A message for each event that a command among the stimuli names. */
function messagesOf(list: readonly RecordBatch[]): RecordBatch[] {
  const events = new Map<string, RecordBatch>();
  for (const { kind, words } of list) {
    if (kind[0] !== KIND['queue.write']) continue;
    const one = new RecordBatch(1);
    one.push(KIND['msi.write'], -1, Number.NaN);
    // DeviceID and EventID have the same place in every command that has both.
    one.words.set([words[0]!, words[4]!, words[5]!, 4]);
    if (words[4]! <= 0xffff && words[5]! <= 0xffff) events.set(one.words.slice(0, RECORD_WORDS).join(), one);
  }
  return [...events.values()];
}
