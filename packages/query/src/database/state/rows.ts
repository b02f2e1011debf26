// A GIC's state as rows: registers with the values that a read would return, interrupts, mapped events, and what each PE is
// signalled. It knows no SQL.
import { fieldsText } from '@gictrace/core/disasm';
import {
  CONFIG_UNKNOWN,
  eachEvent,
  hasInterrupt,
  keptConfig,
  type Machine,
  mappedDevices,
  NO_TABLE,
  privateIndex,
  residentTable,
  sharedIndex,
  step,
} from '@gictrace/core/model';
import { GROUPS, RECORD_FLAGS, RECORDS, RecordBatch, SECURITY_STATES } from '@gictrace/core/record';
import { FRAMES, INTID_RANGES, isPrivate, registerAt, SYSREGS, type SysregSpec } from '@gictrace/core/spec';

/** kind, name, instance, value (64 bits, signed), text. Integers are bigints, because numbers would become REAL in SQL. */
export type StateRow = [string, string, bigint | null, bigint | null, string];

interface Place {
  readonly offset: number;
  readonly width: number;
  readonly label: string;
  readonly spec: NonNullable<ReturnType<typeof registerAt>>['spec'];
}

/** All readable registers of each frame. */
const PLACES: readonly (readonly Place[])[] = FRAMES.map((frame) => {
  const places: Place[] = [];
  for (let offset = 0; offset < 0x4_0000; offset += 4) {
    const place = registerAt(frame, offset);
    if (place === undefined || place.spec.access === 'WO') continue;
    const { spec, label } = place;
    const width = spec.bytes === 8 ? 8 : 4;
    if ((offset - spec.offset) % width === 0) places.push({ offset, width, label, spec });
  }
  return places;
});
/** All system registers except those that cannot be read, or whose read changes state. */
const READABLE = (Object.entries(SYSREGS) as [string, SysregSpec][]).filter(
  ([, { access, does }]) => access !== 'WO' && does !== 'acknowledge',
);

/** The rows of a machine, which must be discarded afterwards, because reading a system register makes the PE Secure. */
export function* stateRows(machine: Machine): Generator<StateRow> {
  // What the PEs are signalled comes first, before anything is read.
  yield* peRows(machine);
  yield* interruptRows(machine);
  yield* mappingRows(machine);
  yield* registerRows(machine);
}

function* registerRows(machine: Machine): Generator<StateRow> {
  const { state } = machine;
  const batch = new RecordBatch(1);
  const w = batch.words;
  const read = (kind: number, pe: number, fill: () => void): bigint | undefined => {
    batch.clear();
    batch.push(kind, pe, Number.NaN);
    batch.flags[0] = RECORD_FLAGS.secure;
    fill();
    step(machine, batch, 0);
    if (machine.reserved || machine.unsupported) return undefined;
    return (BigInt(machine.high >>> 0) << 32n) | BigInt(machine.low >>> 0);
  };
  const instances: Readonly<Record<string, number>> = { GICD: 1, GICR: state.peCount, GITS: state.itsCount };
  for (const [frame, name] of FRAMES.entries())
    for (let instance = 0; instance < instances[name]!; instance++)
      for (const { offset, width, label, spec } of PLACES[frame]!) {
        const value = read(RECORDS['mmio.read'].id, -1, () => {
          w.set([frame, instance, offset, width], 0);
        });
        if (value === undefined) continue;
        const [low, high] = [Number(value & 0xffff_ffffn), Number(value >> 32n)];
        const text = spec.bytes === 1 ? '' : fieldsText(spec.fields, low, high);
        yield ['register', label, name === 'GICD' ? null : BigInt(instance), BigInt.asIntN(64, value), text];
      }
  for (let pe = 0; pe < state.peCount; pe++)
    for (const [name, { encoding, fields }] of READABLE) {
      const value = read(RECORDS['sysreg.read'].id, pe, () => {
        w[0] = encoding;
      });
      if (value === undefined) continue;
      const text = fieldsText(fields, Number(value & 0xffff_ffffn), Number(value >> 32n));
      yield ['register', name, BigInt(pe), BigInt.asIntN(64, value), text];
    }
}

