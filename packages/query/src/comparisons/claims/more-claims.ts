// Claims on statements of the discussions that no single number shows: what a domain says about itself, how long drivers wait,
// how many addresses messages need, what a hypercall is worth, and what moves of vPEs cost others.
import { libraryPath, readScenario, type Scenario, scenario } from '@gictrace/recorder';
import type { Claim } from './claim.ts';

const shipped = (name: string): Scenario => readScenario(libraryPath(name));

const SLOTS = 4;
/** As many vPEs as there are slots; vPE 0 moves, and then the doorbells of all are invalidated. */
function moves(): Scenario {
  const steps = scenario('vPEs that move', { pes: SLOTS }).online(0, 1, 2, 3);
  for (let vpe = 0; vpe < SLOTS; vpe++) steps.vpeMap(vpe, vpe);
  for (let vpe = 0; vpe < SLOTS; vpe++) steps.doorbellClear(vpe);
  for (let round = 1; round <= 6; round++) {
    steps.vpeMove(0, round % SLOTS);
    for (let vpe = 0; vpe < SLOTS; vpe++) steps.doorbellInvalidate(vpe);
  }
  return steps.build();
}

/** A vector of a device without a mask of its own is masked and unmasked. */
function masking(): Scenario {
  return scenario('masked and unmasked', { pes: 2 })
    .device('nic', { id: 8, vectors: 1, kind: 'platform' })
    .online(0, 1)
    .alloc('nic')
    .activate('nic/0', 0)
    .unmask('nic/0')
    .mask('nic/0')
    .unmask('nic/0')
    .build();
}

/** Each operation of a device once. It has no mask of its own, so the interrupt controller masks its vectors. */
function everything(): Scenario {
  return scenario('each operation of a device', { pes: 2 })
    .device('nic', { id: 8, vectors: 2, kind: 'platform' })
    .online(0, 1)
    .alloc('nic')
    .activate('nic/0', 0)
    .unmask('nic/0')
    .mask('nic/0')
    .setPending('nic/0')
    .clearPending('nic/0')
    .setAffinity('nic/0', 1)
    .unmask('nic/0')
    .fire('nic/0')
    .deactivate('nic/0')
    .free('nic')
    .build();
}

/** Each operation of a vPE and of its doorbell. */
function everythingOfVpes(): Scenario {
  const steps = scenario(EVERY_OPERATION, { pes: 2 })
    .device('nic', { id: 8, vectors: 1 })
    .online(0, 1)
    .vpeMap(0, 0)
    .alloc('nic')
    .vlpiMap('nic/0', 0)
    .vpeSchedule(0, 0)
    .fire('nic/0')
    .doorbellClear(0)
    .vpeDeschedule(0, 0)
    .doorbellInvalidate(0)
    .doorbellSet(0)
    .doorbellClear(0)
    .vpeMove(0, 1)
    .vpeSchedule(0, 1)
    .fire('nic/0')
    .vpeDeschedule(0, 1);
  return steps.build();
}

/** Names of scenarios, as their files have them: a program without claims does not read these. */
const EVERY_OPERATION = 'each operation of a vPE';
const BLOCKED = 'ten trapped WFIs';
const FIRED = 'one message';
const MOVED = 'a message after a move';
const VPES = ['vpe-proxy', 'vpe-proxy-rfc', 'vpe-naive', 'vpe-direct', 'vpe-v41'];

