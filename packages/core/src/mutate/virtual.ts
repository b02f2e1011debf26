// Faults of vPEs, vLPIs and doorbells.

import { PEND_CAUSES, RECORDS } from '../record/index.ts';
import { NO_DOORBELL } from '../spec/index.ts';
import { lostIf, type Mutation } from './mutation.ts';
import { setOperand } from './plant.ts';

const LPI_PENDED = RECORDS['lpi.pended'].id;
const MEM_WRITTEN = RECORDS['mem.written'].id;
const VTE_WRITE = RECORDS['vte.write'].id;
const VLPI_LOADED = RECORDS['vlpi.loaded'].id;
const BY_DOORBELL = PEND_CAUSES.indexOf('doorbell');

export const VIRTUAL_MUTATIONS = {
  'vmapti-doorbell-lost': {
    doc: 'VMAPTI maps an event without its doorbell',
    heading: 'VMAPTI',
    onQemu: 'soon',
    fault: {
      command: (name, words) => {
        if (name === 'VMAPTI') setOperand(words, name, 'Dbell_pINTID', NO_DOORBELL);
      },
    },
  },
  'doorbell-silent': {
    doc: 'a doorbell is rung, but its LPI does not become pending',
    heading: 'Doorbell interrupts',
    onQemu: 'late',
    fault: { event: ({ kind, words }) => lostIf(kind === LPI_PENDED && words[1] === BY_DOORBELL) },
  },
  'vmovp-keeps-pe': {
    doc: 'VMOVP moves the pending state, but the vPE stays mapped to the old PE',
    heading: 'VMOVP',
    onQemu: 'soon',
    fault: {
      event: ({ kind, command }) =>
        lostIf(command === 'VMOVP' && (kind === VTE_WRITE || kind === MEM_WRITTEN)),
    },
  },
  'residency-forgets-pending': {
    doc: 'a vPE that becomes resident does not see the pending vLPIs in its table',
    heading: 'GICR_VPENDBASER',
    onQemu: 'late',
    fault: { event: ({ kind, command }) => lostIf(kind === VLPI_LOADED && command === undefined) },
  },
} as const satisfies Readonly<Record<string, Mutation>>;
