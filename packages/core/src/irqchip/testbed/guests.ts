// vPEs as a hypervisor sees them: where each is resident, whether it has blocked, and whether it has been woken. Nothing
// here decides about interrupts.

interface Guest {
  /** The PE on which it is resident, or -1. */
  pe: number;
  /** Whether the last operation on its doorbell masked it; undefined if there was none. */
  doorbellMasked: boolean | undefined;
  /** It gave up its PE with its doorbell unmasked, and runs again when the doorbell rings. */
  isBlocked: boolean;
  /** Since it blocked, the hypervisor has learned that it has something to do. */
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

  reset(): void {
    this.guests.clear();
    this.resident.clear();
  }

  /** The vPE that is resident on a PE, or undefined. */
  on(pe: number): number | undefined {
    return this.resident.get(pe);
  }

  /** Makes a vPE resident. Returns whether it had blocked and nothing has woken it. */
  enter(vpe: number, pe: number): boolean {
    const guest = this.of(vpe);
    const isUnwoken = guest.isBlocked && !guest.isWoken;
    this.resident.set(pe, vpe);
    Object.assign(guest, { pe, isBlocked: false, isWoken: false });
    return isUnwoken;
  }

  /** Ends the residency of a vPE. `pendingLast` is GICR_VPENDBASER.PendingLast: it has pending vLPIs. */
  leave(vpe: number, pe: number, pendingLast: boolean): void {
    const guest = this.of(vpe);
    this.resident.delete(pe);
    Object.assign(guest, { pe: -1, isBlocked: guest.doorbellMasked === false, isWoken: pendingLast });
  }
}
