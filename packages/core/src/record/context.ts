// The record kinds of what happened around a GIC: a hypervisor ran a vCPU, the host took an interrupt, the source lost
// events. They change nothing in the GIC, and nothing is compared with them.
import { SPURIOUS } from '../spec/index.ts';
import { field } from './fields.ts';
import type { RecordField, RecordKind } from './shape.ts';
import { IPI_REASONS, IRQ_LINES, LIST_REGISTER_STATES, VCPU_EXITS } from './values.ts';

const cpu = field('cpu', 'i32', 'CPU of the host; -1 if the source does not show it');
const pc = field('PC', 'u64', 'address of the instruction of the guest', { base: 'hex' });
const intid = field('INTID', 'u32', 'interrupt identifier; 1023 if the source does not show it', {
  identifies: 'INTID',
  none: SPURIOUS,
});

const kind = <const Id extends number, const Pe extends RecordKind['pe']>(
  id: Id,
  pe: Pe,
  fields: readonly RecordField[],
  doc: string,
) => ({ id, class: 'context', pe, fields, doc }) as const;

export const CONTEXT_KINDS = {
  'vcpu.entry': kind(224, 'target', [cpu, pc], 'KVM entered the guest on this vCPU (kvm_entry).'),
  'vcpu.exit': kind(
    225,
    'target',
    [
      cpu,
      field('why', 'enum', 'the exception that was taken from the guest', { values: VCPU_EXITS }),
      field('EC', 'u8', 'ESR_EL2.EC, for a trap; otherwise 0', { base: 'hex' }),
      pc,
    ],
    'This vCPU left the guest (kvm_exit).',
  ),
  'vcpu.wait': kind(
    226,
    'target',
    [cpu, field('WFE', 'bool', 'WFE, otherwise WFI'), pc],
    'The guest executed WFI or WFE, which KVM trapped (kvm_wfx_arm64).',
  ),
  'vcpu.wakeup': kind(
    227,
    'target',
    [
      cpu,
      field('waited', 'bool', 'its thread slept, otherwise KVM polled'),
      field('ns', 'u64', 'for how long, in nanoseconds'),
    ],
    'This vCPU continues after it had halted (kvm_vcpu_wakeup).',
  ),
  'vcpu.sysreg': kind(
    228,
    'target',
    [cpu, field('register', 'sysreg', 'system register'), field('write', 'bool', 'a write')],
    'KVM trapped an access of the guest to a system register of its GIC (kvm_sys_access). The source does not contain the value.',
  ),
  'kvm.irq_line': kind(
    229,
    'target',
    [
      cpu,
      field('type', 'enum', 'what the line belongs to', { values: IRQ_LINES }),
      intid,
      field('level', 'bool', 'asserted'),
    ],
    'The virtual machine monitor set an input line (kvm_irq_line, the ioctl KVM_IRQ_LINE).',
  ),
  'kvm.set_irq': kind(
    230,
    'none',
    [cpu, field('gsi', 'u32', 'global system interrupt'), field('level', 'bool', 'asserted')],
    'A global system interrupt was set, by an irqfd or by the virtual machine monitor (kvm_set_irq). Which interrupt that is follows from the routing of the virtual machine, which the source does not contain.',
  ),
  'vgic.queued': kind(
    231,
    'none',
    [cpu, intid],
    'KVM looked whether an interrupt has to be given to a vCPU (vgic_queue_irq_unlock): it became pending, or was enabled.',
  ),
  'vgic.listed': kind(
    232,
    'target',
    [cpu, intid, field('LR', 'u32', 'the list register')],
    'KVM put an interrupt into a list register, for the next entry to the guest (vgic_v3_populate_lr).',
  ),
  'vgic.folded': kind(
    233,
    'target',
    [
      cpu,
      intid,
      field('LR', 'u32', 'the list register'),
      field('state', 'enum', 'its state; invalid: the guest has acknowledged and deactivated the interrupt', {
        values: LIST_REGISTER_STATES,
      }),
    ],
    'What a list register had after the guest ran (vgic_v3_fold_lr_state).',
  ),
  'host.irq.entry': kind(
    234,
    'none',
    [cpu, field('irq', 'u32', 'number of Linux'), intid],
    'The host began to handle an interrupt (irq_handler_entry).',
  ),
  'host.irq.exit': kind(
    235,
    'none',
    [
      cpu,
      field('irq', 'u32', 'number of Linux'),
      field('handled', 'bool', 'the handler had something to do'),
    ],
    'The host has handled an interrupt (irq_handler_exit).',
  ),
  'host.ipi.raise': kind(
    236,
    'none',
    [
      cpu,
      field('targets', 'u64', 'bit n: CPU n of the host, up to CPU 63', { base: 'hex' }),
      field('reason', 'enum', 'what for; other: the source does not show it, or it has no name here', {
        values: IPI_REASONS,
      }),
    ],
    'The host sent an IPI (ipi_raise; ipi_send_cpu and ipi_send_cpumask where the source has no ipi_raise).',
  ),
  'host.ipi.entry': kind(
    237,
    'none',
    [cpu, field('reason', 'enum', 'what for', { values: IPI_REASONS })],
    'The host began to handle an IPI (ipi_entry).',
  ),
  'host.ipi.exit': kind(
    238,
    'none',
    [cpu, field('reason', 'enum', 'what for', { values: IPI_REASONS })],
    'The host has handled an IPI (ipi_exit).',
  ),
  'source.lost': kind(
    239,
    'none',
    [cpu, field('count', 'u32', 'events; 0: the source does not show how many')],
    'The source lost events here: what they would have shown is unknown.',
  ),
} as const satisfies Record<string, RecordKind>;
