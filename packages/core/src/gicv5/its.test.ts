// The ITS and the IWB as Linux's and FreeBSD's drivers use them, and what happens if software leaves a step out.
import { beforeEach, describe, expect, it } from 'vitest';
import { DROP_REASONS, FRAMES, NO_PE } from '../record/index.ts';
import { ITS } from '../spec/index.ts';
import { Driver, FRAME, gicv5WithIts, lpi } from './driver.test-support.ts';

const IRQ = 1;
const DEVICE_TABLE = 0x5000_0000;
const LEVEL2 = 0x5001_0000;
const ITT = 0x5002_0000;
const ITT_LEVEL2 = 0x5003_0000;
const DTE_VALID = 1n;
const ITTE_VALID = 1n << 31n;
const TWO_LEVEL_ITT = 1n << 58n;
const bitsOfEvent = (bits: number) => BigInt(bits) << 59n;
const span = (bits: number) => BigInt(bits) << 60n;
const INVALIDATE = 0x8000_0000;

let d: Driver;

/** A device table as Linux makes one: two levels of 4 KB, 16 bits of DeviceID. */
function enableIts(): void {
  d.do('mem.known', NO_PE, DEVICE_TABLE, 0, 0x10_0000, 0);
  d.its('ITS_CR1', 0xd7);
  d.its('ITS_DT_CFGR', 0x1_0010);
  d.its('ITS_DT_BASER', BigInt(DEVICE_TABLE));
  d.its('ITS_CR0', 1);
}

function mapDevice(device: number, bits: number, isInvalidated = true): void {
  d.store(DEVICE_TABLE + 8 * (device >> 9), BigInt(LEVEL2) | DTE_VALID | span(9));
  d.store(LEVEL2 + 8 * (device & 511), BigInt(ITT) | DTE_VALID | bitsOfEvent(bits));
  d.its('ITS_DIDR', device);
  if (isInvalidated) d.its('ITS_INV_DEVICER', (INVALIDATE | (bits << 1)) >>> 0);
}

function mapEvent(device: number, event: number, id: number, isInvalidated = true): void {
  d.store(ITT + 8 * event, BigInt(id) | ITTE_VALID);
  d.its('ITS_DIDR', device);
  d.its('ITS_EIDR', event);
  if (isInvalidated) d.its('ITS_INV_EVENTR', INVALIDATE);
}

/** What became of the last message: where it went, or why nowhere. */
function outcome(): string {
  const names = d.names();
  const dropped = names.indexOf('msi.dropped');
  if (dropped >= 0) return DROP_REASONS[d.words(dropped)[3]!]!;
  const translated = names.indexOf('msi.translated');
  if (translated >= 0) return `LPI ${d.words(translated)[3]! & 0xff_ffff}`;
  return names.includes('msi.undecided') ? 'undecided' : 'nothing';
}

function send(device: number, event: number): string {
  d.message(device, event);
  return outcome();
}

beforeEach(() => {
  d = new Driver(gicv5WithIts()).start().table();
  enableIts();
});

