// What PEs do: they acknowledge the interrupts that they are signalled, handle and end them, for the host and for the guest
// of a vPE.
import type { Driver } from '../driver.ts';
import type { Vector } from '../operation.ts';
import type { Messages } from './messages.ts';
import { STORM } from './outcome.ts';
import type { Stage } from './stage.ts';

/** Every PE that is online takes the interrupts that it is signalled. A busy one has masked all, so it should be signalled none. */
export function serve(stage: Stage, messages: Messages): void {
  const { driver, testbed, guests } = stage;
  if (driver == null) return;
  for (const pe of stage.online) {
    const isBusy = stage.isBusy(pe);
    setMasking(stage, pe, isBusy);
    // One that unmasks interrupts takes what it is then signalled.
    if (stage.masking.has(pe) && !testbed.isSignalled(pe) && guests.on(pe) === undefined) continue;
    let again = 0;
    for (let intid = testbed.acknowledge(pe); intid !== undefined; intid = testbed.acknowledge(pe)) {
      again = handled(stage, messages, driver, pe, intid) ? 0 : again + 1;
      if (again === STORM) break;
    }
    const vpe = isBusy ? undefined : guests.on(pe);
    if (vpe === undefined) continue;
    again = 0;
    for (
      let intid = testbed.acknowledgeVirtual(pe);
      intid !== undefined;
      intid = testbed.acknowledgeVirtual(pe)
    ) {
      again = handledByGuest(stage, messages, driver, vpe, pe, intid) ? 0 : again + 1;
      if (again === STORM) break;
    }
  }
}

function setMasking({ masking, testbed }: Stage, pe: number, isBusy: boolean): void {
  if ((masking.get(pe) ?? false) === isBusy) return;
  testbed.maskAll(pe, isBusy);
  masking.set(pe, isBusy);
}

/** A PE took an interrupt. Returns whether there was anything to handle. */
function handled(stage: Stage, messages: Messages, driver: Driver, pe: number, intid: number): boolean {
  if (stage.isBusy(pe)) stage.fault('unmasked', pe, intid, driver.whose(intid));
  const vpe = driver.doorbellOf?.(intid);
  if (vpe !== undefined) return rung(stage, vpe, pe, intid);
  const vector = driver.whose(intid);
  const own = vector && messages.of(vector);
  // A handler looks at everything that its device has done, whatever made it run.
  if (vector !== undefined) stage.settled(vector);
  if (own === undefined || own.messages.length === 0) {
    needless(stage, pe, intid, vector, own?.twice === true);
    if (own !== undefined) own.twice = false;
    return false;
  }
  if (own.pe !== pe) stage.fault('misrouted', pe, intid, vector);
  if (own.masked) stage.fault('unmasked', pe, intid, vector);
  own.twice = messages.isPending(vector!);
  messages.settle(vector!, own, 'delivered');
  return true;
}

/** Called when a handler ran without a message. */
function needless(stage: Stage, pe: number, intid: number, vector: Vector | undefined, twice: boolean): void {
  if (stage.forger < 0 || vector === undefined)
    stage.fault(twice ? 'duplicated' : 'spurious', pe, intid, vector);
  // A device may raise its own interrupts, with any message.
  else if (vector.device !== stage.forger) stage.fault('unauthorised', pe, intid, vector);
}

/** Called when a PE took the doorbell of a vPE. */
function rung(stage: Stage, vpe: number, pe: number, intid: number): boolean {
  stage.deliveries.doorbells++;
  const guest = stage.guests.of(vpe);
  if (guest.pe >= 0) {
    stage.fault('spurious', pe, intid, undefined);
    return false;
  }
  guest.isWoken = true;
  return true;
}

function handledByGuest(
  stage: Stage,
  messages: Messages,
  driver: Driver,
  vpe: number,
  pe: number,
  intid: number,
): boolean {
  const vector = driver.vlpiOf?.(vpe, intid);
  const own = vector && messages.of(vector);
  if (own !== undefined && own.messages.length > 0) {
    messages.settle(vector!, own, 'delivered');
    return true;
  }
  needless(stage, pe, intid, vector, false);
  return false;
}
