// vPEs, their vLPIs and their doorbells as Linux's ITS driver handles them (drivers/irqchip/irq-gic-v3-its.c,
// irq-gic-v4.c), in addition to devices. A design defines how a doorbell is invalidated, cleared and set, and what a move
// of the vPE means for it.
import type { Hardware } from '../../../profile/index.ts';
import { PLAIN } from '../../../profile/index.ts';
import { type CommandName, LPI_FIRST, NO_DOORBELL } from '../../../spec/index.ts';
import type { Bus, Message } from '../../bus.ts';
import {
  exhausted,
  failed,
  keyOf,
  type Ledger,
  type Result,
  roundUpPowerOfTwo,
  unsupported,
  type Vlpi,
} from '../../driver.ts';
import { TABLES } from '../../its-node.ts';
import type { Operation, Vector } from '../../operation.ts';
import { ItsDriver, PLAIN_ITS, type Variant } from '../its-driver.ts';

export const LINUX = 'drivers/irqchip/irq-gic-v3-its.c, irq-gic-v4.c';
export const GICV40: Hardware = { ...PLAIN, architecture: 4, virtualLpis: '4.0' };
/** vINTID bits of a vPE's tables (LPI_NRBITS). */
export const VPE_ID_BITS = 16;
const VPT_BYTES = 2 ** VPE_ID_BITS;
/** Configuration of a vLPI: priority 0xa0, and enabled or not. Bit 1 is RES1. */
const VLPI_DISABLED = 0xa2;
const VLPI_ENABLED = 0xa3;

export interface Vpe {
  readonly id: number;
  /** INTID of its doorbell LPI. */
  readonly doorbell: number;
  pe: number;
  /** How many mappings it has: VMAPPs with V = 1, less those with V = 0 (vmapp_count). */
  mappings: number;
  /** Its virtual pending table, and the configuration table of its VM: physical addresses. */
  readonly table: number;
  readonly config: number;
  /** Whether its table has been zeroed, which happens when it is first mapped; nobody reads it before that. */
  isZeroed: boolean;
  /** Whether the doorbell is masked in its configuration; undefined if no operation has configured it. */
  doorbellMasked: boolean | undefined;
  /** GICR_VPENDBASER.PendingLast when it was last descheduled. */
  pendingLast: boolean;
  /** GICR_VPENDBASER.IDAI when it was last descheduled; set before that. */
  idai: boolean;
}

export type DoorbellCommand = 'INV' | 'CLEAR' | 'INT';

/** A vector that is forwarded to a vPE. */
interface Forwarded {
  vpe: Vpe;
  /** Its vINTID is LPI_FIRST + n. */
  readonly n: number;
  /** Whether its event has the vPE's doorbell (GICv4.0). It has none while the guest has disabled the vLPI. */
  doorbell: boolean;
  isEnabled: boolean;
}

export abstract class VpeDriver extends ItsDriver {
  private readonly vpes = new Map<number, Vpe>();
  private readonly byDoorbell = new Map<number, number>();
  private readonly forwarded = new Map<number, Forwarded>();
  /** vLPIs from INTID 8192 on, and their configurations. All vPEs are taken to be of one VM. */
  private readonly vlpis: Vector[] = [];
  private config = 0;

  constructor(bus: Bus, ledger: Ledger, variant: Partial<Variant> = {}) {
    super(bus, ledger, { ...PLAIN_ITS, ...variant });
  }

  // ---- defined by each design ------------------------------------------------------------------------------------

