// The system instructions of GICv5 and the registers of its CPU interface (ICC). The instructions are encoded, and kept in
// a trace, as system registers with op0 1: what a `GIC` instruction is given is written, and what `GICR` returns is read.
// Pure data; `source` says which implementations have a register (see evidence.ts).
import { flag, hex, naming, oneOf, uint } from '../declare.ts';
import type { FieldSpec } from '../shape.ts';
import { type SysregSpec, sysregEncoding } from '../sysreg.ts';
import { BOTH, by, QEMU } from './evidence.ts';

export interface Gicv5SysregSpec extends SysregSpec {
  readonly source: string;
}

const TYPE = oneOf('TYPE', 29, 3, { 1: 'PPI', 2: 'LPI', 3: 'SPI' }, 'type of the interrupt');
const ID = naming('INTID', uint('ID', 0, 24, 'ID of the interrupt'), { typedBy: 'TYPE' });
/** An ID that is returned together with a bit that says whether there is one: all of it is zero if there is none. */
const FOUND = { ...ID, unlessZero: true } as const;
const MODES = { 0: 'edge', 1: 'level' };

const instruction = <const F extends readonly FieldSpec[]>(
  crm: number,
  op2: number,
  access: 'RO' | 'WO',
  doc: string,
  fields: F,
  extra: Pick<Gicv5SysregSpec, 'does'> & { readonly source?: string } = {},
) => ({ encoding: sysregEncoding(1, 0, 12, crm, op2), access, fields, doc, source: BOTH, ...extra }) as const;

const register = <const F extends readonly FieldSpec[]>(
  [op1, crm, op2]: readonly [number, number, number],
  access: 'RO' | 'RW' | 'WO',
  doc: string,
  fields: F,
  source: string = BOTH,
) => ({ encoding: sysregEncoding(3, op1, 12, crm, op2), access, fields, doc, source }) as const;

const ppiBits = (name: string, doc: string): readonly FieldSpec[] => [
  hex(`${name}_31_0`, 0, 32, `${doc}, for the lower 32 PPIs of the register`),
  hex(`${name}_63_32`, 32, 32, `${doc}, for the upper 32 PPIs of the register`),
];
const PRIORITIES: readonly FieldSpec[] = Array.from({ length: 8 }, (_, n) =>
  uint(`Priority${n}`, 8 * n, 5, 'priority of a PPI'),
);
/** The two registers, for PPIs 0 to 63 and 64 to 127. */
const pair = <const Name extends string>(
  name: Name,
  crm: number,
  op2: number,
  access: 'RO' | 'RW',
  doc: string,
  field: string,
) =>
  ({
    [`ICC_PPI_${name}0_EL1`]: register([0, crm, op2], access, `${doc}, PPIs 0 to 63`, ppiBits(field, doc)),
    [`ICC_PPI_${name}1_EL1`]: register(
      [0, crm, op2 + 1],
      access,
      `${doc}, PPIs 64 to 127`,
      ppiBits(field, doc),
    ),
  }) as Readonly<Record<`ICC_PPI_${Name}${0 | 1}_EL1`, Gicv5SysregSpec>>;

