// The record kinds of operations: what an operating system asks of its irqchip driver, what devices and PEs do meanwhile,
// and failures that are injected. Fields are named as in an `Operation` (core/irqchip/operation).
import { field } from './fields.ts';
import type { RecordField, RecordKind } from './shape.ts';
import { ALLOCATIONS, DEVICE_KINDS, MIGRATED_PARTS } from './values.ts';

const device = field('device', 'u32', 'DeviceID', { base: 'hex', identifies: 'DeviceID' });
const vector = field('vector', 'u32', 'vector of the device, 0-based');
const vpe = field('vpe', 'u32', 'vPEID', { identifies: 'vPEID' });
const count = field('count', 'u32', 'how many');

/**
 * What an operation concerns, which decides the designs that run it:
 * - `devices`: interrupts of devices. For every design, unless the vector is forwarded to a vPE: then only for designs that
 *   serve vPEs.
 * - `vpes`: vPEs and their doorbells. For designs that serve vPEs.
 * - `any device`: a device as a whole, or a vector that may be forwarded to a vPE. For every design.
 * - `pes`: a PE of the machine. For every design whose machine has that PE.
 * - `machine`: the machine or its driver as a whole. For every design.
 */
export type Concern = 'devices' | 'vpes' | 'any device' | 'pes' | 'machine';

export interface OperationKind extends RecordKind {
  readonly class: 'operation';
  readonly concerns: Concern;
}

const kind = <const Id extends number, const Pe extends RecordKind['pe'], const C extends Concern>(
  id: Id,
  concerns: C,
  pe: Pe,
  fields: readonly RecordField[],
  doc: string,
) => ({ id, class: 'operation', concerns, pe, fields, doc }) as const;

