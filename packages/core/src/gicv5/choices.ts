// What the GICv5 architecture leaves to an implementation, or what an implementation does otherwise, and the model makes.
// The first value of each is that of the architecture as it is quoted in public; a profile deviates by name, with evidence.

export interface Gicv5Choice<T> {
  readonly architecture: T;
  readonly doc: string;
  /** Where the architecture's value is from: a rule quoted in public, or what QEMU and Linux agree on. */
  readonly source: string;
}

const choice = <T>(architecture: T, doc: string, source: string): Gicv5Choice<T> => ({
  architecture,
  doc,
  source,
});

export const GICV5_CHOICES = {
  irsEnableActsAtRead: choice<boolean>(
    false,
    'a write of IRS_CR0.IRSEN has no effect on what PEs are signalled until IRS_CR0 is read',
    'IRS_CR0.IRSEN; Linux polls IRS_CR0.IDLE after the write and reads nothing to make it act',
  ),
  disabledIrsKeepsHppi: choice<boolean>(
    false,
    'while IRS_CR0.IRSEN is 0, the interrupt that the IRS has forwarded to a PE stays forwarded',
    'IRS_CR0.IRSEN: a disabled IRS forwards no interrupt',
  ),
  ignoresSpiDisable: choice<boolean>(
    false,
    'GIC CDDIS of an SPI enables it',
    'GIC CDDIS; Linux masks an SPI by it',
  ),
  ignoresSpiUnpend: choice<boolean>(
    false,
    'GIC CDPEND of an SPI makes it pending, whatever its PENDING field',
    'GIC CDPEND; Linux clears the pending state by PENDING = 0',
  ),
  keepsReservedBits: choice<boolean>(
    false,
    'IRS_CR1, IRS_IST_BASER, IRS_IST_CFGR, IRS_PE_SELR and ICC_PPI_PRIORITYR<n>_EL1 read as they were written, with bits that are RES0',
    'the fields of each, on which QEMU and Linux agree',
  ),
  deactivatesUpperPpis: choice<boolean>(
    false,
    'GIC CDDI of a PPI deactivates all of PPIs 32 to 63, or of 96 to 127, whichever are in the same register',
    'GIC CDDI deactivates the interrupt that it names',
  ),
  resetKeepsHppi: choice<boolean>(
    false,
    'a reset of the machine leaves the interrupt that the IRS has forwarded to a PE as it is',
    'D_YGLYC: SPIs reset to idle; no LPI exists without an IST',
  ),
  resetPresentsPpi: choice<boolean>(
    false,
    'after a reset of a PE, until one of its PPIs changes, its best PPI is an interrupt that does not exist, of priority 0',
    'ICC_CR0_EL1.EN: without a pending interrupt nothing is signalled',
  ),
  peResetForgetsLines: choice<boolean>(
    false,
    'a reset of a PE makes its level-sensitive PPIs not pending while their input lines stay high',
    'R_CFSKX: the pending state of a level-sensitive PPI is the level of its input',
  ),
  equalPriorities: choice<'lowest INTID' | 'hash table'>(
    'lowest INTID',
    'which of several LPIs of one priority is forwarded; an LPI comes before an SPI of the same priority',
    'IMPLEMENTATION DEFINED',
  ),
  writesBackPending: choice<boolean>(
    true,
    'the ISTE of an LPI is in guest memory even while the LPI is pending; otherwise it is written when it ceases to be, or when the IST becomes invalid',
    'an IRS may cache ISTEs while the IST is valid',
  ),
  itsKeepsEntries: choice<boolean>(
    true,
    'an ITS keeps the entries of the device table and of translation tables that it has read, valid or not, until software invalidates them',
    'ITS_INV_DEVICER, ITS_INV_EVENTR; Linux invalidates after it has made an entry valid, too',
  ),
  showsAll: choice<boolean>(
    false,
    'whatever is calculated again is shown, even if it has not changed; what a disabled IRS takes back is not',
    'none: how an implementation shows what it does',
  ),
  devarch: choice<number>(0x4770_5a19, 'IRS_DEVARCH', 'IRS_DEVARCH: architect 0x23b, present, revision 0'),
} as const;

export type Gicv5ChoiceName = keyof typeof GICV5_CHOICES;
type Widened<T> = T extends Gicv5Choice<infer V> ? V : never;
export type Gicv5Choices = { readonly [K in Gicv5ChoiceName]: Widened<(typeof GICV5_CHOICES)[K]> };
