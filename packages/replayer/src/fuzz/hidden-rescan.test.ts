// QEMU looks again for the highest-priority pending LPI or vLPI for a reason that is not part of the model's state. What it
// finds then is not compared.
import { Guest } from '@gictrace/core/conformance';
import { describe, expect, it } from 'vitest';
import { Recording, type RecordingTarget } from './differ.ts';
import { fuzzConfig } from './targets.ts';

const CONFIG = fuzzConfig(4, 3, 'qemu-7.2');
const DEVICE = 16;

/** Whether each stimulus of `act` is the last that can be compared. */
function ends(act: (guest: Guest) => void, target: RecordingTarget = {}): boolean {
  const guest = new Guest(CONFIG);
  const recording = new Recording(CONFIG, target);
  guest.tap = (batch) => recording.take(batch, 0);
  act(guest);
  return recording.outside;
}

describe('vLPIs', () => {
  const event = (guest: Guest, name: 'INT' | 'CLEAR', eventId: number) =>
    guest.command(name, { DeviceID: DEVICE, EventID: eventId });
  /**
   * vLPI 8196 has been the best one of a vPE that is resident on PE 1. While the vPE is mapped to another PE, 8193 and 8196
   * become pending in its table, which PE 1 does not notice.
   */
  const unnoticed = (guest: Guest) => {
    guest.itsOnly().virtual(1);
    for (const eventId of [1, 4]) guest.mapVirtual(DEVICE, eventId, 0, 8192 + eventId);
    guest.mapVpe(0, 1);
    guest.schedule(0, 1);
    event(guest, 'INT', 4);
    event(guest, 'CLEAR', 4);
    guest.command('VMOVP', { vPEID: 0, RDbase: 2, SequenceNumber: 0, ITSList: 0 });
    for (const eventId of [1, 4]) event(guest, 'INT', eventId);
    guest.mapVpe(0, 1);
  };
  const cleared = (guest: Guest, eventId: number) => {
    unnoticed(guest);
    event(guest, 'CLEAR', eventId);
  };

  it('that QEMU finds as it clears the one that was the best last end the comparison', () => {
    expect(ends((guest) => cleared(guest, 4))).toBe(true);
    expect(ends((guest) => cleared(guest, 4), { remembersBestLpi: false })).toBe(false);
  });

  it('that it does not look for, or that it has noticed, do not', () => {
    expect(ends(unnoticed)).toBe(false);
    expect(ends((guest) => cleared(guest, 1))).toBe(false);
    const noticed = (guest: Guest) => {
      unnoticed(guest);
      guest.deschedule(0, 1);
      guest.schedule(0, 1);
      for (const eventId of [1, 4]) event(guest, 'CLEAR', eventId);
    };
    expect(ends(noticed)).toBe(false);
  });
});

describe('LPIs', () => {
  /** LPI 8193 is pending and disabled. While no enabled one is pending, software enables it, without an INV. */
  const enabledSilently = (guest: Guest, cleared: number) => {
    guest.its();
    for (const eventId of [0, 1, 2]) guest.map(DEVICE, eventId, 8192 + eventId, 0);
    guest.configure(8192, 0xa1);
    const event = (name: 'INT' | 'CLEAR', eventId: number) =>
      guest.command(name, { DeviceID: DEVICE, EventID: eventId });
    event('INT', 0);
    event('INT', 1);
    event('CLEAR', 0);
    guest.store(0x4100_0000, 0xa0);
    event('INT', 0);
    event('INT', 2);
    guest.store(0x4100_0001, 0xa1);
    event('CLEAR', cleared);
  };

  it('that QEMU finds as it clears the one that was the best last end the comparison', () => {
    expect(ends((guest) => enabledSilently(guest, 0))).toBe(true);
    expect(ends((guest) => enabledSilently(guest, 2))).toBe(false);
  });
});
