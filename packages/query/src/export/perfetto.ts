// A trace for ui.perfetto.dev: what was pending for each PE and what it handled, the same for each vPE, the commands of each
// ITS, the MSIs of each device with arrows to their interrupts, and how many interrupts were pending. It needs one pass, and keeps in memory only tracks and interrupts that have not ended.
import { KIND, type RecordBatch } from '@gictrace/core/record';
import { anyIntidClass, anyIntidText, ITS_COMMANDS } from '@gictrace/core/spec';
import type { OutputFile } from '@gictrace/recorder/output';
import { type CommandRow, commandOf } from '../timeline/commands.ts';
import { Follower } from '../timeline/follower.ts';
import type { Lifetime, LifetimeStep } from '../timeline/lifetimes.ts';
import type { MsiRow } from '../timeline/msis.ts';
import type { VirtualLifetime, VirtualStep } from '../timeline/virtual-lifetimes.ts';
import { ExportClock } from './clock.ts';
import { InterruptNames } from './interrupt-names.ts';
import { OverlappingSlices } from './perfetto-slices.ts';
import { type Flow, PerfettoWriter } from './perfetto-writer.ts';
import type { ExportSource, ExportSummary } from './source.ts';

/** The tracks of a PE that every PE has. */
interface PeTracks {
  readonly process: number;
  readonly signalled: number;
}

