// What an operating system asks of its irqchip driver, and what devices and schedulers do meanwhile: the same for
// every design, so that one list of operations can be run on each. Plain data.

/** An interrupt of a device. */
export interface Vector {
  /** The device, by the DeviceID that its messages have on the bus. */
  readonly device: number;
  /** 0-based. */
  readonly vector: number;
}

export type Operation =
  /** A PE comes online, and takes interrupts from then on. */
  | { readonly op: 'pe.online'; readonly pe: number }
  /** Room for a device's vectors. `count`: as many as the driver was asked for, rounded as it rounds. */
  | { readonly op: 'alloc'; readonly device: number; readonly count: number }
  /** The vector gets a message and a target; masked. */
  | ({ readonly op: 'activate'; readonly pe: number } & Vector)
  | ({ readonly op: 'mask' } & Vector)
  | ({ readonly op: 'unmask' } & Vector)
  /** The configuration was rewritten with what was there: a source that does not show the byte. */
  | ({ readonly op: 'reconfigure' } & Vector)
  | ({ readonly op: 'set_affinity'; readonly pe: number } & Vector)
  /** irq_set_irqchip_state(PENDING). */
  | ({ readonly op: 'set_pending'; readonly pending: boolean } & Vector)
  | ({ readonly op: 'deactivate' } & Vector)
  | { readonly op: 'free'; readonly device: number }
  /** The device raises the interrupt with the message that it was given. */
  | ({ readonly op: 'fire' } & Vector)
  /**
   * A MultiMSI function raises one of its `count` vectors: it has the message of vector 0, of which it may change the
   * low log2(count) bits of the data and nothing else (PCI Local Bus Specification 3.0, "Message Address/Data").
   */
  | ({ readonly op: 'fire.multi'; readonly count: number } & Vector)
  /** Device `by` writes the message of another device's vector. */
  | ({ readonly op: 'forge'; readonly by: number } & Vector)
  /** A vPE exists from here, with a doorbell LPI. */
  | { readonly op: 'vpe.map'; readonly vpe: number; readonly pe: number }
  | { readonly op: 'vpe.unmap'; readonly vpe: number }
  | { readonly op: 'vpe.schedule'; readonly vpe: number; readonly pe: number }
  | { readonly op: 'vpe.deschedule'; readonly vpe: number; readonly pe: number }
  | { readonly op: 'vpe.move'; readonly vpe: number; readonly pe: number }
  /** The configuration of the doorbell changed. */
  | { readonly op: 'doorbell.invalidate'; readonly vpe: number }
  | { readonly op: 'doorbell.clear'; readonly vpe: number }
  | { readonly op: 'doorbell.set'; readonly vpe: number }
  /** The vPE will never ring again: its VM is torn down. */
  | { readonly op: 'doorbell.release'; readonly vpe: number };

export type OperationName = Operation['op'];

export const OPERATION_NAMES: readonly OperationName[] = [
  'pe.online',
  'alloc',
  'activate',
  'mask',
  'unmask',
  'reconfigure',
  'set_affinity',
  'set_pending',
  'deactivate',
  'free',
  'fire',
  'fire.multi',
  'forge',
  'vpe.map',
  'vpe.unmap',
  'vpe.schedule',
  'vpe.deschedule',
  'vpe.move',
  'doorbell.invalidate',
  'doorbell.clear',
  'doorbell.set',
  'doorbell.release',
];

/** Operations on vectors of devices, and on vPEs: a driver does the one or the other. */
export function isVpeOperation(name: OperationName): boolean {
  return name.startsWith('vpe.') || name.startsWith('doorbell.');
}
