// GICv4.1: each vPE has one default doorbell, which Linux enables when the hypervisor requests it and then leaves enabled.
// Whether it rings is asked for at the end of each residency (GICR_VPENDBASER.Doorbell), and hardware clears it when the
// vPE becomes resident.
import { PLAIN } from '../../../profile/index.ts';
import { GICR, GITS, NO_DOORBELL, packFields, unpackField } from '../../../spec/index.ts';
import type { Bus } from '../../bus.ts';
import { type Design, type Ledger, type Result, unsupported, type Vlpi } from '../../driver.ts';
import type { Vector } from '../../operation.ts';
import { type DoorbellCommand, LINUX, type Vpe, VpeDriver } from './vpe-driver.ts';

const VPROPBASER = GICR.GICR_VPROPBASER.views['GICv4.1'];
const BASER = GITS.GITS_BASER.views['64 KB pages'];
const VPENDBASER = GICR.GICR_VPENDBASER.views['GICv4.1'];
const VALID = packFields(VPENDBASER, { Valid: 1 });
const PENDING_LAST = packFields(VPENDBASER, { PendingLast: 1 });
const DOORBELL = packFields(VPENDBASER, { Doorbell: 1 });

/** Which version of Linux. */
interface Version {
  /**
   * Until 6.7, a vPE is not moved by VMOVP between PEs that share a vPE table, so its doorbell stays on the old PE (fixed
   * by "irqchip/gic-v3-its: Fix GICv4.1 VPE affinity update").
   */
  readonly skipsMoves: boolean;
  /** Until 6.9, VMAPP with V = 0 is followed by VSYNC of the vPE that is then unmapped. */
  readonly syncsUnmap: boolean;
}

class V41Driver extends VpeDriver {
  protected override readonly syncsUnmap: boolean;
  protected override readonly hasEventDoorbells = false;
  private readonly version: Version;
  /** For each PE that has been online, GICR_TYPER's affinity up to the level of CommonLPIAff. */
  private readonly groupOf = new Map<number, number>();

  constructor(bus: Bus, ledger: Ledger, version: Version) {
    // Redistributors with GICR_TYPER.RVPEID have GICR_INVLPIR, whatever GICR_TYPER.DirectLPI says.
    super(bus, ledger, { directLpi: true });
    this.version = version;
    this.syncsUnmap = version.syncsUnmap;
  }

  /** allocate_vpe_l1_table: the vPE table is that of a PE of the same group, if there is one, or that of the ITS. */
  protected override firstOnline(pe: number): void {
    const { bus, groupOf } = this;
    if ((bus.read('GICR_VPENDBASER', pe) & VALID) !== 0n) bus.write('GICR_VPENDBASER', pe, PENDING_LAST);
    const group = groupIn(bus.read('GICR_TYPER', pe));
    let table: bigint | undefined;
    for (const other of [...groupOf.keys()].sort((a, b) => a - b)) {
      if (groupIn(bus.read('GICR_TYPER', other)) !== group) continue;
      table = bus.read('GICR_VPROPBASER', other) & ~packFields(VPROPBASER, { Z: 1 });
      break;
    }
    groupOf.set(pe, group);
    if (table === undefined) {
      bus.read('GICR_TYPER', pe);
      table = this.tableOfIts();
    }
    bus.write('GICR_VPROPBASER', pe, table);
  }

  /** GICR_VPROPBASER for the vPE table of the ITS. */
  private tableOfIts(): bigint {
    const { vpeBaser } = this.nodes[0]!;
    const field = (name: (typeof BASER)[number]['name']) => unpackField(BASER, name, vpeBaser);
    return packFields(VPROPBASER, {
      Valid: 1,
      Indirect: field('Indirect'),
      Page_Size: field('Page_Size'),
      // Linux leaves this field out, because it is read-only. The simulator stores it.
      Entry_Size: field('Entry_Size') / 8,
      Size: field('Size'),
      Shareability: field('Shareability'),
      InnerCache: field('InnerCache'),
      Physical_Address: field('Physical_Address_47_16'),
    });
  }

  /** allocate_vpe_l2_table, for each Redistributor. */
  protected override created(): void {
    for (const pe of this.groupOf.keys()) this.bus.read('GICR_VPROPBASER', pe);
  }

