// What was predicted about the designs before anything ran, by property, with the query that measures each cell. A cell is
// confirmed if the measurement is what the prediction means; otherwise it says why it is not.
import { capacityOf, DESIGNS } from '@gictrace/core/irqchip';
import { libraryPath, readScenario, type Scenario } from '@gictrace/recorder';
import { runInMemory } from './run-in-memory.ts';

export interface Cell {
  /** The words of the prediction. */
  readonly said: string;
  /** The measurement that it means; absent if it predicts nothing that can be measured. */
  readonly means?: string;
  /** Why the measurement differs. */
  readonly why?: string;
}

/** The one value that a query over runs has for a design. */
export type Ask = (sql: string, design: string) => unknown;

export interface Prediction {
  readonly property: string;
  readonly scenarios: () => readonly Scenario[];
  /** Measures a design and returns the result as text. */
  readonly measure: (ask: Ask, design: string) => string;
  readonly cells: Readonly<Record<string, Cell>>;
}

export interface Outcome {
  readonly property: string;
  readonly design: string;
  readonly cell: Cell;
  readonly measured: string;
  readonly isConfirmed: boolean | undefined;
}

const shipped = (...names: readonly string[]): Scenario[] =>
  names.map((name) => readScenario(libraryPath(name)));

/** The single text that a query returns for a design. */
const text = (sql: string) => (ask: Ask, design: string) => String(ask(sql, design) ?? 'unknown');

const LETTERS = {
  table_bytes: 'T',
  mmio_writes: 'W',
  mmio_reads: 'R',
  commands: 'Q',
  message_rewrites: 'M',
  hypercalls: 'H',
  device_writes: 'D',
};
/** A run of a vPE design counts for what is said about vPEs; it serves devices, too, as an ITS does. */
const OWN_RUN = `(r.serves = 'devices' OR EXISTS (SELECT 1 FROM run_operations o WHERE o.run = r.run AND o.op IN ('vpe.map', 'vm.alloc')))`;
/** The costs of the first successful operation of a kind, in letters: `1T 2Q`. The kind depends on what a design serves. */
const costsOf = (ofDevices: string, ofVpes: string) =>
  text(
    `SELECT coalesce(nullif(trim(${Object.entries(LETTERS)
      .map(([column, letter]) => `iif(x.${column} > 0, x.${column} || '${letter} ', '')`)
      .join(
        ' || ',
      )}), ''), '0') FROM run_operations x JOIN runs r USING (run) WHERE r.design = :design AND x.result = 'done' AND x.op = iif(r.serves = 'vpes', '${ofVpes}', '${ofDevices}') ORDER BY x.step DESC LIMIT 1`,
  );

const same = (cell: Cell, ...designs: readonly string[]): Record<string, Cell> =>
  Object.fromEntries(designs.map((design) => [design, cell]));

/** Why commands cost more than themselves. */
const POSTED =
  'posting commands costs MMIO as well: a read of GITS_CREADR for each command, one before they are posted and one to wait, and the write of GITS_CWRITER.';

const VPES = ['vpe-direct', 'vpe-proxy', 'vpe-v41'];

