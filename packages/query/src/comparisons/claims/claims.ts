// The claims of the mailing-list discussions, ordered by discussion.
import { MIGRATED_PARTS } from '@gictrace/core/record';
import { libraryPath, readScenario, type Scenario, scenario } from '@gictrace/recorder';
import type { Claim } from './claim.ts';
import { MORE_CLAIMS } from './more-claims.ts';

const shipped = (name: string): Scenario => readScenario(libraryPath(name));

const ITS = ['its', 'pre-its', 'platform-msi', 'per-device-msi'];
const VIRTUAL_ITS = ['virtual-its', 'virtual-its-hosted'];
const DIRECT = [
  'direct-lpi-rfc',
  'direct-lpi-rfc-intid',
  'direct-lpi',
  'direct-lpi-lossy',
  'direct-lpi-invall',
];
const SPIS = ['mbi', 'gicv2m', 'hyperv-spi'];
const DEVICES = [...ITS, 'dev-msi', ...VIRTUAL_ITS, ...DIRECT, ...SPIS];
const VPES = ['vpe-proxy', 'vpe-proxy-rfc', 'vpe-naive', 'vpe-direct', 'vpe-v41', 'vpe-v41-skip'];

const SLOTS = 4;
/** Rounds in which the doorbells of vPEs are invalidated in turn, after the slots have been filled. */
function turns(vpes: number): Scenario {
  const steps = scenario(`${vpes} vPEs`, { pes: SLOTS }).online(0, 1, 2, 3);
  const each = (write: (vpe: number) => unknown) => {
    for (let vpe = 0; vpe < vpes; vpe++) write(vpe);
  };
  each((vpe) => steps.vpeMap(vpe, vpe % SLOTS));
  for (let round = 0; round < 2; round++) each((vpe) => steps.doorbellClear(vpe));
  for (let round = 0; round < 10; round++) each((vpe) => steps.doorbellInvalidate(vpe));
  return steps.build();
}
const CURVE = [1, 2, 3, 4, 5, 6, 8, 16];

/** Devices of one vector each. */
function devices(count: number): Scenario {
  const steps = scenario(`${count} devices`, { pes: 1 }).online(0);
  for (let n = 0; n < count; n++) steps.device(`d${n}`, { id: n, vectors: 1 }).alloc(`d${n}`);
  return steps.build();
}

/** Ten devices of three vectors. */
function threes(): Scenario {
  const steps = scenario('ten devices of three vectors', { pes: 1 }).online(0);
  for (let n = 0; n < 10; n++) steps.device(`d${n}`, { id: 8 * n, vectors: 3 }).alloc(`d${n}`);
  return steps.build();
}

/** All 956 SPIs are allocated, and then two more devices, one of which fires. */
function full(): Scenario {
  const steps = scenario('no room left', { pes: 1 }).online(0);
  for (const [n, vectors] of [...new Array<number>(14).fill(64), 32, 16, 8, 4].entries())
    steps.device(`d${n}`, { id: 8 * n, vectors }).alloc(`d${n}`);
  for (const [n, name] of ['one', 'other'].entries())
    steps
      .device(name, { id: 1000 + n, vectors: 4 })
      .alloc(name)
      .activate(`${name}/0`, 0)
      .unmask(`${name}/0`);
  steps.fire('one/0');
  return steps.build();
}

/** A migration in the middle of a burst: a message is pending for a busy PE, one for a masked vector. */
function migrating(without: (typeof MIGRATED_PARTS)[number]): Scenario {
  return scenario(`${without} left behind`, { pes: 2 })
    .device('nic', { id: 8, vectors: 3, kind: 'platform' })
    .online(0, 1)
    .alloc('nic')
    .activate('nic/0', 0)
    .activate('nic/1', 1)
    .activate('nic/2', 1)
    .unmask('nic/0')
    .unmask('nic/1')
    .unmask('nic/2')
    .mask('nic/1')
    .fire('nic/1')
    .busy([0], 3)
    .fire('nic/0')
    .migrate(without)
    .unmask('nic/1')
    .fire('nic/2')
    .build();
}
const MIGRATED = ['its', 'direct-lpi', 'mbi', 'hyperv-spi'];