export function exportPerfetto(source: ExportSource, out: OutputFile): ExportSummary {
  const { header, names = new InterruptNames() } = source;
  /** By LPI, the name of the last message that was translated to it. */
  const lpis = new Map<number, string | undefined>();
  const nameOf = (intid: number): string => {
    const called = lpis.get(intid) ?? names.of(intid);
    return called === undefined ? anyIntidText(intid) : `${anyIntidText(intid)} ${called}`;
  };
  const writer = new PerfettoWriter(out);
  const clock = new ExportClock(source.timed);
  const wrote = { signalled: 0, commands: 0, msis: 0, flows: 0, pending: 0 };
  const handled = new OverlappingSlices<Lifetime>(writer, 'handled');
  const pendings = new OverlappingSlices<Lifetime>(writer, 'pending');
  const virtualHandled = new OverlappingSlices<VirtualLifetime>(writer, 'handled');
  const virtualPendings = new OverlappingSlices<VirtualLifetime>(writer, 'pending');
  let now = 0;
  let record = 0;

  const pes = new Map<number, PeTracks>();
  const peOf = (pe: number): PeTracks => {
    let tracks = pes.get(pe);
    if (tracks === undefined) {
      const process = writer.process(pe < 0 ? 'PE unknown' : `PE ${pe}`);
      handled.declare(process);
      tracks = { process, signalled: writer.track(process, 'signalled') };
      pes.set(pe, tracks);
    }
    return tracks;
  };
  const counter = writer.counter('pending interrupts');
  for (const pe of header.config.pes.keys()) peOf(pe);
  const itss = new Map<number, number>();
  const itsOf = (its: number): number => {
    let track = itss.get(its);
    if (track === undefined) {
      track = writer.track(writer.process(`ITS ${its}`), 'commands');
      itss.set(its, track);
    }
    return track;
  };
  const itsCount = header.config.its?.length ?? 0;
  // The ITSs of a GICv5 have no commands.
  if (header.config.architecture !== 5) for (let its = 0; its < itsCount; its++) itsOf(its);
  let devices: number | undefined;
  const deviceTracks = new Map<string, number>();
  const deviceOf = (its: number, device: number): number => {
    devices ??= writer.process('devices');
    const name = `DeviceID 0x${device.toString(16)}${itsCount > 1 ? ` (ITS ${its})` : ''}`;
    let track = deviceTracks.get(name);
    if (track === undefined) {
      track = writer.track(devices, name);
      deviceTracks.set(name, track);
    }
    return track;
  };

  const vpes = new Map<string, number>();
  const vpeOf = ({ vpeid, table, pe }: VirtualLifetime): number => {
    const name =
      vpeid !== null
        ? `vPE ${vpeid}`
        : table !== null
          ? `vPE with its table at 0x${table.toString(16)}`
          : `list registers of PE ${pe ?? 'unknown'}`;
    let process = vpes.get(name);
    if (process === undefined) {
      process = writer.process(name);
      vpes.set(name, process);
    }
    return process;
  };

  /** Slices of what the current message made pending. A message is written first, so that its arrow begins there. */
  let waiting: (() => void)[] = [];
  const flush = () => {
    const all = waiting;
    waiting = [];
    for (const write of all) write();
  };
  let [message, nextMessage] = [0, 0];
  let messageRecord = -1;
  const flowOf = (from: number | undefined, isLast: boolean): { readonly flow?: Flow } =>
    from === undefined ? {} : { flow: { id: from + 1, isLast } };
  /** The message that made it pending. */
  const origin = ({ cause, asserted }: Lifetime) => (cause === 'msi' ? asserted?.record : undefined);
  const virtualOrigin = ({ cause, pended }: VirtualLifetime) =>
    cause === 'msi' ? pended?.record : undefined;
  const beginPending = (from: number | undefined, begin: (flow: Flow | undefined) => void) => {
    const { flow } = flowOf(from, false);
    if (flow !== undefined && from === messageRecord) waiting.push(() => begin(flow));
    else begin(undefined);
  };

  const lifetime = (step: LifetimeStep, one: Lifetime) => {
    const category = anyIntidClass(one.intid);
    const { cause } = one;
    if (step === 'pended') {
      const at = { time: now, record };
      beginPending(origin(one), (flow) =>
        pendings.begin(
          peOf(one.pe).process,
          one,
          at.time,
          // Now, since only the message names an LPI.
          nameOf(one.intid),
          category,
          { record: at.record, cause },
          flow,
        ),
      );
      return;
    }
    if (step === 'signalled') {
      wrote.signalled++;
      const at = { time: now, record };
      const write = () =>
        writer.instant(peOf(one.pe).signalled, at.time, nameOf(one.intid), category, {
          record: at.record,
          cause,
        });
      if (waiting.length > 0) waiting.push(write);
      else write();
      return;
    }
    flush();
    if (step === 'withdrawn') pendings.end(one, now, { withdrawn: record });
    else if (step === 'acknowledged') {
      pendings.end(one, now, { acknowledged: record });
      const { record: pended = null } = one.pended ?? {};
      const { flow } = flowOf(one.pended === undefined ? undefined : origin(one), true);
      handled.begin(
        peOf(one.pe).process,
        one,
        now,
        nameOf(one.intid),
        category,
        { record, cause, pended },
        flow,
      );
    } else if (step === 'eoi') handled.end(one, now, { eoi: record });
    else handled.end(one, now, { eoi: 'not seen' });
  };
  const virtualLifetime = (step: VirtualStep, one: VirtualLifetime) => {
    const name = `vINTID ${one.intid}`;
    const { cause, pe, list } = one;
    if (step === 'pended') {
      const at = { time: now, record };
      const resident = one.resident === true ? 'yes' : 'no';
      beginPending(virtualOrigin(one), (flow) =>
        virtualPendings.begin(
          vpeOf(one),
          one,
          at.time,
          name,
          'virtual',
          { record: at.record, cause, resident },
          flow,
        ),
      );
      return;
    }
    flush();
    if (step === 'withdrawn') virtualPendings.end(one, now, { withdrawn: record });
    else if (step === 'acknowledged') {
      virtualPendings.end(one, now, { acknowledged: record });
      const { flow } = flowOf(virtualOrigin(one), true);
      const more = { record, cause, pe, LR: list, pended: one.pended?.record ?? null };
      virtualHandled.begin(vpeOf(one), one, now, name, 'virtual', more, flow);
    } else if (step === 'eoi') virtualHandled.end(one, now, { eoi: record });
    else virtualHandled.end(one, now, { eoi: 'not seen' });
  };
  const msi = ({ record, its, DeviceID, EventID, INTID, virtual, pe, outcome }: MsiRow) => {
    wrote.msis++;
    const called = names.ofMessage(DeviceID, EventID);
    if (INTID !== null && virtual !== 1) lpis.set(INTID, called);
    const { flow } = flowOf(waiting.length === 0 ? undefined : record, false);
    if (flow !== undefined) wrote.flows++;
    const more = {
      record,
      its,
      [virtual === 1 ? 'vINTID' : 'INTID']: INTID ?? 'unknown',
      pe: pe === null || pe < 0 ? null : pe,
      outcome: outcome ?? 'unknown',
    };
    const name = called === undefined ? `EventID ${EventID}` : `EventID ${EventID} ${called}`;
    writer.instant(deviceOf(its, DeviceID), message, name, 'MSI', more, flow);
    flush();
  };
  const command = (row: CommandRow, batch?: RecordBatch, i = 0) => {
    wrote.commands++;
    const name = Object.hasOwn(ITS_COMMANDS, row.op) ? row.op : 'unknown command';
    writer.instant(itsOf(row.its), now, name, 'ITS command', {
      record: row.record,
      slot: row.slot,
      command: commandOf(row, batch, i),
      outcome: row.outcome ?? 'unknown',
    });
  };
  const follower = new Follower(header.config, { lifetime, virtualLifetime, msi, command });
  let pending = -1;
  let records = 0;
  for (const { batch, first } of source.batches())
    for (let i = 0; i < batch.count; i++) {
      record = first + i;
      records++;
      now = clock.at(record, batch.timeNs[i]!);
      if (batch.kind[i] === KIND['msi.write']) [nextMessage, messageRecord] = [now, record];
      follower.take(batch, first, i);
      // The message before has been reported now.
      message = nextMessage;
      if (follower.pendingCount !== pending) {
        pending = follower.pendingCount;
        wrote.pending++;
        writer.count(counter, now, pending);
      }
    }
  follower.finish();
  flush();
  writer.finish();
  const { packets, tracks } = writer;
  const slices = {
    slices: handled.count,
    unfinished: handled.unfinished,
    pendingSlices: pendings.count,
    virtualSlices: virtualHandled.count,
    virtualPendingSlices: virtualPendings.count,
  };
  return {
    records,
    time: clock.unit,
    untimed: clock.untimed,
    late: clock.late,
    wrote: { ...slices, ...wrote, tracks, packets },
  };
}