export const GICV5_SYSREGS = {
  GSB_SYS: instruction(0, 0, 'WO', 'Barrier: GIC instructions before it are complete', []),
  GSB_ACK: instruction(0, 1, 'WO', 'Barrier: acknowledges before it are complete', []),
  GIC_CDDIS: instruction(1, 0, 'WO', 'Disable an interrupt', [ID, TYPE]),
  GIC_CDEN: instruction(1, 1, 'WO', 'Enable an interrupt', [ID, TYPE]),
  GIC_CDPRI: instruction(1, 2, 'WO', 'Set the priority of an interrupt', [
    ID,
    TYPE,
    uint('PRIORITY', 35, 5, 'priority, 0 the highest'),
  ]),
  GIC_CDAFF: instruction(1, 3, 'WO', 'Set the target of an interrupt', [
    ID,
    oneOf('IRM', 28, 1, { 0: 'targeted', 1: '1 of N' }, 'routing mode'),
    TYPE,
    uint('IAFFID', 32, 16, 'interrupt affinity identifier of the target'),
  ]),
  GIC_CDPEND: instruction(1, 4, 'WO', 'Set or clear the pending state of an interrupt', [
    ID,
    TYPE,
    flag('PENDING', 32, 'pending'),
  ]),
  GIC_CDRCFG: instruction(1, 5, 'WO', 'Request the configuration of an interrupt, to ICC_ICSR_EL1', [
    ID,
    TYPE,
  ]),
  GIC_CDEOI: instruction(1, 7, 'WO', 'Drop the running priority', [], { does: 'end' }),
  GIC_CDDI: instruction(2, 0, 'WO', 'Deactivate an interrupt', [ID, TYPE], { does: 'deactivate' }),
  GIC_CDHM: instruction(2, 1, 'WO', 'Set the handling mode of an interrupt', [
    ID,
    TYPE,
    oneOf('HM', 32, 1, MODES, 'handling mode'),
  ]),
  GICR_CDIA: instruction(
    3,
    0,
    'RO',
    'Acknowledge an interrupt',
    [FOUND, TYPE, flag('VALID', 32, 'an interrupt was acknowledged')],
    { does: 'acknowledge' },
  ),
  GICR_CDNMIA: instruction(
    3,
    1,
    'RO',
    'Acknowledge a non-maskable interrupt',
    [FOUND, TYPE, flag('VALID', 32, 'an interrupt was acknowledged')],
    { does: 'acknowledge' },
  ),

  ...pair('HMR', 10, 0, 'RO', 'Handling mode of each PPI: 1 level, 0 edge', 'HM'),
  ICC_IDR0_EL1: register([0, 10, 2], 'RO', 'Interrupt Controller Identification Register 0', [
    oneOf('ID_BITS', 0, 4, { 0: '16', 1: '24' }, 'bits of an ID'),
    oneOf('PRI_BITS', 4, 4, { 3: '4', 4: '5' }, 'bits of a priority'),
    flag('GCIE_LEGACY', 8, "a virtual CPU interface of GICv3's kind"),
  ]),
  ICC_HPPIR_EL1: register([0, 10, 3], 'RO', 'Highest Priority Pending Interrupt Register', [
    FOUND,
    TYPE,
    flag('HPPIV', 32, 'there is one'),
  ]),
  ICC_ICSR_EL1: register([0, 10, 4], 'RW', 'Interrupt Configuration and State Register', [
    flag('F', 0, 'the request failed'),
    flag('Enabled', 1, 'enabled'),
    flag('Pending', 2, 'pending'),
    oneOf('IRM', 3, 1, { 0: 'targeted', 1: '1 of N' }, 'routing mode'),
    flag('Active', 4, 'active'),
    oneOf('HM', 5, 1, MODES, 'handling mode'),
    uint('Priority', 11, 5, 'priority'),
    uint('IAFFID', 32, 16, 'interrupt affinity identifier of the target'),
  ]),
  ICC_IAFFIDR_EL1: register([0, 10, 5], 'RO', 'Interrupt Affinity Identifier Register', [
    uint('IAFFID', 0, 16, 'interrupt affinity identifier of this PE'),
  ]),
  ...pair('ENABLER', 10, 6, 'RW', 'Enabled PPIs', 'EN'),
  ...pair('CACTIVER', 13, 0, 'RW', 'Active PPIs; a 1 that is written deactivates', 'Active'),
  ...pair('SACTIVER', 13, 2, 'RW', 'Active PPIs; a 1 that is written activates', 'Active'),
  ...pair('CPENDR', 13, 4, 'RW', 'Pending PPIs; a 1 that is written makes an edge PPI not pending', 'Pend'),
  ...pair('SPENDR', 13, 6, 'RW', 'Pending PPIs; a 1 that is written makes an edge PPI pending', 'Pend'),
  ...(Object.fromEntries(
    Array.from({ length: 16 }, (_, n) => [
      `ICC_PPI_PRIORITYR${n}_EL1`,
      register([0, 14 + (n >> 3), n & 7], 'RW', `Priorities of PPIs ${8 * n} to ${8 * n + 7}`, PRIORITIES),
    ]),
  ) as Readonly<Record<`ICC_PPI_PRIORITYR${PriorityIndex}_EL1`, Gicv5SysregSpec>>),
  ICC_APR_EL1: register([1, 0, 0], 'RW', 'Active Priorities Register', [
    hex('P', 0, 32, 'active priorities: bit n is priority n'),
  ]),
  ICC_CR0_EL1: register([1, 0, 1], 'RW', 'Control Register 0', [
    flag('EN', 0, 'the CPU interface is enabled'),
    by(QEMU, flag('LINK', 1, 'the link to the IRS is connected')),
    by(QEMU, flag('LINK_IDLE', 2, 'a change of the link is complete')),
    uint('IPPT', 32, 6, 'priority threshold of preemptive interrupts'),
    flag('PID', 38, 'preemptive interrupts are disabled'),
  ]),
  ICC_PCR_EL1: register([1, 0, 2], 'RW', 'Priority Control Register', [
    uint('PRIORITY', 0, 5, 'the lowest priority that is signalled'),
  ]),
  ICC_HAPR_EL1: register(
    [1, 0, 3],
    'RO',
    'Highest Active Priority Register',
    [hex('PRIORITY', 0, 8, 'the running priority; 0xff if there is none')],
    QEMU,
  ),
} as const satisfies Record<string, Gicv5SysregSpec>;

type PriorityIndex = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;
export type Gicv5SysregName = keyof typeof GICV5_SYSREGS;

const names = new Map<number, Gicv5SysregName>();
for (const [name, spec] of Object.entries(GICV5_SYSREGS)) names.set(spec.encoding, name as Gicv5SysregName);

/** The instruction or register of GICv5 with this encoding (see `SysregSpec`), or undefined. */
export function gicv5SysregName(encoding: number): Gicv5SysregName | undefined {
  return names.get(encoding);
}