function* interruptRows({ state }: Machine): Generator<StateRow> {
  const row = (intid: number, pe: number): StateRow => {
    const own = isPrivate(intid);
    const bits = own ? state.ppi : state.spi;
    const index = own ? privateIndex(state, pe, intid) : sharedIndex(state, intid);
    const has = (bitmap: Uint32Array) => ((bitmap[index >> 5]! >>> (index & 31)) & 1) !== 0;
    const priority = (own ? state.ppiPriority : state.spiPriority)[index]!;
    const level = has(bits.level);
    const edge = has(bits.edge);
    const pending = has(bits.pending) || (level && !edge);
    const words = [
      has(bits.enable) ? 'enabled' : 'disabled',
      ...(pending ? ['pending'] : []),
      ...(has(bits.active) ? ['active'] : []),
      ...(level ? ['asserted'] : []),
      edge ? 'edge' : 'level',
      has(bits.group) ? 'Group 1' : !state.singleSecurity && has(bits.grpmod) ? 'Secure Group 1' : 'Group 0',
      `priority 0x${priority.toString(16)}`,
    ];
    if (!own) {
      const route = state.routeHigh[index]! * 2 ** 32 + state.routeLow[index]!;
      words.push(`GICD_IROUTER 0x${route.toString(16)}`);
    }
    return ['interrupt', `INTID ${intid}`, own ? BigInt(pe) : null, BigInt(intid), words.join(' ')];
  };
  for (let pe = 0; pe < state.peCount; pe++)
    for (const { first, last } of [INTID_RANGES.SGI, INTID_RANGES.PPI, INTID_RANGES['extended PPI']])
      for (let intid: number = first; intid <= last; intid++)
        if (hasInterrupt(state, intid)) yield row(intid, pe);
  for (const { first, last } of [INTID_RANGES.SPI, INTID_RANGES['extended SPI']])
    for (let intid: number = first; intid <= last && hasInterrupt(state, intid); intid++)
      yield row(intid, -1);
  for (let pe = 0; pe < state.peCount; pe++) {
    const pending = state.lpiPending[pe]!;
    const configs = state.lpiConfig[pe]!;
    const known = [...new Set([...pending, ...configs.keys()])].sort((a, b) => a - b);
    for (const intid of known) {
      const config = keptConfig(state, pe, intid);
      const words = pending.has(intid) ? ['pending'] : [];
      if (config === undefined || config >= CONFIG_UNKNOWN) words.push('configuration unknown');
      else words.push(config & 1 ? 'enabled' : 'disabled', `priority 0x${(config & 0xfc).toString(16)}`);
      yield ['interrupt', `INTID ${intid}`, BigInt(pe), BigInt(intid), words.join(' ')];
    }
  }
}

function* mappingRows(machine: Machine): Generator<StateRow> {
  for (let its = 0; its < machine.state.itsCount; its++)
    for (const device of mappedDevices(machine, its)) {
      const rows: StateRow[] = [];
      eachEvent(machine, device, (eventId, ite) => {
        const target = ite.physical
          ? `INTID ${ite.intid} ICID ${ite.icid}`
          : `vINTID ${ite.intid} vPEID ${ite.vpeid}`;
        const name = `DeviceID 0x${device.deviceId.toString(16)} EventID ${eventId}`;
        rows.push(['mapping', name, BigInt(its), BigInt(ite.intid), target]);
      });
      yield* rows;
    }
}

function* peRows(machine: Machine): Generator<StateRow> {
  const { state } = machine;
  for (let pe = 0; pe < state.peCount; pe++) {
    const table = residentTable(machine, pe);
    const group = GROUPS[state.hppiGroup[pe]!]!;
    const rows: [string, number, string][] = [
      ['hppi INTID', state.hppiIntid[pe]!, group],
      ['hppi priority', state.hppiPriority[pe]!, ''],
      ['FIQ', state.fiq[pe]!, ''],
      ['IRQ', state.irq[pe]!, ''],
      ['Security state', state.security[pe]!, SECURITY_STATES[state.security[pe]!]!],
    ];
    for (const [name, value, text] of rows) yield ['pe', name, BigInt(pe), BigInt(value), text];
    if (table !== NO_TABLE)
      yield ['pe', 'resident VPT_addr', BigInt(pe), BigInt(table), `0x${table.toString(16)}`];
  }
}