export const PREDICTIONS: readonly Prediction[] = [
  {
    property: "A can raise B's interrupt",
    scenarios: () => shipped('isolation', 'isolation-vlpi'),
    measure: text(
      `SELECT CASE WHEN sum(unauthorised) > 0 THEN 'yes' WHEN EXISTS (SELECT 1 FROM refused_operations f WHERE f.design = r.design AND f.op = 'forge') THEN 'unknown' ELSE 'no' END FROM runs r WHERE r.design = :design`,
    ),
    cells: {
      its: { said: 'no', means: 'no' },
      'direct-lpi-rfc': {
        said: 'yes',
        means: 'yes',
        why: 'as posted, nobody can raise anything, because the data of the message is not an LPI. With direct-lpi-rfc-intid it is, and messages can be spoofed.',
      },
      'direct-lpi': { said: 'yes', means: 'yes' },
      'virtual-its': {
        said: 'yes',
        means: 'yes',
        why: 'as posted, no device has a message that could be spoofed.',
      },
      mbi: { said: 'yes', means: 'yes' },
      'hyperv-spi': { said: 'host decides', means: 'unknown' },
      ...same({ said: 'no', means: 'no' }, ...VPES),
      'dev-msi': { said: "parent's", means: 'no' },
    },
  },
  {
    property: 'MultiMSI',
    scenarios: () => shipped('multi-msi'),
    measure: text(
      `SELECT CASE WHEN delivered < 4 THEN 'no' WHEN misrouted > 0 THEN 'one Redistributor only' ELSE 'yes' END FROM runs WHERE design = :design`,
    ),
    cells: {
      its: { said: 'yes', means: 'yes' },
      'direct-lpi-rfc': { said: 'no', means: 'no' },
      'direct-lpi': { said: 'one redistributor only', means: 'one Redistributor only' },
      'virtual-its': { said: '?' },
      mbi: { said: 'yes', means: 'yes' },
      'hyperv-spi': { said: 'yes, aligned', means: 'yes' },
    },
  },
  {
    property: 'lost on a move',
    scenarios: () => shipped('pending-move', 'doorbell-move'),
    measure: text(
      `SELECT group_concat(n || ' ' || outcome, ', ') FROM (SELECT outcome, count(*) AS n FROM run_messages x JOIN runs r USING (run) WHERE r.design = :design AND r.fired > 0 AND ${OWN_RUN} GROUP BY outcome UNION ALL SELECT 'spurious', spurious FROM runs WHERE design = :design AND spurious > 0)`,
    ),
    cells: {
      its: { said: '0', means: '1 delivered' },
      'direct-lpi-rfc': {
        said: 'all stay on the old PE, configuration frozen',
        means: '1 stranded',
        why: 'as posted, no message gets that far; with direct-lpi-rfc-intid it is stranded.',
      },
      'direct-lpi': { said: '0, ≤1 spurious a move', means: '1 delivered' },
      'virtual-its': {
        said: 'pending never moves',
        means: '1 stranded',
        why: 'as posted, nothing is ever pending; with virtual-its-hosted it is stranded.',
      },
      mbi: { said: '0', means: '1 delivered' },
      'hyperv-spi': { said: '0 in the GICD; host window', means: '1 delivered' },
      'vpe-direct': {
        said: '0',
        means: '1 waiting',
        why: 'the driver clears the doorbell on the PE that the vPE leaves (GICR_CLRLPIR) and does not set it on the other. KVM moves a vPE only when it makes it resident, and then no doorbell is needed.',
      },
      'vpe-proxy': { said: 'MOVI: 0', means: '1 waiting' },
      'vpe-proxy-rfc': { said: 'pending lost', means: '1 stranded' },
      'vpe-v41': { said: '0', means: '1 waiting' },
      'dev-msi': {
        said: "parent's",
        means: '1 delivered',
        why: 'the parent never enables the LPI: see mask-in-the-device. The device holds the message while it masks, and then it is pending and disabled.',
      },
    },
  },
  {
    property: 'cost of mask',
    scenarios: () => shipped('pending-move', 'doorbell-move'),
    measure: costsOf('mask', 'doorbell.mask'),
    cells: {
      its: { said: '1T+2Q', means: '1T 2Q', why: POSTED },
      'direct-lpi-rfc': { said: '1T+1W+≥1R', means: '1T 1W 1R' },
      'direct-lpi': { said: 'same', means: '1T 1W 1R' },
      'virtual-its': {
        said: '1T+0Q',
        means: '1T',
        why: 'as posted, the configuration is updated through Direct LPI, because lpi_update_config checks is_virtual.',
      },
      mbi: { said: '1W (+RWP)', means: '1W 1R' },
      'hyperv-spi': {
        said: 'device mask',
        means: '1D',
        why: 'the chip masks in the device and then in its parent, the GIC.',
      },
      'vpe-direct': { said: '1T+1W+R', means: '1T 1W 1R' },
      'vpe-proxy': { said: '2/4/6 Q', means: '1T 2Q', why: POSTED },
      'vpe-v41': {
        said: '2Q',
        means: '1T 2Q',
        why: 'Linux enables the doorbell once, when it is requested, and leaves it enabled. KVM never masks it.',
      },
      'dev-msi': { said: 'callback', means: '1D' },
    },
  },
  {
    property: 'cost of affinity',
    scenarios: () => shipped('move', 'doorbell-move'),
    measure: costsOf('set_affinity', 'vpe.move'),
    cells: {
      its: { said: '2Q', means: '2Q', why: POSTED },
      'direct-lpi-rfc': { said: '0', means: '0' },
      'direct-lpi': {
        said: '~5W+2T+message',
        means: '2T 5W 1M',
        why: 'INVLPIR, CLRLPIR, SETLPIR and INVLPIR are four writes; after three of them the driver waits with a read of GICR_SYNCR.',
      },
      'virtual-its': { said: '0', means: '0' },
      mbi: {
        said: '1W',
        means: '1W',
        why: 'Linux disables an SPI that is enabled before it writes GICD_IROUTER, waits for RWP, and enables it again; it reads GICD_ISENABLER to find out whether it is enabled.',
      },
      'hyperv-spi': {
        said: '1W + hypercall',
        means: '1W 1H',
        why: 'as mbi; the hypercall is made when the vector is unmasked, not when it moves.',
      },
      'vpe-direct': { said: 'VMOVP×ITS+1W+R', means: '1W 1R 2Q', why: POSTED },
      'vpe-proxy': { said: '+ MOVI, SYNC', means: '4Q', why: POSTED },
      'vpe-v41': { said: 'VMOVP or 0', means: '2Q', why: POSTED },
      'dev-msi': { said: "parent's", means: '2Q', why: POSTED },
    },
  },
  {
    property: 'message rewritten on a move',
    scenarios: () => shipped('move'),
    measure: text(`SELECT iif(message_rewrites > 0, 'yes', 'no') FROM runs WHERE design = :design`),
    cells: {
      its: { said: 'no', means: 'no' },
      'direct-lpi-rfc': { said: 'no (bug)', means: 'no' },
      'direct-lpi': { said: 'yes', means: 'yes' },
      'virtual-its': { said: 'no', means: 'no' },
      mbi: { said: 'no', means: 'no' },
      'hyperv-spi': { said: 'host' },
      'dev-msi': { said: 'parent', means: 'no' },
    },
  },
  {
    property: 'capacity',
    scenarios: () => [],
    measure: (_ask, design) => `${capacityOf(DESIGNS[design]!, 4)}`,
    cells: {
      ...same(
        { said: '2^IDbits−8192', means: '57344' },
        'its',
        'direct-lpi-rfc',
        'direct-lpi',
        'virtual-its',
      ),
      mbi: { said: '≤988 SPIs', means: '988' },
      'hyperv-spi': { said: '956', means: '956' },
      'vpe-direct': { said: '1 LPI a vPE', means: '57344' },
      'vpe-proxy': { said: 'slots resident' },
      'vpe-v41': { said: 'vPE table' },
    },
  },
  {
    property: 'vectors of a device',
    scenarios: () => shipped('vectors-of-a-device'),
    measure: text(
      `SELECT max("count") FROM run_operations x JOIN runs r USING (run) WHERE r.design = :design AND x.op = 'alloc' AND x.result = 'done'`,
    ),
    cells: { 'dev-msi': { said: '2048 a device', means: '2048' } },
  },
  {
    property: 'set_irqchip_state works',
    scenarios: () => shipped('set-state', 'doorbell-state'),
    measure: text(
      `SELECT CASE WHEN sum(r.serves = 'devices') > 0 THEN CASE WHEN (SELECT count(*) FROM nothing_done WHERE design = :design) > 0 THEN 'no-op' WHEN (SELECT count(*) FROM run_messages m JOIN runs q USING (run) WHERE q.design = :design AND m.vector = 0 AND m.outcome = 'delivered') = 1 THEN 'yes' ELSE 'lost' END WHEN sum(r.doorbells) > 0 THEN 'yes' ELSE 'no-op' END FROM runs r WHERE r.design = :design AND (r.fired > 0 OR r.serves = 'vpes')`,
    ),
    cells: {
      its: { said: 'yes', means: 'yes' },
      'direct-lpi-rfc': { said: 'no-op', means: 'no-op' },
      'direct-lpi': { said: 'yes', means: 'yes' },
      'virtual-its': { said: 'says yes, lost', means: 'no-op' },
      mbi: { said: 'yes', means: 'yes' },
      'hyperv-spi': { said: 'yes', means: 'yes' },
      'vpe-direct': { said: 'yes', means: 'yes' },
      'vpe-proxy': { said: 'yes', means: 'yes' },
      'vpe-v41': {
        said: 'yes',
        means: 'yes',
        why: 'Linux’s chip for GICv4.1 vPEs has no irq_set_irqchip_state.',
      },
      'dev-msi': {
        said: 'parent',
        means: 'yes',
        why: 'INT makes the LPI pending, but nobody has enabled it: see mask-in-the-device.',
      },
    },
  },
  {
    property: 'leak on failed init or alloc',
    scenarios: () => shipped('failed-init', 'failed-alloc', 'failed-iommu', 'failed-vm'),
    measure: text(
      `SELECT coalesce(group_concat(what, ', '), '0') FROM (SELECT DISTINCT l.what FROM run_leaks l JOIN runs r USING (run) WHERE r.design = :design AND ${OWN_RUN} ORDER BY 1)`,
    ),
    cells: {
      its: {
        said: 'region, if iommu prepare fails',
        means: 'ITT bytes, LPIs, column maps, devices',
        why: 'the region leaks, and with it the device, which can never be freed; collections leak too if the domain fails, because patch 1/2 of the "virtual ITS" was not applied.',
      },
      'direct-lpi-rfc': { said: 'LPI range', means: 'LPIs' },
      'direct-lpi': { said: '0', means: '0' },
      'virtual-its': {
        said: 'collections (fixed by patch 1/2)',
        means: '0',
        why: 'the range of LPIs leaks, because this is the ITS driver; collections do not leak (with virtual-its-unpatched both do).',
      },
      'virtual-its-unpatched': { said: 'collections', means: 'LPIs, collections' },
      mbi: { said: 'region', means: 'SPIs' },
      'hyperv-spi': { said: '–', means: '0' },
      'vpe-direct': {
        said: 'i−1',
        means: 'vPE tables',
        why: 'fixed in 2021; vpe-proxy-rfc is as before.',
      },
      'vpe-proxy-rfc': { said: 'i−1', means: 'vPE tables' },
      'vpe-proxy': {
        said: 'slot',
        means: 'proxy slots',
        why: 'a vPE has no slot before its first operation, and its teardown frees one.',
      },
      'vpe-v41': { said: 'i−1', means: 'vPE tables', why: 'fixed in 2021.' },
      'dev-msi': {
        said: 'devid',
        means: 'DevIDs',
        why: 'platform_msi frees the number; what leaks belongs to the ITS driver.',
      },
    },
  },
];

/** Measures each cell of a prediction. */
export function measure({ property, scenarios, measure: textOf, cells }: Prediction): Outcome[] {
  const designs = Object.keys(cells);
  const { db } = runInMemory(scenarios(), designs);
  const ask: Ask = (sql, design) => db.prepare(sql).pluck().get({ design });
  try {
    return designs.map((design) => {
      const cell = cells[design]!;
      const measured = textOf(ask, design);
      return {
        property,
        design,
        cell,
        measured,
        isConfirmed: cell.means === undefined ? undefined : cell.means === measured,
      };
    });
  } finally {
    db.close();
  }
}