/** By the operation's name. The PE that an operation names is in the record's PE column. */
export const OPERATION_KINDS = {
  'op.pe.online': kind(32, 'pes', 'target', [], 'A PE comes online, and takes interrupts from then on.'),
  'op.pe.offline': kind(33, 'pes', 'target', [], 'A PE goes offline, and takes no interrupts from then on.'),
  'op.pe.busy': kind(
    34,
    'pes',
    'target',
    [field('steps', 'u32', 'the number of operations during which it takes none')],
    'A PE is busy: it takes no interrupt during a number of operations.',
  ),
  'op.probe': kind(
    35,
    'machine',
    'none',
    [field('reset', 'bool', '1: the machine is reset first, as by a reboot', { isLater: true })],
    'The driver is set up, unless that has happened before. After a reset it is set up again: PEs are offline, and devices have no vectors.',
  ),
  'op.alloc': kind(
    36,
    'any device',
    'none',
    [
      device,
      field('count', 'u32', 'number of vectors requested'),
      field('msi', 'enum', 'how the device sends messages', { values: DEVICE_KINDS }),
      field('block', 'u32', 'the block through which its messages go (with ITSs: the ITS)'),
    ],
    'The vectors of a device are allocated.',
  ),
  'op.activate': kind(
    37,
    'devices',
    'target',
    [
      device,
      vector,
      field('managed', 'bool', '1: it is routed before it is enabled; 0: after it has been enabled', {
        isLater: true,
      }),
    ],
    'A vector gets a message and a target. It is masked. If it was forwarded to a vPE, it is no longer.',
  ),
  'op.mask': kind(38, 'devices', 'none', [device, vector], 'A vector is masked.'),
  'op.unmask': kind(39, 'devices', 'none', [device, vector], 'A vector is unmasked.'),
  'op.reconfigure': kind(
    40,
    'devices',
    'none',
    [device, vector],
    'The configuration of a vector was rewritten, either with the same value or with one that the source does not contain.',
  ),
  'op.set_affinity': kind(41, 'devices', 'target', [device, vector], 'A vector is routed to another PE.'),
  'op.set_pending': kind(
    42,
    'devices',
    'none',
    [device, vector, field('pending', 'bool', '1: set; 0: cleared')],
    'irq_set_irqchip_state(PENDING).',
  ),
  'op.deactivate': kind(
    43,
    'devices',
    'none',
    [device, vector],
    'A vector loses its message and its target.',
  ),
  'op.free': kind(44, 'any device', 'none', [device], 'The vectors of a device are freed.'),
  'op.fire': kind(
    45,
    'any device',
    'none',
    [device, vector],
    'A device raises an interrupt with the message that it was given.',
  ),
  'op.fire.multi': kind(
    46,
    'devices',
    'none',
    [device, vector, count],
    'A MultiMSI function raises one of `count` vectors by the low bits of the one message that it was given.',
  ),
  'op.forge': kind(
    47,
    'any device',
    'none',
    [
      device,
      vector,
      field('by', 'u32', 'DeviceID of the device that writes', { base: 'hex', identifies: 'DeviceID' }),
    ],
    "A device writes the message of another device's vector.",
  ),
  'op.fail': kind(
    48,
    'machine',
    'none',
    [
      field('what', 'enum', 'which allocations are counted', { values: ALLOCATIONS }),
      field('nth', 'u32', 'which of them from now on fails, counted from 1'),
    ],
    'A failure is injected: an allocation of the driver will fail.',
  ),
  'op.migrate': kind(
    49,
    'machine',
    'none',
    [field('without', 'enum', 'what is left behind', { values: MIGRATED_PARTS })],
    'The machine is saved, and restored on one that has just been reset. The driver continues.',
  ),
  'op.vm.alloc': kind(
    50,
    'vpes',
    'none',
    [{ ...vpe, countedBy: 'count' }, count],
    'The vPEs of a VM are allocated: `count` of them, beginning with `vpe`.',
  ),
  'op.vpe.map': kind(51, 'vpes', 'target', [vpe], 'A vPE is mapped, with a doorbell LPI.'),
  'op.vpe.unmap': kind(52, 'vpes', 'none', [vpe], 'A vPE is unmapped.'),
  'op.vpe.schedule': kind(53, 'vpes', 'target', [vpe], 'A vPE becomes resident.'),
  'op.vpe.deschedule': kind(54, 'vpes', 'target', [vpe], 'A vPE is no longer resident.'),
  'op.vpe.move': kind(55, 'vpes', 'target', [vpe], 'A vPE moves to another PE.'),
  'op.doorbell.invalidate': kind(
    56,
    'vpes',
    'none',
    [vpe],
    'The configuration of a doorbell changed; the source does not contain the new value.',
  ),
  'op.doorbell.mask': kind(
    57,
    'vpes',
    'none',
    [vpe],
    'The hypervisor masks a doorbell: from now on, the vPE does not wait for it.',
  ),
  'op.doorbell.unmask': kind(
    58,
    'vpes',
    'none',
    [vpe],
    'The hypervisor unmasks a doorbell, because the vPE will wait for it.',
  ),
  'op.doorbell.clear': kind(59, 'vpes', 'none', [vpe], 'The pending state of a doorbell is cleared.'),
  'op.doorbell.set': kind(60, 'vpes', 'none', [vpe], 'A doorbell is made pending.'),
  'op.doorbell.release': kind(
    61,
    'vpes',
    'none',
    [vpe],
    'The doorbell of a vPE is released, because its VM is torn down.',
  ),
  'op.vlpi.map': kind(
    62,
    'any device',
    'none',
    [device, vector, vpe],
    'A vector is forwarded to a vPE: it is a vLPI from here on. If it is one already, it moves to this vPE.',
  ),
  'op.vpe.invalidate': kind(
    63,
    'vpes',
    'none',
    [vpe],
    'The configurations of all vLPIs of a vPE are invalidated, because its guest asked for that.',
  ),
} as const satisfies Record<string, OperationKind>;