describe('an ITS', () => {
  it('translates a message into an LPI, which is pending', () => {
    mapDevice(0x205, 5);
    mapEvent(0x205, 3, 9);
    d.set(lpi(9), 16, 1);
    // A message is an edge, whatever software has said before.
    d.write(0, 'GIC_CDHM', lpi(9), 1);
    expect(send(0x205, 3)).toBe('LPI 9');
    expect([d.signal(0), d.signal(1)]).toEqual([0, IRQ]);
    expect(d.acknowledge(1)).toBe(lpi(9));
    // Pending is clear: its handling mode is Edge.
    expect(d.config(lpi(9)) & 0x34n).toBe(0x10n);
  });

  it('says why a message has no effect', () => {
    expect(send(0x1_0000, 0)).toBe('deviceid-out-of-range');
    expect(send(0x400, 0)).toBe('device-unmapped');
    mapDevice(0x205, 2);
    expect(send(0x205, 4)).toBe('eventid-out-of-range');
    expect(send(0x205, 1)).toBe('event-unmapped');
    mapEvent(0x205, 1, 1 << 15);
    expect(send(0x205, 1)).toBe('intid-out-of-range');
    d.store(DEVICE_TABLE + 8, BigInt(LEVEL2) | DTE_VALID | span(2));
    d.its('ITS_DIDR', 0x205);
    d.its('ITS_INV_DEVICER', INVALIDATE | 1);
    expect(send(0x205, 1)).toBe('deviceid-out-of-range');
    d.its('ITS_CR0', 0);
    expect(send(0x205, 1)).toBe('its-disabled');
    d.its('ITS_CR0', 1);
    d.do('mem.unknown', NO_PE, DEVICE_TABLE, 0, 64);
    expect(send(0x205, 1)).toBe('undecided');
  });

  it('keeps what it has read, valid or not, until it is invalidated', () => {
    mapDevice(0x10, 5);
    mapEvent(0x10, 0, 1);
    expect(send(0x10, 0)).toBe('LPI 1');
    // A change of the entry alone does nothing.
    mapEvent(0x10, 0, 2, false);
    expect(send(0x10, 0)).toBe('LPI 1');
    mapEvent(0x10, 0, 2);
    expect(send(0x10, 0)).toBe('LPI 2');
    // An entry that was not valid is kept, too.
    expect(send(0x10, 1)).toBe('event-unmapped');
    mapEvent(0x10, 1, 3, false);
    expect(send(0x10, 1)).toBe('event-unmapped');
    d.its('ITS_INV_EVENTR', INVALIDATE);
    expect(send(0x10, 1)).toBe('LPI 3');
    expect(send(0x11, 0)).toBe('device-unmapped');
    mapDevice(0x11, 5, false);
    expect(send(0x11, 0)).toBe('device-unmapped');
    mapDevice(0x11, 5);
    expect(send(0x11, 0)).toBe('LPI 2');
  });

  it('invalidates by the bits of EventIDs that software names, and by level-1 entries', () => {
    mapDevice(0x10, 5);
    for (const event of [0, 1, 8]) {
      mapEvent(0x10, event, event);
      send(0x10, event);
      d.store(ITT + 8 * event, BigInt(100 + event) | ITTE_VALID);
    }
    d.its('ITS_DIDR', 0x10);
    d.its('ITS_INV_DEVICER', INVALIDATE | (1 << 1));
    expect([0, 1, 8].map((event) => send(0x10, event))).toEqual(['LPI 100', 'LPI 101', 'LPI 8']);
    for (const event of [0, 1, 8]) d.store(ITT + 8 * event, BigInt(200 + event) | ITTE_VALID);
    d.its('ITS_EIDR', 500);
    d.its('ITS_INV_EVENTR', INVALIDATE | 1);
    expect([0, 1, 8].map((event) => send(0x10, event))).toEqual(['LPI 200', 'LPI 201', 'LPI 208']);
    // Devices 0x10 and 0x1ff have the same level-1 entry, 0x200 has another.
    for (const device of [0x1ff, 0x200]) {
      mapDevice(device, 5);
      send(device, 0);
    }
    d.store(ITT, 300n | ITTE_VALID);
    d.its('ITS_DIDR', 0x1f0);
    d.its('ITS_INV_DEVICER', INVALIDATE | 1);
    expect([0x10, 0x1ff, 0x200].map((device) => send(device, 0))).toEqual(['LPI 300', 'LPI 300', 'LPI 200']);
  });

  it('walks a two-level translation table, with less than a whole level-2 table', () => {
    d.store(DEVICE_TABLE, BigInt(LEVEL2) | DTE_VALID | span(9));
    d.store(LEVEL2 + 8 * 3, BigInt(ITT) | DTE_VALID | bitsOfEvent(10) | TWO_LEVEL_ITT);
    d.store(ITT + 8, BigInt(ITT_LEVEL2) | DTE_VALID | span(1));
    d.store(ITT_LEVEL2 + 8, 44n | ITTE_VALID);
    expect(send(3, 513)).toBe('LPI 44');
    expect(send(3, 514)).toBe('eventid-out-of-range');
    expect(send(3, 0)).toBe('event-unmapped');
  });

  it('tells software the translation of an event, and generates events for it', () => {
    mapDevice(0x10, 5);
    mapEvent(0x10, 4, 9);
    d.its('ITS_READ_EVENTR', INVALIDATE);
    expect(d.its('ITS_READ_EVENT_DATAR')).toBe(9n | ITTE_VALID);
    d.its('ITS_EIDR', 5);
    d.its('ITS_READ_EVENTR', INVALIDATE);
    expect(d.its('ITS_READ_EVENT_DATAR')).toBe(0n);
    d.set(lpi(9), 4);
    d.its('ITS_GEN_EVENT_DIDR', 0x10);
    d.its('ITS_GEN_EVENT_EIDR', 4);
    d.its('ITS_GEN_EVENTR', INVALIDATE | 1);
    expect([outcome(), d.signal(0)]).toEqual(['LPI 9', IRQ]);
    // Of another interrupt domain.
    d.its('ITS_GEN_EVENTR', INVALIDATE | 2);
    expect(outcome()).toBe('nothing');
  });

  it('reads back what software wrote, and ignores another device table while it is enabled', () => {
    expect(d.its('ITS_CR0')).toBe(3n);
    expect(d.its('ITS_IDR0')).toBe(0x15n);
    d.its('ITS_DT_BASER', 0x1234_5678n);
    d.its('ITS_DT_CFGR', 0);
    expect([d.its('ITS_DT_BASER'), d.its('ITS_DT_CFGR')]).toEqual([BigInt(DEVICE_TABLE), 0x1_0010n]);
    d.its('ITS_CR0', 0);
    d.its('ITS_DT_BASER', 0xff00_0000_1234_567fn);
    expect(d.its('ITS_DT_BASER')).toBe(0x1234_5678n);
    d.its('ITS_SYNCR', (1n << 63n) | 0x10n);
    expect([d.its('ITS_SYNC_STATUSR'), d.its('ITS_STATUSR')]).toEqual([1n, 1n]);
    d.do('mmio.read', NO_PE, FRAMES.indexOf('ITS'), FRAME, 0x148 + 4, 4);
    expect(d.machine.reserved).toBe(true);
  });

  it('gives no answer about an event whose translation the source does not contain', () => {
    mapDevice(0x10, 5);
    d.do('mem.unknown', NO_PE, ITT, 0, 8);
    d.its('ITS_EIDR', 0);
    d.its('ITS_READ_EVENTR', INVALIDATE);
    d.its('ITS_READ_EVENT_DATAR');
    expect([d.machine.unsupported, d.machine.undecided]).toEqual([true, true]);
    mapEvent(0x10, 0, 9);
    d.its('ITS_READ_EVENTR', INVALIDATE);
    expect([d.its('ITS_READ_EVENT_DATAR'), d.machine.unsupported]).toEqual([9n | ITTE_VALID, false]);
    expect(d.machine.undecided).toBe(false);
  });

  it.each([1, 2])('a write of %i bytes to a register of 64 bits is reserved', (width) => {
    d.its('ITS_CR0', 0);
    const at = ITS.ITS_DT_BASER.offset;
    d.do('mmio.write', NO_PE, FRAMES.indexOf('ITS'), FRAME, at, width, 0xff);
    expect([d.machine.reserved, d.its('ITS_DT_BASER')]).toEqual([true, BigInt(DEVICE_TABLE)]);
  });

  it('counts the entries that it keeps, also after a restore', () => {
    const kept = () =>
      d.machine.state.its.kept.reduce(
        (sum, { devices, events }) =>
          sum + devices.size + [...events.values()].reduce((n, of) => n + of.size, 0),
        0,
      );
    for (const device of [0x10, 0x11, 0x205]) {
      mapDevice(device, 5);
      mapEvent(device, 1, 7);
      for (const event of [0, 1, 1, 2]) send(device, event);
    }
    const { its } = d.machine.state;
    expect([its.size(), kept()]).toEqual([12, 12]);
    d.machine.state.restore(d.machine.state.save());
    expect([its.size(), kept()]).toEqual([12, 12]);
    d.its('ITS_DIDR', 0x10);
    d.its('ITS_INV_DEVICER', INVALIDATE | (5 << 1));
    expect([its.size(), kept()]).toEqual([8, 8]);
    d.do('gic.reset', NO_PE);
    expect([its.size(), kept()]).toEqual([0, 0]);
  });

  it('does not do what is not modelled: virtual LPIs', () => {
    mapDevice(0x10, 5);
    d.store(ITT, 9n | ITTE_VALID | (1n << 30n));
    expect([send(0x10, 0), d.machine.unsupported]).toEqual(['nothing', true]);
  });
});

