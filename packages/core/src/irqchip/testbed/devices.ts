// What devices do: they send their messages, or spoof those of other devices, and mask vectors if they can.
import type { Message } from '../bus.ts';
import { type Driver, keyOf, type Result } from '../driver.ts';
import type { Operation, Vector } from '../operation.ts';
import { expectation, type Messages } from './messages.ts';
import { type Stage, textOf } from './stage.ts';

interface Attachment {
  /** The block to which it is connected. */
  readonly block: number;
  /** Whether it masks vectors itself, once it has been started. */
  readonly masksItself: boolean;
  /** Whether it is a PCI device that has a mask for each vector. */
  readonly hasPciMask: boolean;
}

export class Devices {
  private readonly stage: Stage;
  private readonly messages: Messages;
  private readonly attached = new Map<number, Attachment>();
  /** Vectors that their device has masked, and vectors that have been unmasked once. */
  private readonly masked = new Set<number>();
  private readonly started = new Set<number>();
  /** Vectors whose message a host made and no longer knows. */
  private readonly forgotten = new Set<number>();
  private readonly active = new Set<number>();
  /** The last messages of vectors that have none any more. A device may still send them. */
  private readonly kept = new Map<number, Message>();
  private readonly inFlightMax: number;

  /** A device has at most `inFlightMax` messages per vector for which no handler has run. */
  constructor(stage: Stage, messages: Messages, inFlightMax: number) {
    this.inFlightMax = inFlightMax;
    this.stage = stage;
    this.messages = messages;
  }

  attach({ device, block, msi }: Operation & { readonly op: 'alloc' }): void {
    this.attached.set(device, {
      block: block ?? 0,
      masksItself: msi === 'device-masked',
      hasPciMask: msi === undefined || msi === 'msi-x',
    });
  }

  /** All devices are reset: no vector of theirs is set up. */
  reset(): void {
    this.attached.clear();
    for (const set of [this.masked, this.started, this.forgotten, this.active, this.kept]) set.clear();
  }

  /** Sets up a vector. If devices mask vectors, it is masked at first. */
  activate({ device, vector }: Vector): void {
    this.active.add(keyOf(device, vector));
    this.forgotten.delete(keyOf(device, vector));
    if (this.isMaskedByDevice(device)) this.masked.add(keyOf(device, vector));
  }

  /** A vector is forwarded to a vPE. Its hypervisor has unmasked it before. */
  forward({ device, vector }: Vector): void {
    this.masked.delete(keyOf(device, vector));
  }

  /** A vector is about to lose its message. */
  keep({ device, vector }: Vector, message: Message | undefined): void {
    if (message !== undefined) this.kept.set(keyOf(device, vector), message);
  }

  deactivate({ device, vector }: Vector): void {
    this.active.delete(keyOf(device, vector));
    this.stage.settled({ device, vector });
    this.masked.delete(keyOf(device, vector));
    this.started.delete(keyOf(device, vector));
  }

  /** Whether vectors of a device are masked in the device. */
  private isMaskedByDevice(device: number): boolean {
    const { masks } = this.stage.design;
    const { masksItself, hasPciMask } = this.attached.get(device) ?? {
      masksItself: false,
      hasPciMask: false,
    };
    return masksItself || masks === 'device' || (masks === 'both' && hasPciMask);
  }

  /** Masks or unmasks a vector: in the driver, in its device, or in both. */
  mask(driver: Driver, o: Operation & Vector): Result {
    const key = keyOf(o.device, o.vector);
    const { design, testbed } = this.stage;
    const itself = this.attached.get(o.device)?.masksItself === true;
    // A guest that masks a vLPI does so in its own tables.
    const isForwarded = (this.messages.of(o)?.vpe ?? -1) >= 0;
    if (isForwarded || !this.isMaskedByDevice(o.device)) return driver.run(o);
    if (o.op === 'mask') {
      testbed.deviceWritten();
      this.masked.add(key);
    }
    // If a device masks vectors itself, a vector is unmasked in the controller only once, when it is started.
    const inController = design.masks !== 'device' && (!itself || !this.started.has(key));
    const result = inController ? driver.run(o) : 'done';
    if (o.op === 'unmask') {
      this.started.add(key);
      testbed.deviceWritten();
      this.masked.delete(key);
      const own = this.messages.of(o);
      if (own?.heldBack) {
        own.heldBack = false;
        this.write(o, driver.message(o));
      }
    }
    return result;
  }

  /** The host no longer knows the messages that it made for devices. */
  forgetMessages(): void {
    for (const key of this.active) this.forgotten.add(key);
  }

  fire(o: Vector, made: Message | undefined): void {
    const { stage } = this;
    const key = keyOf(o.device, o.vector);
    const inFlight = stage.inFlight.get(key) ?? 0;
    if (inFlight >= this.inFlightMax) {
      stage.deliveries.withheld++;
      stage.failed('withheld', stage.n, textOf(o));
      return;
    }
    stage.inFlight.set(key, inFlight + 1);
    const message = this.forgotten.has(key) ? undefined : made;
    const own = this.messages.of(o);
    if (message === undefined || own === undefined) {
      const unsent = expectation({ masked: true });
      this.messages.outstanding(unsent);
      this.messages.settle(o, unsent, 'unsent');
      return;
    }
    this.messages.settleLost(o, own);
    this.messages.outstanding(own);
    if (this.masked.has(key)) own.heldBack = true;
    else this.write(o, message);
  }

  /** Fires a vector of a device whose vectors have consecutive data. */
  fireMulti(o: Vector, among: number): void {
    const first = this.stage.driver?.message({ device: o.device, vector: 0 });
    this.fire(o, first && { address: first.address, data: first.data - (first.data % among) + o.vector });
  }

  /** A device spoofs the message that a vector has, or had last. */
  forge(o: Operation & { readonly op: 'forge' }): void {
    const message = this.stage.driver?.message(o) ?? this.kept.get(keyOf(o.device, o.vector));
    if (message === undefined) return;
    this.stage.forger = o.by;
    this.write({ device: o.by, vector: o.vector }, message);
  }

  private write({ device }: Vector, message: Message | undefined): void {
    if (message !== undefined)
      this.stage.testbed.deviceWrites(device, message, this.attached.get(device)?.block ?? 0);
  }
}
