// Which sorts of stimuli a log of ftrace does not show, by the events that it has. Commands are not among them: those that
// it does not show are found where an ITS executes them.
import type { Missing } from '../common/learn/unknowns.ts';
import type { Side } from './survey.ts';

/** What no event and no probe shows: the hardware does it without a trap. */
const BY_HARDWARE: readonly Missing[] = [
  'ICC_PMR writes',
  'ICC_IGRPEN writes',
  'ICC_CTLR writes',
  'acknowledges',
  'ends',
  'deactivations',
];

/** `missesInputs`: some lines about inputs are of a machine that the log does not show. */
export function missingOf(side: Side, events: ReadonlyMap<string, number>, missesInputs: boolean): Missing[] {
  const has = (...names: readonly string[]) => names.some((name) => events.has(name));
  const missing: Missing[] = [...BY_HARDWARE];
  if (side === 'host') {
    if (!has('rwmmio_write', 'rwmmio_post_write')) missing.push('GICD writes', 'GICR writes', 'GITS writes');
    return [...missing, 'SGIs', 'PPI lines', 'SPI lines', 'MSIs'];
  }
  if (!has('kvm_mmio')) missing.push('GICD writes', 'GICR writes', 'GITS writes');
  if (!has('vgic_sgi')) missing.push('SGIs');
  if (!has('vgic_update_irq_pending')) missing.push('PPI lines');
  if (!has('vgic_update_irq_pending', 'kvm_irq_line') || missesInputs) missing.push('SPI lines');
  // Messages that hit the cache of translations are injected by another function than those that do not.
  if (!has('vgic_msi') || !has('vgic_msi_cached')) missing.push('MSIs');
  return missing;
}
