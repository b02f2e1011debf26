// The state of a GICv5 as rows: registers with the values that a read would return, interrupts, and what each PE is signalled. It
// knows no SQL.
import { fieldsText } from '@gictrace/core/disasm';
import { type Gicv5Machine, gicv5Signalled, gicv5Step } from '@gictrace/core/gicv5';
import { KIND, NO_PE, RECORD_WORDS, RecordBatch } from '@gictrace/core/record';
import {
  anyIntidText,
  FRAMES,
  GICV5_PPIS,
  GICV5_SYSREGS,
  GICV5_TYPES,
  gicv5Intid,
  registerAt,
  type SysregSpec,
} from '@gictrace/core/spec';
import type { StateRow } from './rows.ts';

const IRS = FRAMES.indexOf('IRS');
const CONFIG_FRAME = 0x1_0000;
const READABLE = (Object.entries(GICV5_SYSREGS) as [string, SysregSpec][]).filter(
  ([name, { access, does }]) => name.startsWith('ICC_') && access !== 'WO' && does === undefined,
);
const bit = (words: Uint32Array, index: number) => ((words[index >> 5]! >>> (index & 31)) & 1) !== 0;

/** The rows of a machine, which must be discarded afterwards, because a read of a register may change it. */
export function* gicv5StateRows(machine: Gicv5Machine): Generator<StateRow> {
  const { state } = machine;
  for (let pe = 0; pe < state.peCount; pe++) {
    const intid = gicv5Signalled(machine, pe);
    const signal = state.signal[pe]!;
    const lines = ['IRQ', 'FIQ', 'NMI'].filter((_, k) => (signal >> k) & 1);
    yield ['pe', 'INTID', BigInt(pe), BigInt(intid), intid === 0 ? 'none' : anyIntidText(intid)];
    yield ['pe', 'signal', BigInt(pe), BigInt(signal), lines.join(' ') || 'none'];
  }
  yield* interruptRows(machine);
  yield* registerRows(machine);
}

function isReset({ spi: bits, spiPriority, spiTarget }: Gicv5Machine['state'], at: number): boolean {
  const { enable, pending, active, level, handling } = bits;
  const any = [enable, pending, active, level, handling].some((of) => bit(of, at));
  return !any && spiPriority[at] === 0 && spiTarget[at] === 0;
}

function* interruptRows({ state }: Gicv5Machine): Generator<StateRow> {
  const row = (intid: number, pe: number, words: readonly string[]): StateRow => [
    'interrupt',
    anyIntidText(intid),
    pe < 0 ? null : BigInt(pe),
    BigInt(intid),
    words.join(' '),
  ];
  const words = (of: typeof state.ppi, at: number) => [
    bit(of.enable, at) ? 'enabled' : 'disabled',
    ...(bit(of.pending, at) ? ['pending'] : []),
    ...(bit(of.active, at) ? ['active'] : []),
    ...(bit(of.level, at) ? ['asserted'] : []),
    bit(of.handling, at) ? 'HM Level' : 'HM Edge',
  ];
  for (let pe = 0; pe < state.peCount; pe++)
    for (let id = 0; id < GICV5_PPIS; id++) {
      const at = GICV5_PPIS * pe + id;
      yield row(gicv5Intid(GICV5_TYPES.PPI, id), pe, [
        ...words(state.ppi, at),
        `priority ${state.ppiPriority[at]!}`,
      ]);
    }
  // There may be millions of SPIs: those that are as after a reset have no row.
  for (let spi = 0; spi < state.spiCount; spi++)
    if (!isReset(state, spi))
      yield row(gicv5Intid(GICV5_TYPES.SPI, state.spiBase + spi), NO_PE, [
        ...words(state.spi, spi),
        `priority ${state.spiPriority[spi]!}`,
        `IAFFID ${state.spiTarget[spi]! & 0xffff}`,
      ]);
  for (const [id, iste] of [...state.lpis].sort(([a], [b]) => a - b))
    yield row(gicv5Intid(GICV5_TYPES.LPI, id), NO_PE, [
      iste & 8 ? 'enabled' : 'disabled',
      ...(iste & 1 ? ['pending'] : []),
      ...(iste & 2 ? ['active'] : []),
      iste & 4 ? 'HM Level' : 'HM Edge',
      `priority ${(iste >>> 11) & 0x1f}`,
      `IAFFID ${iste >>> 16}`,
    ]);
}

function* registerRows(machine: Gicv5Machine): Generator<StateRow> {
  const batch = new RecordBatch(1);
  const read = (
    name: string,
    fields: SysregSpec['fields'],
    kind: number,
    pe: number,
    words: readonly number[],
  ): StateRow[] => {
    batch.clear();
    batch.words.set(words, batch.push(kind, pe, Number.NaN) * RECORD_WORDS);
    gicv5Step(machine, batch, 0);
    if (machine.reserved || machine.unsupported) return [];
    const { low, high } = machine;
    const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    const instance = pe === NO_PE ? null : BigInt(pe);
    return [['register', name, instance, BigInt.asIntN(64, value), fieldsText(fields, low, high)]];
  };
  for (let offset = 0; offset < CONFIG_FRAME; offset += 4) {
    const place = registerAt(IRS, offset);
    if (place === undefined || place.spec.access === 'WO' || offset % (place.spec.bytes === 8 ? 8 : 4) !== 0)
      continue;
    const { label, spec } = place;
    yield* read(label, spec.fields, KIND['mmio.read'], NO_PE, [IRS, 1, offset, spec.bytes === 8 ? 8 : 4]);
  }
  for (const [name, { fields, encoding }] of READABLE)
    for (let pe = 0; pe < machine.state.peCount; pe++)
      yield* read(name, fields, KIND['sysreg.read'], pe, [encoding]);
}
