// A trace for ui.perfetto.dev: what each PE handled, the commands of each ITS, the MSIs of each device, and how many
// interrupts were pending. It needs one pass, and keeps in memory only tracks and interrupts that have not ended.
import { KIND, type RecordBatch } from '@gictrace/core/record';
import { ITS_COMMANDS, intidClass } from '@gictrace/core/spec';
import type { OutputFile } from '@gictrace/recorder/output';
import { type CommandRow, commandOf } from '../timeline/commands.ts';
import { Follower } from '../timeline/follower.ts';
import type { Lifetime, LifetimeStep } from '../timeline/lifetimes.ts';
import type { MsiRow } from '../timeline/msis.ts';
import { ExportClock } from './clock.ts';

import { PerfettoWriter } from './perfetto-writer.ts';
import type { ExportSource, ExportSummary } from './source.ts';

/** The tracks of a PE. Slices on a track must nest but EOIs need not, so an interrupt that preempts is on another track. */
interface PeTracks {
  readonly process: number;
  readonly signalled: number;
  readonly handled: { readonly track: number; lifetime: Lifetime | undefined }[];
}

export function exportPerfetto(source: ExportSource, out: OutputFile): ExportSummary {
  const { header } = source;
  const writer = new PerfettoWriter(out);
  const clock = new ExportClock(source.timed);
  const wrote = { slices: 0, unfinished: 0, signalled: 0, commands: 0, msis: 0, pending: 0 };
  let now = 0;
  let record = 0;

  const pes = new Map<number, PeTracks>();
  const peOf = (pe: number): PeTracks => {
    let tracks = pes.get(pe);
    if (tracks === undefined) {
      const process = writer.process(pe < 0 ? 'PE unknown' : `PE ${pe}`);
      const handled = [{ track: writer.track(process, 'handled'), lifetime: undefined }];
      tracks = { process, signalled: writer.track(process, 'signalled'), handled };
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
  for (const its of header.config.its.keys()) itsOf(its);
  let devices: number | undefined;
  const deviceTracks = new Map<string, number>();
  const deviceOf = (its: number, device: number): number => {
    devices ??= writer.process('devices');
    const name = `DeviceID 0x${device.toString(16)}${header.config.its.length > 1 ? ` (ITS ${its})` : ''}`;
    let track = deviceTracks.get(name);
    if (track === undefined) {
      track = writer.track(devices, name);
      deviceTracks.set(name, track);
    }
    return track;
  };

  const running = new Map<Lifetime, { readonly track: number; lifetime: Lifetime | undefined }>();
  const lifetime = (step: LifetimeStep, one: Lifetime) => {
    const name = `INTID ${one.intid}`;
    if (step === 'signalled') {
      wrote.signalled++;
      writer.instant(peOf(one.pe).signalled, now, name, intidClass(one.intid), { record, cause: one.cause });
    } else if (step === 'acknowledged') {
      const tracks = peOf(one.pe);
      let place = tracks.handled.find((slot) => slot.lifetime === undefined);
      if (place === undefined) {
        const track = writer.track(tracks.process, `handled, beside ${tracks.handled.length}`);
        place = { track, lifetime: undefined };
        tracks.handled.push(place);
      }
      place.lifetime = one;
      running.set(one, place);
      wrote.slices++;
      const { record: pended = null } = one.pended ?? {};
      writer.begin(place.track, now, name, intidClass(one.intid), { record, cause: one.cause, pended });
    } else if (step === 'eoi' || step === 'ended') {
      const place = running.get(one);
      if (place === undefined) return;
      place.lifetime = undefined;
      running.delete(one);
      writer.end(place.track, now, step === 'eoi' ? { eoi: record } : { eoi: 'not seen' });
    }
  };
  let message = 0;
  const msi = ({ record, its, DeviceID, EventID, INTID, virtual, pe, outcome }: MsiRow) => {
    wrote.msis++;
    writer.instant(deviceOf(its, DeviceID), message, `EventID ${EventID}`, 'MSI', {
      record,
      its,
      [virtual === 1 ? 'vINTID' : 'INTID']: INTID ?? 'unknown',
      pe: pe === null || pe < 0 ? null : pe,
      outcome: outcome ?? 'unknown',
    });
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
  const follower = new Follower(header.config, { lifetime, msi, command });
  let pending = -1;
  let records = 0;
  for (const { batch, first } of source.batches())
    for (let i = 0; i < batch.count; i++) {
      record = first + i;
      records++;
      now = clock.at(record, batch.timeNs[i]!);
      follower.take(batch, first, i);
      if (batch.kind[i] === KIND['msi.write']) message = now;
      if (follower.pendingCount !== pending) {
        pending = follower.pendingCount;
        wrote.pending++;
        writer.count(counter, now, pending);
      }
    }
  follower.finish();
  wrote.unfinished = running.size;
  writer.finish();
  const { packets, tracks } = writer;
  return {
    records,
    time: clock.unit,
    untimed: clock.untimed,
    late: clock.late,
    wrote: { ...wrote, tracks, packets },
  };
}
