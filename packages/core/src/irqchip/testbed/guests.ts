// vPEs as a hypervisor knows them: where each is resident, whether it blocked, whether it has been woken. Decides
// nothing about interrupts.

interface Guest {
  /** Where it is resident, or -1. */
  pe: number;
  /** What the last operation said of its doorbell; undefined: none said. */
  doorbellMasked: boolean | undefined;
  /** It gave up its PE with its doorbell unmasked: it runs again when that rings. */
  isBlocked: boolean;
  /** Since then the hypervisor has been told that it has something to do. */
  isWoken: boolean;
}

export class Guests {
  private readonly guests = new Map<number, Guest>();
  private readonly resident = new Map<number, number>();

  of(vpe: number): Guest {
    let guest = this.guests.get(vpe);
    if (guest === undefined) {
      guest = { pe: -1, doorbellMasked: undefined, isBlocked: false, isWoken: false };
      this.guests.set(vpe, guest);
    }
    return guest;
  }

  /** The vPE that is resident on a PE, or undefined. */
  on(pe: number): number | undefined {
    return this.resident.get(pe);
  }

  /** Becomes resident; answers whether it had blocked and nothing has woken it. */
  enter(vpe: number, pe: number): boolean {
    const guest = this.of(vpe);
    const isUnwoken = guest.isBlocked && !guest.isWoken;
    this.resident.set(pe, vpe);
    Object.assign(guest, { pe, isBlocked: false, isWoken: false });
    return isUnwoken;
  }

  /** Is resident no more. `pendingLast`: GICR_VPENDBASER said that it has vLPIs pending. */
  leave(vpe: number, pe: number, pendingLast: boolean): void {
    const guest = this.of(vpe);
    this.resident.delete(pe);
    Object.assign(guest, { pe: -1, isBlocked: guest.doorbellMasked === false, isWoken: pendingLast });
  }
}