  /** Invalidates, clears or sets the doorbell of a vPE. */
  protected abstract act(vpe: Vpe, command: DoorbellCommand): void;
  /** The hypervisor masks or unmasks a doorbell (disable_irq and enable_irq in irq-gic-v4.c). */
  protected setDoorbell(vpe: Vpe, masked: boolean): void {
    this.lpis.configure(vpe.doorbell, !masked);
    this.act(vpe, 'INV');
  }
  /** Called when a vPE has moved, to adjust its doorbell. */
  protected abstract moved(vpe: Vpe, from: number): void;
  /** Whether a vPE has to be moved by VMOVP from one PE to another. */
  protected needsMove(_from: number, _to: number): boolean {
    return true;
  }
  /** Called when the doorbell of a vPE is no longer needed. */
  protected release(_vpe: Vpe): void {}
  /** Called when the doorbell of a vPE has been requested by the hypervisor, after the vPE has been mapped. */
  protected requested(_vpe: Vpe): void {}
  protected abstract makeResident(vpe: Vpe, pe: number): void;
  /** Ends a vPE's residency, and waits until it has ended. */
  protected abstract endResidency(vpe: Vpe, pe: number): void;
  /** Operands of VMAPP and VMOVP in addition to those of GICv4.0. */
  protected mapOperands(_vpe: Vpe): Readonly<Record<string, number>> {
    return {};
  }
  protected unmapOperands(_vpe: Vpe): Readonly<Record<string, number>> {
    return {};
  }
  protected moveOperands(_vpe: Vpe): Readonly<Record<string, number>> {
    return {};
  }
  /** Whether VMAPP with V = 0 is followed by VSYNC. */
  protected readonly syncsUnmap: boolean = true;
  /** Whether the doorbell of an event is removed while the guest has disabled its vLPI (its_vlpi_set_doorbell). */
  protected readonly hasEventDoorbells: boolean = true;
  /** Dbell_pINTID of the events that are forwarded to a vPE. */
  protected eventDoorbell(vpe: Vpe): number {
    return vpe.doorbell;
  }
  /** Called when a vPE has been made. */
  protected created(): void {}
  /** Invalidates the configuration of a vLPI. */
  protected invalidateVlpi(of: Vector, vpe: Vpe, _vlpi: Vlpi): void {
    this.postToVpe('INV', vpe, eventOf(of));
  }
  /** Invalidates the configurations of all vLPIs of a vPE. */
  protected invalidateAll(vpe: Vpe): void {
    this.postToVpe('VINVALL', vpe, { vPEID: vpe.id });
  }
  /** Frees vPEs because one of their VM could not be made: `count` of them from vPE `first` on, with doorbells from `lpi` on. */
  protected freeVpes(first: number, lpi: number, count: number): void {
    for (let k = 0; k < count; k++) {
      this.vpes.delete(first + k);
      this.byDoorbell.delete(lpi + k);
      this.ledger.give('vPE tables');
    }
  }

  // ---- operations --------------------------------------------------------------------------------------------

  /** Posts a command and the VSYNC of a vPE. */
  protected postToVpe(name: CommandName, vpe: Vpe, operands: Readonly<Record<string, number>>): void {
    this.bus.post([
      { name, operands },
      { name: 'VSYNC', operands: { vPEID: vpe.id } },
    ]);
  }

  override run(o: Operation): Result {
    switch (o.op) {
      case 'vm.alloc':
        return this.allocVm(o.vpe, o.count);
      case 'vpe.map':
        return this.map(o.vpe, o.pe);
      default:
        return 'vpe' in o ? this.ofVpe(o) : super.run(o);
    }
  }

  private ofVpe(o: Operation & { readonly vpe: number }): Result {
    const vpe = this.vpes.get(o.vpe);
    if (vpe === undefined) return unsupported('no such vPE');
    switch (o.op) {
      case 'vlpi.map':
        return this.forward(vpe, o);
      case 'vpe.unmap':
        this.unmap(vpe);
        return 'done';
      case 'vpe.invalidate':
        this.invalidateAll(vpe);
        return 'done';
      case 'vpe.schedule':
        this.makeResident(vpe, o.pe);
        return 'done';
      case 'vpe.deschedule':
        this.endResidency(vpe, o.pe);
        return 'done';
      case 'vpe.move':
        return this.move(vpe, o.pe);
      case 'doorbell.invalidate':
        // The operation does not contain the new configuration, so the byte is written as it is and invalidated.
        vpe.doorbellMasked = undefined;
        this.lpis.configure(vpe.doorbell, true);
        this.act(vpe, 'INV');
        return 'done';
      case 'doorbell.mask':
      case 'doorbell.unmask':
        vpe.doorbellMasked = o.op === 'doorbell.mask';
        this.setDoorbell(vpe, vpe.doorbellMasked);
        return 'done';
      case 'doorbell.clear':
        this.act(vpe, 'CLEAR');
        return 'done';
      case 'doorbell.set':
        return this.setPendingDoorbell(vpe);
      case 'doorbell.release':
        this.release(vpe);
        return 'done';
      default:
        return unsupported('an ITS has no such thing');
    }
  }

  protected setPendingDoorbell(vpe: Vpe): Result {
    this.act(vpe, 'INT');
    return 'done';
  }

