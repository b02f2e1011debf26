// Every technical statement of the discussions, in their order, and what decides it: claims that measure it, a statement about
// code with what it was held against, or why a replay cannot measure it. A quote is a part of a line, exactly as it was sent.

export interface Statement {
  readonly quote: string;
  /**
   * `measured`: the claims in `by`. `code`: a statement about source text; `text` says what it was held against. `not
   * measurable`: `text` says why, and what there is instead.
   */
  readonly kind: 'measured' | 'code' | 'not measurable';
  /** Names of claims. */
  readonly by: readonly string[];
  readonly text: string;
}

const measured = (quote: string, by: readonly string[], text = ''): Statement => ({
  quote,
  kind: 'measured',
  by,
  text,
});
const code = (quote: string, text: string, by: readonly string[] = []): Statement => ({
  quote,
  kind: 'code',
  by,
  text,
});
const not = (quote: string, text: string): Statement => ({ quote, kind: 'not measurable', by: [], text });

const LINUX_ONLY = 'It is about the structure of Linux and not about what hardware is asked.';
const FIRMWARE =
  'No firmware table and no bus are modelled: a replay begins where the driver knows its hardware. `compare` lists it under "needs".';

/** By the file of the discussion. */
export const STATEMENTS: Readonly<Record<string, readonly Statement[]>> = {
  '000_11586f21ec31f13e.txt': [
    code(
      'The spec architecturally supports Direct LPI without an ITS.',
      'IHI 0069: GICR_TYPER.DirectLPI says that GICR_SETLPIR and its companions are there. The designs direct-lpi-* run on such a profile without an ITS.',
    ),
    not(
      'At best, this is premature',
      'Which PE is chosen (least loaded or first) is an input here: operations name the PE. What a move costs is measured (predictions, "cost of affinity").',
    ),
    code('And certainly not use these *ever*.', LINUX_ONLY),
    measured('It deals with LPIs, and that', ['per-device-allocation', 'column-map']),
    measured('DirectLPI has no notion of DeviceID.', ['isolation'], 'GICR_SETLPIR takes any device’s write.'),
    not('IORT has no notion of DirectLPI', FIRMWARE),
    measured('There is nothing to remap at all, since you', ['remap-without-isolation']),
    measured('DirectLPI is a gaping hole', ['isolation']),
    measured('device isolation, so there is no per-device interrupt namespace', [
      'isolation',
      'stale-message',
      'per-device-allocation',
    ]),
    measured('More pointless copy-paste', ['event-to-cpu']),
    measured(
      'Target the redistributor this LPI is currently routed to',
      ['targets-its-redistributor', 'event-to-cpu'],
      'The posted code looks the PE up in col_map, which set_affinity changes, while the device’s message still names the old PE.',
    ),
    measured('wait_for_syncr(rdbase)', ['waits-for-the-hardware']),
    code(
      'cfg = va + hwirq - 8192',
      'IHI 0069: the configuration table begins with INTID 8192. LpiTables.configure writes that byte; costs count it (T).',
    ),
    measured('given that there is no per-device HW tracking', ['per-device-allocation']),
    not(
      'There is no NUMA node affliation',
      'PEs and ITSs have no NUMA nodes here, and Linux chooses the PE before the driver is asked.',
    ),
    code(
      'vcpu is not supported for Direct LPI, as it requires an ITS',
      'IHI 0069: vLPIs are translated by an ITS. Designs without an ITS do not run `vlpi.map`.',
    ),
    measured('dlpi_dev->event_map.col_map[id] = cpu', [
      'another-redistributor',
      'message-after-a-move',
      'pending-on-a-move',
    ]),
    measured('MSI address is the address of the target processor', [
      'target-a-redistributor',
      'message-of-each-redistributor',
    ]),
    code(
      'rd_base +',
      'rd_base is an ioremapped kernel address, so the posted message names no bus address at all. The design takes it to reach the Redistributor, so that the rest can be measured.',
    ),
    measured('is going to work so well with MultiMSI', ['multi-msi']),
    measured('msg->data = dlpi_get_event_id(d)', ['target-a-redistributor'], 'Below 8192 there is no LPI.'),
    measured('This is a joke, right?', ['set-irqchip-state']),
    measured(
      'return !dlpi_irq_set_irqchip_state(d, IRQCHIP_STATE_PENDING, true)',
      ['set-irqchip-state'],
      'A retrigger is a set of the pending state.',
    ),
    code('Then why are you providing this callback the first place?', LINUX_ONLY),
    measured(
      'and that is not known',
      ['message-of-each-redistributor'],
      'Each Redistributor has an address of its own, and each needs an IOMMU mapping.',
    ),
    not('IORT cannot describe the routing of MSIs to', FIRMWARE),
    measured(
      'Nuke the entry in the domain',
      ['freed-lpis-are-free', 'freed-spis-are-free', 'column-map'],
      'Freeing is run by `free`; what stays allocated is in `run_held`.',
    ),
    not(
      'another alias (PCI bridge of some sort)',
      'Devices with one DeviceID for several functions are not modelled: a DeviceID is a device here. With an ITS, aliases share an interrupt translation table and are not isolated from each other.',
    ),
    code(
      'nvecs = roundup_pow_of_two(nvecs)',
      'roundUpPowerOfTwo in the drivers that copy this; its effect is measured.',
      ['per-device-allocation'],
    ),
    measured('col_map = kcalloc(nr_lpis', ['column-map']),
    not(
      'usefulness to upper layers that definitely know that they',
      `${LINUX_ONLY} What does not work is in multi-msi.`,
    ),
    measured('For example, how can MultiMSI be supported?', ['multi-msi']),
    code('There is no way you are messing with the ITS driver internals like', LINUX_ONLY),
    measured('infrastructure makes any sense for DirectLPI anyway', ['column-map', 'per-device-allocation']),
    measured(
      'use the MBI driver directly instead of trying to use DirectLPI',
      ['mbi-instead', 'life-of-a-device'],
      'But Linux’s MBI driver refuses ACPI (mbi_irq_gic_domain_alloc: -EINVAL without a device-tree node), and Hyper-V’s guests boot with ACPI. `compare` lists that under "needs".',
    ),
    not('how* you are going to plumb this into both', FIRMWARE),
    not('understand how to link a PCI endpoint', FIRMWARE),
  ],
  '001_ad759be77dce4112.txt': [
    code("it's allowed", 'IHI 0069 allows LPIs without an ITS, by GICR_SETLPIR (GICR_TYPER.DirectLPI).'),
    measured(
      'ITS may not be a more efficient way to configure LPIs',
      ['hypercall-against-its'],
      'In counts. How long an access and a hypercall take is a cost model, or measured in a recording (docs/compare.md).',
    ),
    measured('This fixes a potential memory leak', ['collections-leak']),
    measured('if its_init_domain() fails, the collections need', ['collections-leak']),
    measured('same software part as a real ITS', ['same-software-as-an-its']),
    measured('it cannot issue', ['commands-never-sent']),
    measured(
      'the LPIs are configured via DirectLPI interfaces',
      ['commands-never-sent', 'pending-on-a-move'],
      'Masks are; affinity and the pending state are not.',
    ),
    code(
      'the virtual ITS is initialized only if there is no ITS in',
      'The designs virtual-its* run on hardware without an ITS and with Direct LPI.',
    ),
    measured("Virtual ITS doesn't support ITS commands", ['commands-never-sent', 'another-redistributor']),
    measured(
      'direct_lpi_inv(d)',
      ['waits-for-the-hardware'],
      'GICR_INVLPIR, and GICR_SYNCR until it is not busy.',
    ),
    measured("Virtual ITS doesn't have ->get_msi_base function, skip", ['target-a-redistributor']),
    code(
      'its->collections[cpu].col_id = cpu',
      'Collections of a virtual ITS are numbers in software, which no hardware reads; so no MAPC is sent.',
      ['commands-never-sent'],
    ),
    code(
      'No need to allocate device table for virtual ITS',
      'ITTs are allocated all the same: `held: ITT bytes` of `compare --all`.',
    ),
    not('iort_register_domain_token(0, 0, fwnode)', FIRMWARE),
    measured('its->msi_domain_flags = IRQ_DOMAIN_FLAG_MSI_REMAP', ['remap-without-isolation']),
    measured('And you can only have one?', ['one-virtual-its']),
    code(
      "It isn't even the shadow of an",
      'The same driver with its commands left out: the designs its and virtual-its are one class here, too.',
    ),
    measured(
      'There is no translation, no isolation.',
      ['isolation'],
      'With a host that makes messages to GICR_SETLPIR, what a device may write is the host’s decision, and is not measured.',
    ),
    measured('So how do you target a redistributor?', ['target-a-redistributor']),
    measured('this should hit the GICR_SETLPIR for the relevant', ['target-a-redistributor']),
    measured('how do you target another redistributor?', ['message-after-a-move']),
    measured("you don't change the target address", ['another-redistributor']),
    measured('how do you move the pending state from one pending table to another?', [
      'pending-on-a-move',
      'spurious-on-a-move',
    ]),
    not(
      'some other, non architectural stuff',
      'What a host does besides is not in the patches. virtual-its-hosted is an assumption, and is shown only with --as-posted.',
    ),
    code('If you really want to implement something', LINUX_ONLY),
    code(
      'implement a *real* virtual',
      'That is the design its on an emulated ITS; its costs in a guest are those of the cost model `guest`.',
      ['hypercall-against-its'],
    ),
    code(
      'The simple fact that you mention hypercalls',
      'IHI 0069 contains no hypercall. Costs count them apart (H).',
    ),
    code(
      'piggy-back on top of the GIC',
      'hyperv-spi does that: an SPI is masked, routed and ended by the GIC’s own chip (spi-parent).',
      ['spi-space'],
    ),
    not('invent your own firmware interface for discovery', FIRMWARE),
  ],
  '002_0a5a81ff4101459b.txt': [
    measured('interrupt masking, clearing and injection', [
      'guests-take-their-vlpis',
      'clear-on-entry',
      'two-commands',
    ]),
    measured('cmd(vpe_proxy.dev, vpe->vpe_proxy_event)', ['proxy-sends-as-linux']),
    measured('a fake device whose sole purpose is to', ['devid-clash', 'two-commands']),
    measured(
      'but instead uses the VPE LPIs',
      ['roll-over-loses-doorbells'],
      'Events of the proxy are mapped to the doorbells.',
    ),
    measured('would require 6 commands to issue an invalidation', ['six-commands']),
    measured('at least one event per physical CPU', ['two-commands', 'six-beyond-the-slots']),
    measured('until we roll over and need to reallocate this slot', [
      'mapped-until-roll-over',
      'six-beyond-the-slots',
    ]),
    measured('we only need 2 commands', ['two-commands']),
    measured(
      'we always issue a CLEAR on entry',
      ['clear-on-entry'],
      'On GICv4.0. With GICv4.1 the doorbell is managed by hardware.',
    ),
    measured('an INV on each side of a trapped WFI', ['clear-on-entry']),
    measured('Bad luck. Get yourself a better implementation', ['devid-clash']),
    code(
      'the only way to perform an invalidate is to use a fake',
      'IHI 0069: without Direct LPI there is no register that invalidates an LPI, and INV names an event. vpe-direct shows what there is with it.',
      ['six-commands'],
    ),
    measured("only issue an UNMAP if we're short on available slots", ['six-beyond-the-slots']),
    measured(
      'its_send_discard(vpe_proxy.dev, vpe->vpe_proxy_event)',
      ['roll-over-loses-doorbells'],
      'IHI 0069, "DISCARD": the pending state is cleared.',
    ),
    measured('this might just generate a ripple', ['ripple']),
    measured("hope VPEs don't migrate too often", ['ripple', 'mapped-until-roll-over']),
    measured('This slot was already allocated. Kick the other VPE out.', ['roll-over-loses-doorbells']),
    measured('if mapped', ['mapped-until-roll-over'], 'As posted; today Linux moves the event with MOVI.'),
    measured(
      'Changing affinity is mega expensive',
      ['mapped-until-roll-over'],
      'Predictions, "cost of affinity".',
    ),
    measured('while (gic_read_lpir(rdbase + GICR_SYNCR) & 1)', ['waits-for-the-hardware']),
    measured('its_vpe_db_proxy_unmap(vpe)', ['roll-over-loses-doorbells']),
    code(
      'Any ITS will do, even if not v4',
      'The proxy needs MAPTI, INV, INT, CLEAR and DISCARD only, which every ITS has. The designs vpe-proxy* use ITS 0.',
    ),
    code(
      'entries = roundup_pow_of_two(nr_cpu_ids)',
      'ProxyDriver: roundUpPowerOfTwo(pes). With one PE, its_create_device makes two events (nr_ites = max(2, n)), which the next statement forbids.',
      ['two-commands'],
    ),
    code(
      'BUG_ON(entries != vpe_proxy.dev->nr_ites)',
      'It fails on a machine with one PE, where entries is 1 and nr_ites 2. Without it, as in Linux today, next_victim runs modulo 2 over an array of one. It was read, not run: only a Linux with GICv4.0 and one PE shows it.',
    ),
    measured('Use the last possible DevID', ['devid-clash']),
  ],
  '003_c2af753a618f104a.txt': [
    measured(
      'Which is exactly what platform-MSI already does',
      ['mask-in-the-device', 'two-blocks'],
      'The designs platform-msi and dev-msi differ in these two.',
    ),
    measured('also provides a custom mask/unmask to the device', ['mask-in-the-device']),
    measured('custom write msg', ['two-blocks'], 'The message that is written is that of the parent domain.'),
    code(
      'return (devid << (32 - DEV_ID_SHIFT)) | desc->platform.msi_index',
      'hwirq.ts computes the same; its collision is run.',
      ['vectors-of-a-device'],
    ),
    measured('#define MAX_DEV_MSIS (1 << (32 - DEV_ID_SHIFT))', ['vectors-of-a-device']),
    measured('dev-msi is invisible to DT/ACPI', ['two-blocks']),
    code(
      'parent = irq_get_default_host()',
      'As posted. Nothing in arm64’s GICv3 driver sets a default host, so that on an ITS this returns -ENXIO. The design takes the first ITS, so that the rest can be measured.',
      ['two-blocks'],
    ),
    measured('How is it going to work once you have devices sending their MSIs to two', ['two-blocks']),
    not(
      'introduce 2 IRQ domains- with/without',
      'Interrupt remapping of x86 is not modelled. On an ITS, translation cannot be left out.',
    ),
    code('inventing a whole new "DEV-MSI" when', LINUX_ONLY, ['mask-in-the-device']),
    code(
      'explicitly deny pci devices from using the dev_msi alloc/free calls',
      `${LINUX_ONLY} Operations have a kind of device (platform, msi-x); no driver here refuses one for it.`,
    ),
    measured('masking an interrupt is an irqchip operation, and only', ['mask-in-the-device']),
    measured(
      'Ultimately the mask/unmask is a device operation right?',
      ['mask-in-the-device'],
      'Not for an LPI, which is enabled by its configuration byte.',
    ),
    measured(
      'no different from pci mask/unmask',
      ['mask-in-the-device'],
      'pci_msi_mask_irq masks in the device and then in the parent.',
    ),
    code('You are merely moving existing code', LINUX_ONLY),
  ],
  '004_3bf893ae78a60e80.txt': [
    measured('inject SPIs', ['mbi-instead', 'spi-space']),
    not('interface with the ACPI GSI layer for that', FIRMWARE),
    measured('much larger than the equivalent x86 space (close to 1000)', ['spi-space']),
    not('I really want to see a firmware spec that works for', FIRMWARE),
    measured('care of allocating & managing the SPI interrupt', [
      'spi-space',
      'first-zero-bit',
      'unsigned-index',
      'edge-configuration',
      'one-message-one-run',
    ]),
    code(
      'parent itself to the architectural GIC IRQ chip for',
      'pci-hyperv.c: hv_pci_vec_irq_domain_alloc allocates in the parent and sets the type to edge; mask, unmask, affinity and EOI are the parent’s. hyperv-spi calls spi-parent for all of them.',
      ['mask-in-the-device'],
    ),
    not(
      'architectural GIC IRQ domain generically for virtual devices',
      'Linux’s answer is acpi_irq_create_hierarchy, which finds the GIC’s domain by its GSI model. No replay shows how a domain was found.',
    ),
    not('irq_find_xyz', 'As before: no replay shows how a domain was found.'),
    measured(
      'be able to support all scenarios such as Live Migration',
      ['live-migration'],
      'With `host left behind`: the host that made the messages must carry them.',
    ),
    measured('MSI address & data that gets programmed on the device', [
      'live-migration',
      'message-of-each-redistributor',
    ]),
    measured(
      'use the architectural',
      ['architectural-methods', 'mbi-instead'],
      'The designs differ in compose (who makes the message) only; the rest is the GIC’s.',
    ),
  ],
};