it('a SETLPI frame makes an LPI pending without an ITS', () => {
  d.set(lpi(12), 3);
  d.do('mmio.write', NO_PE, FRAMES.indexOf('SETLPI'), FRAME, 0, 4, 12);
  expect([d.signal(0), d.acknowledge(0)]).toEqual([IRQ, lpi(12)]);
  const without = new Driver().start().table();
  without.do('mmio.write', NO_PE, FRAMES.indexOf('SETLPI'), FRAME, 0, 4, 12);
  expect(without.machine.unsupported).toBe(true);
});

describe('an IWB', () => {
  const wire = (n: number, level: number) => d.do('iwb.wire', NO_PE, 0, n, level);

  beforeEach(() => {
    mapDevice(7, 6);
    mapEvent(7, 33, 20);
    d.set(lpi(20), 5);
  });

  it('turns a level-sensitive wire into a level LPI', () => {
    d.iwb('IWB_WTMR', 1, 1 << 1);
    wire(33, 1);
    expect([outcome(), d.signal(0)]).toEqual(['nothing', 0]);
    // It is enabled while it is high.
    d.iwb('IWB_WENABLER', 1, 1 << 1);
    expect([outcome(), d.signal(0)]).toEqual(['LPI 20', IRQ]);
    expect(d.acknowledge(0)).toBe(lpi(20));
    // Pending, active, level.
    expect(d.config(lpi(20)) & 0x34n).toBe(0x34n);
    wire(33, 0);
    expect(d.config(lpi(20)) & 0x34n).toBe(0x30n);
    d.write(0, 'GIC_CDPEND', lpi(20), 1);
    d.iwb('IWB_WRESAMPLER', 0, 33);
    expect(d.config(lpi(20)) & 4n).toBe(0n);
  });

  it('turns an edge into one message', () => {
    d.iwb('IWB_WENABLER', 1, 1 << 1);
    wire(33, 1);
    expect([outcome(), d.acknowledge(0)]).toEqual(['LPI 20', lpi(20)]);
    wire(33, 0);
    expect(outcome()).toBe('nothing');
    d.iwb('IWB_WENABLER', 1, 0);
    wire(33, 1);
    expect(outcome()).toBe('nothing');
    expect(d.iwb('IWB_IDR0', 0)).toBe(1n);
    expect(d.iwb('IWB_CR0', 0)).toBe(3n);
    expect(d.iwb('IWB_WENABLE_STATUSR', 0)).toBe(1n);
    d.iwb('IWB_WENABLER', 2);
    expect(d.machine.reserved).toBe(true);
  });
});