  /** its_vpe_set_affinity, which refuses a vPE that is not mapped, and does nothing if the vPE is on that PE already. */
  private move(vpe: Vpe, pe: number): Result {
    if (vpe.mappings <= 0) return unsupported('the vPE is not mapped');
    const from = vpe.pe;
    if (from === pe) return 'done';
    vpe.pe = pe;
    if (!this.needsMove(from, pe)) return 'done';
    this.postToVpe('VMOVP', vpe, { vPEID: vpe.id, RDbase: pe, ...this.moveOperands(vpe) });
    this.moved(vpe, from);
    return 'done';
  }

  // ---- vLPIs -------------------------------------------------------------------------------------------------

  /** its_vlpi_map: a vector becomes a vLPI, or the vLPI moves to another vPE. */
  private forward(vpe: Vpe, of: Vector): Result {
    const device = this.deviceOf(of.device);
    if (device === undefined) return unsupported('no such device');
    if (of.vector >= device.count) return exhausted('events of the device');
    const key = keyOf(of.device, of.vector);
    const own = this.forwarded.get(key);
    if (own !== undefined) {
      own.vpe = vpe;
      this.moveVlpi(of, own);
      return 'done';
    }
    let n = this.numberOf(of);
    if (n < 0) n = this.vlpis.push({ device: of.device, vector: of.vector }) - 1;
    this.forwarded.set(key, { vpe, n, doorbell: true, isEnabled: true });
    this.bus.store(this.config + n, VLPI_ENABLED);
    const pe = this.targetOf(of.device, of.vector);
    // A vector that the hypervisor has not requested has no physical mapping that could be dropped.
    if (this.isActive(of.device, of.vector)) this.post('DISCARD', eventOf(of), pe, device.its);
    this.postToVpe('VMAPTI', vpe, {
      ...eventOf(of),
      vPEID: vpe.id,
      vINTID: LPI_FIRST + n,
      Dbell_pINTID: this.eventDoorbell(vpe),
    });
    return 'done';
  }
  private numberOf(of: Vector): number {
    return this.vlpis.findIndex((one) => one.device === of.device && one.vector === of.vector);
  }

  private moveVlpi(of: Vector, { vpe, doorbell }: Forwarded): void {
    this.postToVpe('VMOVI', vpe, {
      ...eventOf(of),
      vPEID: vpe.id,
      D: 1,
      Dbell_pINTID: doorbell ? this.eventDoorbell(vpe) : NO_DOORBELL,
    });
  }

  protected override vector(o: Operation & Vector): Result {
    const key = keyOf(o.device, o.vector);
    const own = this.forwarded.get(key);
    if (own === undefined) return super.vector(o);
    switch (o.op) {
      case 'activate':
        // its_vlpi_unmap: the vLPI is discarded, and the physical LPI is mapped again.
        this.forwarded.delete(key);
        this.post('DISCARD', eventOf(o), this.targetOf(o.device, o.vector), this.deviceOf(o.device)!.its);
        return super.vector(o);
      case 'mask':
      case 'unmask':
      case 'reconfigure':
        return this.reconfigureVlpi(o, own);
      case 'set_pending':
        this.postToVpe(o.pending ? 'INT' : 'CLEAR', own.vpe, eventOf(o));
        return 'done';
      case 'set_affinity':
        // irq_set_affinity of a forwarded interrupt is refused.
        return unsupported('the vector is forwarded to a vPE');
      case 'deactivate':
        this.forwarded.delete(key);
        return super.vector(o);
      default:
        return super.vector(o);
    }
  }

  /** its_vlpi_prop_update: the guest has changed the configuration of the vLPI. */
  private reconfigureVlpi(o: Operation & Vector, own: Forwarded): Result {
    if (o.op !== 'reconfigure') own.isEnabled = o.op === 'unmask';
    this.bus.store(this.config + own.n, own.isEnabled ? VLPI_ENABLED : VLPI_DISABLED);
    this.invalidateVlpi(o, own.vpe, { pendingTable: own.vpe.table, vINTID: LPI_FIRST + own.n });
    if (this.hasEventDoorbells && own.doorbell !== own.isEnabled) {
      own.doorbell = own.isEnabled;
      this.moveVlpi(o, own);
    }
    return 'done';
  }

  protected override free(id: number): Result {
    for (const key of this.forwarded.keys())
      if (Math.floor(key / keyOf(1, 0)) === id) this.forwarded.delete(key);
    return super.free(id);
  }