export const CLAIMS: readonly Claim[] = [
  ...MORE_CLAIMS,
  // ---- Direct LPI ----------------------------------------------------------------------------------------
  {
    name: 'isolation',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: 'From a security/isolation perspective, DirectLPI is a gaping hole.',
    says: "One device runs another one's handler by writing its message.",
    scenarios: () => [shipped('isolation')],
    designs: DEVICES,
    query: 'isolation_breaches',
    accused: ['direct-lpi', 'direct-lpi-lossy', 'direct-lpi-rfc-intid'],
    cleared: ['its', 'platform-msi', 'per-device-msi'],
    note: 'An ITS translates the EventID within the table of the DeviceID that the bus gives. As posted, Direct LPI raises nothing at all (see target-a-redistributor). Message-based SPIs have the same hole, and so has a pre-ITS, where the address contains the DeviceID. If a host makes the messages, the host decides; that is not measured.',
  },
  {
    name: 'multi-msi',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: "Oh, that's is going to work so well with MultiMSI...",
    says: 'Vectors of a MultiMSI function run on another PE than they should, or not at all.',
    scenarios: () => [shipped('multi-msi')],
    designs: DEVICES,
    query: 'misrouted_handlers',
    accused: ['direct-lpi', 'direct-lpi-lossy', 'direct-lpi-rfc-intid', 'direct-lpi-invall'],
    cleared: ['its', 'per-device-msi', 'mbi', 'gicv2m', 'hyperv-spi'],
    note: 'The address names the PE, so all vectors go to the PE of the first.',
  },
  {
    name: 'set-irqchip-state',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: 'This is a joke, right?',
    says: 'irq_set_irqchip_state reports success without having done anything.',
    scenarios: () => [shipped('set-state')],
    designs: DEVICES,
    query: 'nothing_done',
    accused: ['direct-lpi-rfc', 'direct-lpi-rfc-intid'],
    cleared: ['its', 'direct-lpi', 'direct-lpi-lossy', 'mbi', 'gicv2m', 'hyperv-spi'],
    note: 'The "virtual ITS" does it too: see commands-never-sent.',
  },
  {
    name: 'per-device-allocation',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: 'Why do you maintain a per-device allocation given that there is no per-device HW tracking?',
    says: 'More LPIs are allocated than vectors were requested.',
    scenarios: () => [threes()],
    designs: ['its', 'direct-lpi-rfc', 'direct-lpi'],
    query: 'more_than_asked_for',
    accused: ['direct-lpi-rfc'],
    cleared: ['direct-lpi'],
    note: 'An ITS needs it: the size of a device’s table is a power of two.',
  },
  {
    name: 'event-to-cpu',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: 'More pointless copy-paste.',
    says: 'After a move, a masked vector is handled all the same, because the mask was written at a Redistributor that does not have the LPI.',
    scenarios: () => [shipped('mask-after-move')],
    designs: DEVICES,
    query: 'masked_handlers',
    accused: ['direct-lpi-rfc-intid'],
    cleared: ['its', 'direct-lpi', 'direct-lpi-lossy', 'mbi'],
    note: 'The lookup of the PE by event says where the vector should be. The device’s message still names the old PE, whose Redistributor continues with its cached configuration.',
  },
  {
    name: 'mbi-instead',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: 'Heck, you could even use the MBI driver directly instead of trying to use DirectLPI',
    says: 'A message is not delivered, among those that are sent, that are pending during a move, or that software sets pending.',
    scenarios: () => [shipped('burst')],
    designs: DEVICES,
    query: 'undelivered_messages',
    accused: ['direct-lpi-rfc'],
    cleared: ['mbi', 'its', 'direct-lpi'],
    note: 'MBI delivers all, without a spurious interrupt; Direct LPI as in its review pays for a move with a spurious or a lost interrupt.',
  },
  {
    name: 'column-map',
    thread: 'direct-lpi',
    seed: '000_11586f21ec31f13e.txt',
    quote: 'None of the ITS infrastructure makes any sense for DirectLPI anyway.',
    says: 'LPIs leak if the column map that is allocated after them is refused.',
    scenarios: () => [shipped('failed-alloc')],
    designs: ['its', 'virtual-its', 'direct-lpi-rfc', 'direct-lpi', 'mbi'],
    query: 'leaks',
    accused: ['direct-lpi-rfc', 'its'],
    cleared: ['direct-lpi', 'mbi'],
    note: 'The posted code is a copy of the ITS driver’s code, including a leak that the ITS driver still has: its_create_device frees the bitmap of the LPIs, and not their range.',
  },
  // ---- the "virtual ITS" ---------------------------------------------------------------------------------
  {
    name: 'target-a-redistributor',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: 'So how do you target a redistributor?',
    says: 'A message is not delivered, because the device has none, or because no Redistributor accepts its data.',
    scenarios: () => [shipped('fire')],
    designs: DEVICES,
    query: 'undelivered_messages',
    accused: ['virtual-its', 'direct-lpi-rfc', 'dev-msi'],
    cleared: ['its', 'direct-lpi', 'direct-lpi-rfc-intid', 'mbi', 'gicv2m', 'hyperv-spi'],
    note: 'The "virtual ITS" composes no message. Direct LPI as posted composes one, but its data is the vector and not the INTID: below 8192 there is no LPI, and GICR_SETLPIR ignores it. dev-MSI never unmasks the LPI (see mask-in-the-device).',
  },
  {
    name: 'another-redistributor',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: "You can't send a MOVI, and you don't change the target address.",
    says: 'A change of affinity reaches no hardware, no host and no device.',
    scenarios: () => [shipped('move')],
    designs: DEVICES,
    query: 'moves_told_to_nobody',
    accused: ['virtual-its', 'direct-lpi-rfc', 'direct-lpi-rfc-intid', 'direct-lpi-invall'],
    cleared: ['its', 'direct-lpi', 'virtual-its-hosted', 'mbi', 'gicv2m', 'hyperv-spi'],
  },
  {
    name: 'message-after-a-move',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: 'Actually, how do you target another redistributor?',
    says: 'After a move the handler runs on the old PE.',
    scenarios: () => [shipped('move')],
    designs: DEVICES,
    query: 'misrouted_handlers',
    accused: ['direct-lpi-rfc-intid', 'direct-lpi-invall'],
    cleared: ['its', 'direct-lpi', 'direct-lpi-lossy', 'mbi', 'gicv2m', 'hyperv-spi'],
  },
  {
    name: 'pending-on-a-move',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: 'how do you move the pending state from one pending table to another?',
    says: 'A message that is pending when its vector moves is lost, or stranded on the old PE.',
    scenarios: () => [shipped('pending-move')],
    designs: DEVICES,
    query: 'pending_left_behind',
    accused: ['virtual-its-hosted', 'direct-lpi-rfc-intid', 'direct-lpi-lossy', 'direct-lpi-invall'],
    cleared: ['its', 'direct-lpi', 'mbi', 'gicv2m', 'hyperv-spi'],
    note: 'Direct LPI has no way to read the state back. A driver either sets the LPI pending after each move, and gets a spurious interrupt if nothing was pending (direct-lpi), or never does (direct-lpi-lossy). The SPIs have their state in the Distributor.',
  },
  {
    name: 'spurious-on-a-move',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: 'And even if you could,',
    says: 'A move makes a handler run without a message.',
    scenarios: () => [shipped('move')],
    designs: DEVICES,
    query: 'needless_handlers',
    accused: ['direct-lpi'],
    cleared: ['its', 'direct-lpi-lossy', 'mbi', 'gicv2m', 'hyperv-spi'],
    note: 'The other side of pending-on-a-move: the price of not losing one.',
  },
  {
    name: 'commands-never-sent',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: "Virtual ITS doesn't support ITS commands",
    says: 'INT or CLEAR should have been sent; nothing was sent, but success was reported.',
    scenarios: () => [shipped('set-state')],
    designs: DEVICES,
    query: 'nothing_done',
    accused: ['virtual-its', 'virtual-its-hosted'],
    cleared: ['its', 'direct-lpi', 'mbi', 'gicv2m', 'hyperv-spi'],
  },
  {
    name: 'collections-leak',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote:
      'ITS collections are allocated before its_init_domain() called in its_init(), therefore if its_init_domain() fails, the collections need to be freed.',
    says: 'Collections leak if the domain cannot be made.',
    scenarios: () => [shipped('failed-init')],
    designs: ['its', 'virtual-its', 'virtual-its-unpatched', 'direct-lpi-rfc', 'direct-lpi', 'mbi'],
    query: 'leaks',
    accused: ['virtual-its-unpatched', 'its'],
    cleared: ['virtual-its', 'direct-lpi'],
    note: 'Patch 1/2 fixes this. It was not applied: its_probe_one goes to out_free_tables without freeing collections in Linux today.',
  },
  {
    name: 'one-virtual-its',
    thread: 'virtual-its',
    seed: '001_ad759be77dce4112.txt',
    quote: 'And you can only have one?',
    says: 'A device behind a second block gets no interrupts.',
    scenarios: () => [shipped('two-blocks')],
    designs: [
      'its',
      'platform-msi',
      'per-device-msi',
      'virtual-its',
      'virtual-its-hosted',
      'direct-lpi',
      'mbi',
    ],
    query: 'refused_operations',
    accused: ['virtual-its', 'virtual-its-hosted'],
    cleared: ['its', 'platform-msi', 'per-device-msi', 'direct-lpi', 'mbi'],
    note: 'virtual_its_node is one variable, with ID 0. Designs without translation do not depend on the block through which a message comes.',
  },
  // ---- the proxy -----------------------------------------------------------------------------------------
  {
    name: 'six-commands',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'a naive implementation would require 6 commands to issue an invalidation',
    says: 'An invalidation costs six commands.',
    scenarios: () => [turns(SLOTS)],
    designs: VPES,
    query: 'costs_of_operations',
    where: "op = 'doorbell.invalidate' AND commands = 6",
    accused: ['vpe-naive'],
    cleared: ['vpe-proxy', 'vpe-proxy-rfc', 'vpe-direct', 'vpe-v41'],
  },
  {
    name: 'two-commands',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'most of the time, we only need 2 commands to issue an INV, INT or CLEAR',
    says: `With operations on as many vPEs in turn as there are slots (${SLOTS}), an operation costs two commands on average.`,
    scenarios: () => CURVE.map(turns),
    designs: ['vpe-proxy'],
    query: 'costs_of_operations',
    where: "op = 'doorbell.invalidate' AND commands = 2",
    accused: CURVE.filter((n) => n <= SLOTS).map((n) => `vpe-proxy: ${n} vPEs`),
    cleared: CURVE.filter((n) => n > SLOTS).map((n) => `vpe-proxy: ${n} vPEs`),
    note: 'This holds up to one vPE per slot. Taking vPEs in turn is the worst order, since the victim is always the vPE that is needed soonest. The next claim shows what happens beyond.',
  },
  {
    name: 'six-beyond-the-slots',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'This doorbell will be mapped until we roll over and need to reallocate this slot.',
    says: `With operations on more vPEs in turn than there are slots (${SLOTS}), an operation costs six commands, as much as the naive way.`,
    scenarios: () => CURVE.map(turns),
    designs: ['vpe-proxy'],
    query: 'costs_of_operations',
    where: "op = 'doorbell.invalidate' AND commands = 6",
    accused: CURVE.filter((n) => n > SLOTS).map((n) => `vpe-proxy: ${n} vPEs`),
    cleared: CURVE.filter((n) => n <= SLOTS).map((n) => `vpe-proxy: ${n} vPEs`),
    note: 'The closed form for round robin is 2 for n ≤ slots and 6 beyond: a cliff, not a slope.',
  },
  {
    name: 'mapped-until-roll-over',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'This doorbell will be mapped until we roll over and need to reallocate this slot.',
    says: 'After a move of the vPE, the next invalidation costs two commands, because its doorbell is still mapped.',
    scenarios: () => [
      scenario('an invalidation after a move', { pes: SLOTS })
        .online(0, 1, 2, 3)
        .vpeMap(0, 0)
        .doorbellClear(0)
        .vpeMove(0, 1)
        .doorbellInvalidate(0)
        .build(),
    ],
    designs: ['vpe-proxy', 'vpe-proxy-rfc'],
    query: 'costs_of_operations',
    where: "op = 'doorbell.invalidate' AND commands = 2",
    accused: ['vpe-proxy', 'vpe-proxy-rfc'],
    cleared: [],
    note: 'As first posted, a move of the vPE discards the event, so the event stays mapped until a roll-over or a move, and the next operation costs four commands. Today Linux moves the event.',
  },
  {
    name: 'roll-over-loses-doorbells',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'This slot was already allocated. Kick the other VPE out.',
    says: 'A blocked vPE is not woken, because the DISCARD that takes its slot clears its pending doorbell.',
    scenarios: () => [shipped('lost-doorbell')],
    designs: VPES,
    query: 'unwoken_vpes',
    accused: ['vpe-proxy', 'vpe-proxy-rfc'],
    cleared: ['vpe-naive', 'vpe-direct', 'vpe-v41'],
    note: 'Nobody said so in the discussion; it follows from what DISCARD does. The vLPI itself survives in its pending table. The naive way does not lose this doorbell: it is mapped only while an operation on it runs, and a doorbell that is not mapped cannot be discarded. `gictrace check` finds each such loss in a recording.',
  },
  {
    name: 'devid-clash',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'Bad luck. Get yourself a better implementation',
    says: 'A device with the highest DeviceID is refused.',
    scenarios: () => [shipped('proxy-clash')],
    designs: VPES,
    query: 'refused_operations',
    where: "op = 'alloc'",
    accused: ['vpe-proxy', 'vpe-proxy-rfc', 'vpe-naive'],
    cleared: ['vpe-direct', 'vpe-v41'],
  },
  {
    name: 'clear-on-entry',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: 'we always issue a CLEAR on entry, and an INV on each side of a trapped WFI',
    says: 'A trapped WFI costs commands: an INV before it, an INV after it, and a CLEAR.',
    scenarios: () => [shipped('block-unblock')],
    designs: VPES,
    query: 'costs_of_operations',
    where: "op IN ('doorbell.mask', 'doorbell.unmask', 'doorbell.clear') AND commands > 0",
    accused: ['vpe-proxy', 'vpe-proxy-rfc', 'vpe-naive'],
    cleared: ['vpe-direct', 'vpe-v41', 'vpe-v41-skip'],
    note: 'On recordings of real boots the cycle is INV, INV, CLEAR, each with SYNC: six commands by the proxy. With GICv4.1 it is none: the doorbell is enabled once, when it is requested, and stays enabled; whether it rings is asked for by the write of GICR_VPENDBASER that ends the residency.',
  },
  {
    name: 'vm-error-path',
    thread: 'proxy',
    seed: '002_0a5a81ff4101459b.txt',
    quote: '',
    says: 'The tables of a vPE leak if a later vPE of the same VM fails.',
    scenarios: () => [shipped('failed-vm')],
    designs: VPES,
    query: 'leaks',
    accused: ['vpe-proxy-rfc'],
    cleared: ['vpe-proxy', 'vpe-direct', 'vpe-v41'],
    note: 'its_vpe_irq_domain_alloc freed i − 1 of i vPEs, from 2016 to 2021. vpe-proxy-rfc is from that time; the other designs are as in Linux today.',
  },
  // ---- dev-MSI -------------------------------------------------------------------------------------------
  {
    name: 'two-blocks',
    thread: 'dev-msi',
    seed: '003_c2af753a618f104a.txt',
    quote:
      'How is it going to work once you have devices sending their MSIs to two different downstream blocks?',
    says: 'The message of a device behind the second block has no effect.',
    scenarios: () => [shipped('two-blocks')],
    designs: ['its', 'platform-msi', 'dev-msi', 'per-device-msi', 'mbi', 'direct-lpi'],
    query: 'undelivered_messages',
    where: "fate = 'lost'",
    accused: ['dev-msi'],
    cleared: ['its', 'platform-msi', 'per-device-msi', 'mbi', 'direct-lpi'],
    note: 'All devices have the same default parent, so the message names its ITS, which does not know the device.',
  },
  {
    name: 'mask-in-the-device',
    thread: 'dev-msi',
    seed: '003_c2af753a618f104a.txt',
    quote: 'masking an interrupt is an irqchip operation, and only concerns the irqchip level.',
    says: 'A vector that is unmasked stays disabled, because only the device is unmasked.',
    scenarios: () => [shipped('fire')],
    designs: ['its', 'platform-msi', 'dev-msi', 'per-device-msi'],
    query: 'undelivered_messages',
    where: "fate = 'stranded'",
    accused: ['dev-msi'],
    cleared: ['its', 'platform-msi', 'per-device-msi'],
    note: 'The posted chip uses callbacks of the device for mask and unmask and does not call its parent. An x86 vector does not need this, but an LPI is enabled by its configuration byte, which is then never written.',
  },
  {
    name: 'vectors-of-a-device',
    thread: 'dev-msi',
    seed: '003_c2af753a618f104a.txt',
    quote: '#define MAX_DEV_MSIS (1 << (32 - DEV_ID_SHIFT))',
    says: 'A device with 2,049 vectors is refused; one with 2,048 is not.',
    scenarios: () => [shipped('vectors-of-a-device')],
    designs: ['its', 'platform-msi', 'dev-msi', 'per-device-msi'],
    query: 'exhausted_operations',
    accused: ['platform-msi', 'dev-msi'],
    cleared: ['its', 'per-device-msi'],
    note: 'hwirq is devid << 11 | index: the 2,049th would be the first vector of the next device. The 2^21 device numbers never run out on one ITS with 16 bits of INTID, which has 57,344 LPIs.',
  },
  // ---- SPIs for Hyper-V ----------------------------------------------------------------------------------
  {
    name: 'spi-space',
    thread: 'spi',
    seed: '004_3bf893ae78a60e80.txt',
    quote:
      "The SPI space isn't very large, but still much larger than the equivalent x86 space (close to 1000).",
    says: 'Allocating devices of one vector fails after more than 900 and fewer than 1,000 devices.',
    scenarios: () => [devices(1_100)],
    designs: ['its', 'direct-lpi', ...SPIS],
    query: 'room',
    where: 'vectors BETWEEN 900 AND 999',
    accused: ['mbi', 'hyperv-spi'],
    cleared: ['its', 'direct-lpi'],
    note: 'A GICv2m frame has a fixed number of SPIs: 64 on QEMU’s virt machine.',
  },
  {
    name: 'live-migration',
    thread: 'spi',
    seed: '004_3bf893ae78a60e80.txt',
    quote: 'to be able to support all scenarios such as Live Migration',
    says: 'A message is lost or stranded, or a handler runs without a message, if this part of the machine is left behind.',
    scenarios: () => MIGRATED_PARTS.map(migrating),
    designs: MIGRATED,
    query: 'lost_in_migration',
    accused: [
      'hyperv-spi: host left behind',
      'its: ITS left behind',
      'its: memory left behind',
      'direct-lpi: memory left behind',
      ...MIGRATED.flatMap((name) =>
        ['Distributor', 'Redistributors', 'CPU interfaces'].map((part) => `${name}: ${part} left behind`),
      ),
    ],
    cleared: [
      ...MIGRATED.map((name) => `${name}: nothing left behind`),
      'direct-lpi: ITS left behind',
      'mbi: memory left behind',
      'mbi: ITS left behind',
      'hyperv-spi: memory left behind',
      'hyperv-spi: ITS left behind',
      'its: host left behind',
      'direct-lpi: host left behind',
      'mbi: host left behind',
    ],
    note: 'This shows which state each design must carry. All designs need the registers of Distributor, Redistributors and CPU interfaces: without GICD_CTLR nothing is forwarded, not even LPIs. LPIs need guest memory too, where their configuration and pending tables are, and translation needs the ITS. Where a host makes the messages of devices (hyperv-spi), it must carry them, too: otherwise the devices have none. With the message in the device, as for the others, the host has nothing to carry; and if the driver controls it (`.irq_compose_msi_msg`), it can give the device another one at the destination.',
  },
  {
    name: 'first-zero-bit',
    thread: 'hyperv-spi',
    seed: null,
    quote: 'INTID 50 cannot be used for >2 vectors',
    says: 'Vectors of a MultiMSI function are not delivered, because they are not aligned.',
    scenarios: () => [shipped('multi-msi')],
    designs: ['hyperv-spi', 'hyperv-spi-first-zero'],
    query: 'undelivered_messages',
    accused: ['hyperv-spi-first-zero'],
    cleared: ['hyperv-spi'],
  },
  {
    name: 'round-robin',
    thread: 'hyperv-spi',
    seed: null,
    quote: '',
    says: 'On a machine with one PE, the hypercall names a PE that does not exist, and the device gets no message.',
    scenarios: () => [shipped('one-pe')],
    designs: ['hyperv-spi', 'hyperv-spi-round-robin'],
    query: 'unsent_messages',
    accused: ['hyperv-spi-round-robin'],
    cleared: ['hyperv-spi'],
  },
  {
    name: 'edge-configuration',
    thread: 'hyperv-spi',
    seed: null,
    quote: 'I think you are missing the actual edge configuration here.',
    says: 'One message makes its handler run again and again, because the SPI is level-sensitive.',
    scenarios: () => [shipped('fire')],
    designs: ['hyperv-spi', 'hyperv-spi-no-edge'],
    query: 'needless_handlers',
    accused: ['hyperv-spi-no-edge'],
    cleared: ['hyperv-spi'],
  },
  {
    name: 'unsigned-index',
    thread: 'hyperv-spi',
    seed: null,
    quote: '',
    says: 'If all SPIs are in use, a device is granted INTIDs that are not its own, and a handler runs without a message.',
    scenarios: () => [full()],
    designs: ['hyperv-spi', 'hyperv-spi-unsigned'],
    query: 'needless_handlers',
    accused: ['hyperv-spi-unsigned'],
    cleared: ['hyperv-spi'],
    note: '−ENOMEM as an unsigned index, plus 64, is INTID 52, which every device without an SPI gets, and which may belong to a device that firmware describes.',
  },
];