  protected act({ id }: Vpe, command: DoorbellCommand): void {
    // KVM clears a doorbell on GICv4.0 only.
    if (command !== 'INV') return;
    this.bus.post([
      { name: 'INVDB', operands: { vPEID: id } },
      { name: 'VSYNC', operands: { vPEID: id } },
    ]);
  }
  /** Nothing: GICR_VPENDBASER.Doorbell says it at the end of the residency. */
  protected override setDoorbell(): void {}
  protected override setPendingDoorbell(): Result {
    return unsupported('the chip of GICv4.1 doorbells has no irq_set_irqchip_state');
  }
  /** The doorbell is enabled when it is requested, without IRQ_NOAUTOEN. */
  protected override requested(vpe: Vpe): void {
    this.lpis.configure(vpe.doorbell, true);
    this.act(vpe, 'INV');
  }

  protected moved(): void {}
  protected override needsMove(from: number, to: number): boolean {
    return !this.version.skipsMoves || this.groupOf.get(from) !== this.groupOf.get(to);
  }

  /** The first VMAPP of a vPE allocates, and the last one frees. */
  protected override mapOperands({ mappings, config, doorbell }: Vpe): Readonly<Record<string, number>> {
    return { Alloc: mappings === 0 ? 1 : 0, VCONF_addr: config, Default_Doorbell_pINTID: doorbell };
  }
  protected override unmapOperands({ mappings }: Vpe): Readonly<Record<string, number>> {
    return { Alloc: mappings === 0 ? 1 : 0 };
  }
  protected override moveOperands({ doorbell }: Vpe): Readonly<Record<string, number>> {
    return { DB: 1, Default_Doorbell_pINTID: doorbell };
  }
  protected override eventDoorbell(): number {
    return NO_DOORBELL;
  }

  protected override invalidateVlpi(_of: Vector, vpe: Vpe, { vINTID }: Vlpi): void {
    this.invalidate(packFields(GICR.GICR_INVLPIR, { V: 1, vPEID: vpe.id, INTID: vINTID }), vpe.pe);
  }
  protected override invalidateAll(vpe: Vpe): void {
    this.bus.write('GICR_INVALLR', vpe.pe, packFields(GICR.GICR_INVALLR, { V: 1, vPEID: vpe.id }));
    this.waitForSync(vpe.pe);
  }

  protected makeResident({ id }: Vpe, pe: number): void {
    this.bus.write('GICR_VPENDBASER', pe, packFields(VPENDBASER, { Valid: 1, VGrp1En: 1, vPEID: id }));
  }

  /**
   * its_vpe_4_1_deschedule: a vPE that blocks asks for its doorbell; one that is preempted says that it will be back, by
   * PendingLast. A vPE whose doorbell nobody has masked or unmasked blocks.
   */
  protected endResidency(vpe: Vpe, pe: number): void {
    const { bus } = this;
    const blocks = vpe.doorbellMasked !== true;
    const before = bus.read('GICR_VPENDBASER', pe) & ~VALID;
    bus.write('GICR_VPENDBASER', pe, blocks ? (before & ~PENDING_LAST) | DOORBELL : before | PENDING_LAST);
    const isDone = (value: bigint) => unpackField(VPENDBASER, 'Dirty', value) === 0;
    const after = bus.poll('GICR_VPENDBASER', pe, isDone);
    vpe.pendingLast = !blocks || unpackField(VPENDBASER, 'PendingLast', after) === 1;
  }
}

/** The affinity in GICR_TYPER up to the level of CommonLPIAff: equal for PEs that share a vPE table. */
function groupIn(typer: bigint): number {
  const level = unpackField(GICR.GICR_TYPER, 'CommonLPIAff', typer);
  const affinity = Number(typer >> 32n);
  return level === 0 ? 0 : affinity >>> (32 - 8 * level);
}

const design = (name: string, doc: string, version: Version): Design => ({
  name,
  doc,
  serves: 'vpes',
  masks: 'both',
  profile: 'architecture',
  hardware: { ...PLAIN, architecture: 4, virtualLpis: '4.1' },
  source: LINUX,
  make: (bus, ledger) => new V41Driver(bus, ledger, version),
});

export const vpeV41 = design('vpe-v41', 'GICv4.1 default doorbells, as in Linux 6.10 and later.', {
  skipsMoves: false,
  syncsUnmap: false,
});
export const vpeV41Skip = design(
  'vpe-v41-skip',
  'GICv4.1 default doorbells, as in Linux before 6.8: no VMOVP between PEs that share a vPE table.',
  { skipsMoves: true, syncsUnmap: true },
);
