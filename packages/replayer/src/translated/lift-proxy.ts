// Lifts what a hypervisor does to the doorbells of a GICv4.0: they are LPIs of a proxy device, which no hardware has. The vPE of
// each is identified by what comes before and after (doorbells.ts).
import type { GicConfig } from '@gictrace/core';
import type { Operation } from '@gictrace/core/irqchip';
import { configTableAddress, type Machine } from '@gictrace/core/model';
import type { RecordBatch } from '@gictrace/core/record';
import { type CommandName, LPI_FIRST } from '@gictrace/core/spec';
import { type Association, associations, proxyDevice } from './doorbells.ts';
import { count, type LiftStats } from './lift-parts.ts';

/** Where operations are reported. */
interface To {
  report(operation: Operation): void;
  /** The doorbell of a vPE was moved, which ends a move of the vPE. */
  moved(vpe: number): void;
}

export class ProxyLift {
  private readonly config: GicConfig;
  private readonly stats: LiftStats;
  private readonly to: To;
  private readonly device: number;
  private readonly known = new Map<number, Association[]>();
  /** The doorbell of each event of the proxy device. */
  private readonly doorbells = new Map<number, number>();
  private readonly resident = new Set<number>();
  /** A DISCARD of the proxy that is an eviction if a MAPTI of the same event follows, and a release otherwise. */
  private discarded: { readonly event: number; readonly vpe: number } | undefined;

  constructor(config: GicConfig, stats: LiftStats, to: To) {
    this.config = config;
    this.stats = stats;
    this.to = to;
    this.device = proxyDevice(config);
  }

  /** Whether there may be a proxy device. */
  get exists(): boolean {
    return this.device >= 0;
  }

  /** Whether a command with these operands is about the proxy device. */
  isOwn(o: Readonly<Record<string, number>>): boolean {
    return o.DeviceID === this.device;
  }

  /** Reads a trace once, to identify the vPEs of its doorbells. */
  identify(batches: () => Iterable<{ readonly batch: RecordBatch }>): void {
    if (!this.exists) return;
    const { found, guessed } = associations(this.config, batches());
    for (const [doorbell, vpe] of guessed) {
      this.known.set(doorbell, [{ at: 0, doorbell, vpe }]);
      count(this.stats.inferred, 'vPE of a doorbell: the one whose residency its CLEARs follow');
    }
    for (const one of found) {
      const list = this.known.get(one.doorbell);
      if (list === undefined) this.known.set(one.doorbell, [one]);
      // In a run of equal associations, the first and the last are sufficient.
      else if (list.length > 1 && list.at(-1)!.vpe === one.vpe && list.at(-2)!.vpe === one.vpe)
        list[list.length - 1] = one;
      else list.push(one);
    }
  }

  /** The machine was reset, and its software starts again. */
  reset(): void {
    this.doorbells.clear();
    this.resident.clear();
  }

  /** A vPE became resident, or is no longer. */
  resides(vpe: number, isResident: boolean): void {
    if (isResident) this.resident.add(vpe);
    else this.resident.delete(vpe);
  }

  /** Called before any command is lifted: decides what a DISCARD that was held back is. */
  before(name: CommandName, o: Readonly<Record<string, number>>): void {
    if (this.discarded === undefined || name === 'SYNC') return;
    if (name === 'MAPTI' && this.isOwn(o) && o.EventID === this.discarded.event) this.discarded = undefined;
    else this.released();
  }

  /** Reports the release of a doorbell that was held back. */
  released(): void {
    if (this.discarded === undefined) return;
    const { vpe } = this.discarded;
    this.discarded = undefined;
    if (vpe >= 0) this.to.report({ op: 'doorbell.release', vpe });
  }

  /** The vPE of a doorbell, by the association nearest to this command. */
  private vpeOf(doorbell: number, n: number): number {
    let best = -1;
    let distance = Number.POSITIVE_INFINITY;
    for (const { at, vpe } of this.known.get(doorbell) ?? [])
      if (Math.abs(at - n) < distance) {
        best = vpe;
        distance = Math.abs(at - n);
      }
    if (best < 0) count(this.stats.unlifted, 'operations of a doorbell that is no vPE’s');
    return best;
  }

  /** The `n`th command of a trace, which is about the proxy device. */
  command(n: number, name: CommandName, o: Record<string, number>, machine: Machine): void {
    if (name === 'MAPD') return;
    if (name === 'MAPTI') {
      this.doorbells.set(o.EventID!, o.pINTID!);
      return;
    }
    const doorbell = this.doorbells.get(o.EventID!);
    if (doorbell === undefined) {
      count(this.stats.unlifted, `${name} of an unmapped proxy event`);
      return;
    }
    const vpe = this.vpeOf(doorbell, n);
    if (name === 'MOVI') {
      this.to.moved(vpe);
      return;
    }
    if (name === 'DISCARD') {
      this.discarded = { event: o.EventID!, vpe };
      return;
    }
    if (vpe < 0) return;
    if (name === 'INV') this.to.report({ op: this.doorbellOperation(doorbell, vpe, machine), vpe });
    else if (name === 'CLEAR') this.to.report({ op: 'doorbell.clear', vpe });
    else if (name === 'INT') this.to.report({ op: 'doorbell.set', vpe });
  }

  /**
   * Whether a doorbell was masked or unmasked: by its configuration byte, if that is known. If it is not, by KVM's habit on
   * GICv4.0 to unmask it before the residency ends, and to mask it while the vPE is not resident.
   */
  private doorbellOperation(
    doorbell: number,
    vpe: number,
    { state }: Machine,
  ): 'doorbell.mask' | 'doorbell.unmask' {
    const address = configTableAddress(state, 0) + doorbell - LPI_FIRST;
    if (state.memory.isKnown(address))
      return state.memory.readByte(address) & 1 ? 'doorbell.unmask' : 'doorbell.mask';
    const isUnmasked = this.resident.has(vpe);
    count(
      this.stats.inferred,
      isUnmasked
        ? 'unmask of a doorbell: an INV while its vPE is resident'
        : 'mask of a doorbell: an INV while its vPE is not resident',
    );
    return isUnmasked ? 'doorbell.unmask' : 'doorbell.mask';
  }
}
