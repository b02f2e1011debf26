// What a source itself tells of acknowledges and EOIs: right where the simulator did something else. Knows no SQL.
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch, SYSREGS } from '@gictrace/core';

const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const ACKNOWLEDGE_NAMES = ['ICC_IAR0_EL1', 'ICC_IAR1_EL1'] as const;
const ACKNOWLEDGE: readonly number[] = ACKNOWLEDGE_NAMES.map((name) => SYSREGS[name].encoding);
const END: readonly number[] = [SYSREGS.ICC_EOIR0_EL1.encoding, SYSREGS.ICC_EOIR1_EL1.encoding];

/** The INTID that a read of ICC_IAR or a write of ICC_EOIR shows; -1: another stimulus, or not told. */
export function toldBy(batch: RecordBatch, i: number): number {
  const kind = batch.kind[i]!;
  if (kind !== SYSREG_READ && kind !== SYSREG_WRITE) return -1;
  if (batch.flags[i]! & RECORD_FLAGS.valueUnknown) return -1;
  const at = i * RECORD_WORDS;
  const registers = kind === SYSREG_READ ? ACKNOWLEDGE : END;
  return registers.includes(batch.words[at]!) ? batch.words[at + 1]! & 0xff_ffff : -1;
}

/** The register by which a PE acknowledges, where record `i` is a read of one; else undefined. */
export function acknowledgeRegister(batch: RecordBatch, i: number): string | undefined {
  if (batch.kind[i] !== SYSREG_READ) return undefined;
  const at = ACKNOWLEDGE.indexOf(batch.words[i * RECORD_WORDS]!);
  return at < 0 ? undefined : ACKNOWLEDGE_NAMES[at];
}

/** Neither a special INTID nor one of the reserved ones between SPIs and LPIs. */
export function isInterrupt(intid: number): boolean {
  return (intid >= 0 && intid < 1020) || intid >= 8192;
}