export const MORE_CLAIMS: readonly Claim[] = [
  {
    name: 'remap-without-isolation',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: "Remap what? There is nothing to remap at all, since you don't have an",
    says: 'A domain says that it isolates devices (IRQ_DOMAIN_FLAG_MSI_REMAP), and a device runs the handler of another one.',
    scenarios: () => [shipped('isolation')],
    designs: ['its', 'pre-its', 'per-device-msi', 'direct-lpi-rfc-intid', 'direct-lpi', 'mbi', 'gicv2m'],
    query: 'trusted_without_isolation',
    accused: ['direct-lpi-rfc-intid'],
    cleared: ['its', 'pre-its', 'per-device-msi', 'direct-lpi', 'mbi', 'gicv2m'],
    note: 'VFIO gives a device to a guest if its domain says so, and refuses one whose domain does not, unless its user allows unsafe interrupts. mbi, gicv2m and pre-its do not isolate, but do not say so either.',
  },
  {
    name: 'waits-for-the-hardware',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: 'wait_for_syncr(rdbase);',
    says: 'A vector is masked or unmasked without waiting until the GIC uses its new configuration: neither SYNC nor GICR_SYNCR, nor GICD_CTLR.RWP after a disable.',
    scenarios: () => [masking()],
    designs: [
      'its',
      'platform-msi',
      'per-device-msi',
      'virtual-its',
      'direct-lpi-rfc',
      'direct-lpi',
      'direct-lpi-lossy',
      'direct-lpi-invall',
      'mbi',
      'gicv2m',
      'hyperv-spi',
    ],
    query: 'unawaited_changes',
    accused: ['direct-lpi-invall'],
    cleared: [
      'its',
      'platform-msi',
      'per-device-msi',
      'virtual-its',
      'direct-lpi-rfc',
      'direct-lpi',
      'direct-lpi-lossy',
      'mbi',
      'gicv2m',
      'hyperv-spi',
    ],
    note: 'An SPI that is disabled may be signalled until RWP is 0 (IHI 0069, "GICD_ICENABLER<n>"). Nothing must be waited for after an enable of an SPI.',
  },
  {
    name: 'message-of-each-redistributor',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: 'which is per CPU and that is not known',
    says: 'A move gives the device another message, so that each Redistributor needs an IOMMU mapping of its own.',
    scenarios: () => [shipped('move')],
    designs: ['its', 'per-device-msi', 'direct-lpi', 'direct-lpi-lossy', 'mbi', 'gicv2m', 'hyperv-spi'],
    query: 'messages_rewritten_on_a_move',
    accused: ['direct-lpi', 'direct-lpi-lossy'],
    cleared: ['its', 'per-device-msi', 'mbi', 'gicv2m', 'hyperv-spi'],
    note: 'iommu_dma_prepare_msi maps one address when the vectors are allocated. With an ITS, and with message-based SPIs, one address serves all PEs.',
  },
  {
    name: 'hypercall-against-its',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: 'ITS may not be a more efficient way to configure LPIs',
    says: 'In a guest, a change of affinity takes more time than one hypercall, by the cost model `guest`.',
    scenarios: () => [shipped('move')],
    designs: ['its', 'direct-lpi', 'mbi', 'virtual-its-hosted'],
    query: 'operation_times',
    where: "op = 'set_affinity' AND ns > hypercall_ns",
    accused: ['its', 'direct-lpi', 'mbi'],
    cleared: ['virtual-its-hosted'],
    note: 'So the statement is true of an emulated ITS, whose driver reads GITS_CREADR several times for each post, and just as true of every design without hypercalls. Whether it matters is another question: a move is rare, and a message costs the driver nothing with any of these designs.',
  },
  {
    name: 'same-software-as-an-its',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: 'same software part as a real ITS: having an irq domain, maintaining',
    says: 'An operation sends other commands than Linux sends to an ITS.',
    scenarios: () => [everything()],
    designs: ['its', 'platform-msi', 'per-device-msi', 'virtual-its'],
    query: 'unlike_linux',
    accused: ['virtual-its'],
    cleared: ['its', 'platform-msi', 'per-device-msi'],
    note: 'The software part is the same; what it is there for is not. That Linux sends these commands is held against recorded boots (`gictrace compare` of one says how many are the same).',
  },
  {
    name: 'proxy-sends-as-linux',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'cmd(vpe_proxy.dev, vpe->vpe_proxy_event)',
    says: 'An operation on a vPE or its doorbell sends other commands than Linux sends today.',
    scenarios: () => [everythingOfVpes()],
    designs: VPES,
    query: 'unlike_linux',
    accused: ['vpe-proxy-rfc', 'vpe-naive'],
    cleared: ['vpe-proxy', 'vpe-direct', 'vpe-v41'],
    note: 'As first posted, a move discards the event of the proxy. The naive way discards it after each command.',
  },
  {
    name: 'guests-take-their-vlpis',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'maintenance (interrupt masking, clearing and injection)',
    says: 'A vLPI does not reach its guest, which is resident when it comes or blocks and is woken.',
    scenarios: () => [everythingOfVpes(), shipped('block-unblock')],
    designs: VPES,
    query: 'vlpis_not_taken',
    accused: [],
    cleared: [EVERY_OPERATION, BLOCKED].flatMap((name) => VPES.map((design) => `${design}: ${name}`)),
    note: 'All designs deliver; they differ in what a doorbell costs, and in what is lost when slots run out (roll-over-loses-doorbells).',
  },
  {
    name: 'one-message-one-run',
    thread: 'spi',
    seed: '004_3bf893ae78a60e80.txt',
    quote: 'care of allocating & managing the SPI interrupt',
    says: 'A handler runs without a message, or on another PE than it should, after one message or a move.',
    scenarios: () => [shipped('fire'), shipped('move')],
    designs: ['its', 'mbi', 'gicv2m', 'hyperv-spi', 'hyperv-spi-no-edge'],
    query: 'wrong_handlers',
    accused: [`hyperv-spi-no-edge: ${FIRED}`, `hyperv-spi-no-edge: ${MOVED}`],
    cleared: ['its', 'mbi', 'gicv2m', 'hyperv-spi'].flatMap((design) => [
      `${design}: ${FIRED}`,
      `${design}: ${MOVED}`,
    ]),
  },
  {
    name: 'ripple',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'this might just generate a ripple',
    says: 'After a move of a vPE, an invalidation of another vPE costs more than two commands, with as many vPEs as slots.',
    scenarios: () => [moves()],
    designs: ['vpe-proxy', 'vpe-proxy-rfc'],
    query: 'costly_invalidations',
    where: 'vpe <> 0',
    accused: ['vpe-proxy-rfc'],
    cleared: ['vpe-proxy'],
    note: 'The fear of the comment does not come true: the slot that a move frees is the one that the vPE takes again, because next_victim moves to it. With more vPEs than slots, every invalidation evicts anyway (six-beyond-the-slots).',
  },
];