  // ---- vPEs --------------------------------------------------------------------------------------------------

  /** Makes a vPE with a doorbell and its tables. Returns undefined if an allocation is refused. */
  private createVpe(id: number, doorbell: number): Vpe | undefined {
    if (!this.ledger.allocate('vPE tables', 'vPE tables')) return undefined;
    for (const node of this.nodes) node.allocateEntry(TABLES.vPEs, id);
    this.created();
    if (this.config === 0) this.config = this.bus.memory(VPT_BYTES);
    const vpe: Vpe = {
      id,
      doorbell,
      pe: 0,
      mappings: 0,
      table: this.bus.reserve(VPT_BYTES),
      config: this.config,
      isZeroed: false,
      doorbellMasked: undefined,
      pendingLast: false,
      idai: true,
    };
    this.vpes.set(id, vpe);
    this.byDoorbell.set(doorbell, id);
    return vpe;
  }

  /** Allocates doorbells and tables for the vPEs of a VM. If one vPE fails, those before it are freed. */
  private allocVm(first: number, count: number): Result {
    const doorbells = roundUpPowerOfTwo(count);
    const lpi = this.lpis.take(doorbells);
    if (lpi < 0) return lpi === -1 ? exhausted('LPIs') : failed('LPI range');
    if (!this.ledger.allocate('property table', 'property tables')) {
      this.lpis.give(lpi, doorbells);
      return failed('property table');
    }
    for (let n = 0; n < count; n++) {
      if (this.createVpe(first + n, lpi + n) !== undefined) continue;
      this.freeVpes(first, lpi, n);
      this.lpis.give(lpi, doorbells);
      this.ledger.give('property tables');
      return failed('vPE tables');
    }
    return 'done';
  }

  /** Activates the doorbell of a vPE, which maps the vPE. It is made first if it was not allocated as part of a VM. */
  private map(id: number, pe: number): Result {
    let vpe = this.vpes.get(id);
    if (vpe === undefined) {
      const doorbell = this.lpis.take(1);
      if (doorbell < 0) return doorbell === -1 ? exhausted('LPIs') : failed('LPI range');
      vpe = this.createVpe(id, doorbell);
      if (vpe === undefined) {
        this.lpis.give(doorbell, 1);
        return failed('vPE tables');
      }
    }
    vpe.pe = pe;
    if (!vpe.isZeroed) this.bus.zero(vpe.table, VPT_BYTES);
    vpe.isZeroed = true;
    this.postToVpe('VMAPP', vpe, {
      vPEID: id,
      RDbase: pe,
      V: 1,
      VPT_addr: vpe.table,
      VPT_size: VPE_ID_BITS - 1,
      ...this.mapOperands(vpe),
    });
    vpe.mappings++;
    // its_vpe_irq_domain_activate sends this on GICv4.1, too.
    this.postToVpe('VINVALL', vpe, { vPEID: id });
    this.requested(vpe);
    return 'done';
  }

  private unmap(vpe: Vpe): void {
    vpe.mappings--;
    const operands = { vPEID: vpe.id, RDbase: 0, V: 0, ...this.unmapOperands(vpe) };
    if (this.syncsUnmap) this.postToVpe('VMAPP', vpe, operands);
    else this.bus.command('VMAPP', operands);
  }

  // ---- called by the testbed ---------------------------------------------------------------------------------

  override message(of: Vector): Message | undefined {
    const message = super.message(of);
    if (message !== undefined || !this.forwarded.has(keyOf(of.device, of.vector))) return message;
    return this.messageOf(of);
  }
  doorbellOf(intid: number): number | undefined {
    return this.byDoorbell.get(intid);
  }
  vlpiOf(vpe: number, vintid: number): Vector | undefined {
    return this.vpes.has(vpe) ? this.vlpis[vintid - LPI_FIRST] : undefined;
  }
  vlpi(id: number, of: Vector): Vlpi | undefined {
    const vpe = this.vpes.get(id);
    const n = this.numberOf(of);
    return vpe === undefined || n < 0 ? undefined : { pendingTable: vpe.table, vINTID: LPI_FIRST + n };
  }
  pendingLast(vpe: number): boolean {
    return this.vpes.get(vpe)?.pendingLast === true;
  }
}

const eventOf = ({ device, vector }: Vector) => ({ DeviceID: device, EventID: vector });
