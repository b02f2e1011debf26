// Faults of an ITS, of LPIs and of Direct LPIs.
import { PEND_CAUSES, RECORDS } from '../record/index.ts';
import { type CommandName, ITS_COMMANDS, LPI_FIRST, type OperandSpec, operandOf } from '../spec/index.ts';
import { lostIf, type Mutation } from './mutation.ts';
import { type EventOutcome, type Passing, setOperand } from './plant.ts';

const MEM_WRITTEN = RECORDS['mem.written'].id;
const ITE_WRITE = RECORDS['ite.write'].id;
const LPI_PENDED = RECORDS['lpi.pended'].id;
const LPI_CLEARED = RECORDS['lpi.cleared'].id;
const LPI_CONFIGURED = RECORDS['lpi.configured'].id;
const LPI_FORGOTTEN = RECORDS['lpi.forgotten'].id;
const MOVED = PEND_CAUSES.indexOf('moved');
const BY_SOFTWARE = PEND_CAUSES.indexOf('software');

/** A command leaves the table entry of an event unchanged. */
const entryKept =
  (name: CommandName) =>
  ({ kind, command }: Passing): EventOutcome =>
    lostIf(command === name && (kind === ITE_WRITE || kind === MEM_WRITTEN));

/** Events of these kinds are lost during a command, or outside all commands. */
const none =
  (name: CommandName | undefined, ...kinds: readonly number[]) =>
  ({ kind, command }: Passing): EventOutcome =>
    lostIf(command === name && kinds.includes(kind));

const pintidOf = (ITS_COMMANDS.MAPTI.operands as readonly OperandSpec[]).find(
  (one) => one.name === 'pINTID',
)!;

export const ITS_MUTATIONS = {
  'movi-keeps-collection': {
    doc: 'MOVI moves the pending state, but the event keeps its old collection',
    heading: 'MOVI',
    onQemu: 'soon',
    fault: { event: entryKept('MOVI') },
  },
  'discard-keeps-mapping': {
    doc: 'DISCARD clears the pending state, but the event stays mapped',
    heading: 'DISCARD',
    onQemu: 'soon',
    fault: { event: entryKept('DISCARD') },
  },
  'mapti-intid-unchecked': {
    doc: 'MAPTI with an INTID that is not an LPI is not refused; it maps the event to the INTID plus 8,192',
    heading: 'MAPTI',
    onQemu: 'soon',
    fault: {
      command: (name, words) => {
        if (name !== 'MAPTI') return;
        const intid = operandOf(words, 0, pintidOf);
        if (intid < LPI_FIRST) setOperand(words, name, 'pINTID', intid + LPI_FIRST);
      },
    },
  },
  'move-loses-pending': {
    doc: 'an LPI that is moved while it is pending is pending nowhere afterwards',
    heading: 'MOVI',
    onQemu: 'late',
    fault: { event: ({ kind, words }) => lostIf(kind === LPI_PENDED && words[1] === MOVED) },
  },
  'discard-keeps-pending': {
    doc: 'DISCARD unmaps the event, but its interrupt stays pending',
    heading: 'DISCARD',
    onQemu: 'late',
    fault: { event: none('DISCARD', LPI_CLEARED) },
  },
  'clear-ignored': {
    doc: 'CLEAR does not clear',
    heading: 'CLEAR',
    onQemu: 'late',
    fault: { event: none('CLEAR', LPI_CLEARED) },
  },
  'int-ignored': {
    doc: 'INT does not make the LPI of its event pending',
    heading: 'INT',
    onQemu: 'late',
    fault: { event: none('INT', LPI_PENDED) },
  },
  'inv-ignored': {
    doc: 'after INV the Redistributor still uses the old configuration',
    heading: 'INV',
    onQemu: 'late',
    fault: { event: none('INV', LPI_CONFIGURED, LPI_FORGOTTEN) },
  },
  'lpi-priority-ignored': {
    doc: 'every LPI has the highest priority',
    heading: 'LPI Configuration tables',
    onQemu: 'late',
    fault: {
      event: ({ kind, words }) => {
        if (kind === LPI_PENDED) words[2]! &= 3;
        if (kind === LPI_CONFIGURED) words[1]! &= 3;
        return 'kept';
      },
    },
  },
  'lpi-stays-pending': {
    doc: 'an LPI that is acknowledged, or cleared by a register, stays pending',
    heading: 'LPIs',
    onQemu: 'late',
    fault: { event: none(undefined, LPI_CLEARED) },
  },
  'setlpir-ignored': {
    doc: 'GICR_SETLPIR does not make its LPI pending',
    heading: 'GICR_SETLPIR',
    onQemu: 'never',
    fault: { event: ({ kind, words }) => lostIf(kind === LPI_PENDED && words[1] === BY_SOFTWARE) },
  },
  'invlpir-ignored': {
    doc: 'after GICR_INVLPIR or GICR_INVALLR the Redistributor still uses the old configuration',
    heading: 'GICR_INVLPIR',
    onQemu: 'never',
    fault: { event: none(undefined, LPI_CONFIGURED, LPI_FORGOTTEN) },
  },
} as const satisfies Readonly<Record<string, Mutation>>;
