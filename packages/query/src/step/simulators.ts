// The simulators that a time machine can run: that of GICv3 and GICv4, and that of GICv5. What step asks of them is the same.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { Gicv5Follow, Gicv5Machine, gicv5HeldBy, gicv5Signalled } from '@gictrace/core/gicv5';
import { Follow, type FollowObserver, heldBy, Machine } from '@gictrace/core/model';
import type { RecordBatch } from '@gictrace/core/record';
import { anyIntidText, isSpecial } from '@gictrace/core/spec';

export interface Simulator {
  readonly architecture: 3 | 4 | 5;
  readonly peCount: number;
  readonly state: { save(): Uint8Array; reset(): void; restore(bytes: Uint8Array): void; digest(): string };
  /** The masking reason of an interrupt on its way to a PE; `unknown` if it is not pending there. */
  gateOf(pe: number, intid: number): string;
  /** What a PE is signalled, as text; undefined if nothing. */
  signalled(pe: number): string | undefined;
  /** Runs record `i` of a batch whose first record is `first`. */
  run(batch: RecordBatch, first: number, i: number): void;
  /** The state has been restored or reset. */
  restored(): void;
}

/** The simulator of a GIC; `observer` is called with what it emits. */
export function simulatorOf(config: GicConfig | Gicv5Config, observer: FollowObserver): Simulator {
  return config.architecture === 5 ? gicv5(config, observer) : gicv3(config, observer);
}

function gicv3(config: GicConfig, observer: FollowObserver): Simulator {
  const machine = new Machine(config);
  const follow = new Follow(machine, observer);
  const { state } = machine;
  return {
    architecture: config.architecture,
    peCount: state.peCount,
    state,
    gateOf: (pe, intid) => heldBy(machine, pe, intid).gate,
    signalled: (pe) => {
      const intid = state.hppiIntid[pe]!;
      if (isSpecial(intid)) return undefined;
      return `${anyIntidText(intid)}${state.irq[pe] ? ' IRQ' : state.fiq[pe] ? ' FIQ' : ' (masked)'}`;
    },
    run: (batch, first, i) => follow.take(batch, first, i, i + 1),
    restored: () => machine.invalidate(),
  };
}

function gicv5(config: Gicv5Config, observer: FollowObserver): Simulator {
  const machine = new Gicv5Machine(config);
  const follow = new Gicv5Follow(machine, observer);
  const { state } = machine;
  return {
    architecture: config.architecture,
    peCount: state.peCount,
    state,
    gateOf: (pe, intid) => gicv5HeldBy(machine, pe, intid).gate,
    signalled: (pe) => {
      const intid = gicv5Signalled(machine, pe);
      return intid === 0 ? undefined : anyIntidText(intid);
    },
    run: (batch, first, i) => follow.take(batch, first, i, i + 1),
    restored: () => undefined,
  };
}
