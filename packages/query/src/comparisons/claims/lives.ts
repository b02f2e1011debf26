// Scenarios in which devices and vPEs go through all that can happen to them: masked, moved, busy PEs, offline PEs, freed and
// allocated again.
import { type Scenario, scenario } from '@gictrace/recorder';

/** A device keeps sending the message of a vector that has been freed, and another device gets what was freed. */
export function stale(): Scenario {
  return scenario('a message of a vector that was freed', { pes: 4 })
    .device('old', { id: 8, vectors: 1 })
    .device('new', { id: 16, vectors: 1 })
    .online(0, 1, 2, 3)
    .alloc('old')
    .activate('old/0', 0)
    .unmask('old/0')
    .fire('old/0')
    .mask('old/0')
    .deactivate('old/0')
    .forge('old/0', 'old')
    .free('old')
    .alloc('new')
    .activate('new/0', 0)
    .unmask('new/0')
    .forge('old/0', 'old')
    .fire('new/0')
    .build();
}

/** The life of a device that has no mask of its own, beside that of another one. */
export function life(): Scenario {
  return (
    scenario('the life of a device', { pes: 4 })
      .device('nic', { id: 8, vectors: 3, kind: 'platform' })
      .device('disk', { id: 16, vectors: 1, kind: 'platform' })
      .online(0, 1, 2, 3)
      .alloc('nic')
      .alloc('disk')
      .activate('nic/0', 0)
      .activate('nic/1', 1)
      .activate('nic/2', 3)
      .activate('disk/0', 0)
      .unmask('nic/0')
      .unmask('nic/1')
      .unmask('nic/2')
      .unmask('disk/0')
      .fire('nic/0')
      .fire('nic/1')
      .fire('nic/2')
      .fire('disk/0')
      // A masked vector waits, though its GIC has used its configuration before.
      .mask('nic/0')
      .fire('nic/0')
      .fire('disk/0')
      .unmask('nic/0')
      // Two messages are pending for a busy PE, and one of them moves.
      .busy([0], 4)
      .fire('nic/0')
      .fire('disk/0')
      .setAffinity('disk/0', 2)
      .fire('nic/1')
      // Software sets a vector pending, and clears another one.
      .mask('nic/2')
      .setPending('nic/2')
      .clearPending('nic/2')
      .unmask('nic/2')
      .retrigger('nic/1')
      // A PE goes offline after its vector has left it, and comes back.
      .setAffinity('nic/2', 1)
      .offline(3)
      .fire('nic/2')
      .online(3)
      .setAffinity('nic/2', 3)
      .fire('nic/2')
      // It is freed and allocated again, on other PEs.
      .mask('nic/0')
      .mask('nic/1')
      .mask('nic/2')
      .deactivate('nic/0')
      .deactivate('nic/1')
      .deactivate('nic/2')
      .free('nic')
      .alloc('nic')
      .activate('nic/0', 3)
      .activate('nic/1', 2)
      .unmask('nic/0')
      .unmask('nic/1')
      .fire('nic/0')
      .fire('nic/1')
      .fire('disk/0')
      .build()
  );
}

/** A device comes and goes, again and again; in the end it gets a message through. */
export function comings(vectors: number): Scenario {
  return scenario(`a device of ${vectors} vectors comes and goes`, { pes: 1 })
    .device('nic', { id: 8, vectors })
    .online(0)
    .repeat(40, (steps) =>
      steps
        .alloc('nic')
        .activate(`nic/${vectors - 1}`, 0)
        .unmask(`nic/${vectors - 1}`)
        .fire(`nic/${vectors - 1}`)
        .mask(`nic/${vectors - 1}`)
        .deactivate(`nic/${vectors - 1}`)
        .free('nic'),
    )
    .build();
}

/** The name of lifeOfVpes: a program without claims does not make it. */
export const LIVES = 'the life of two vPEs';

/** The lives of two vPEs, with vLPIs that come while they run, while they are preempted, and while they wait. */
export function lifeOfVpes(): Scenario {
  return (
    scenario(LIVES, { pes: 4 })
      .device('nic', { id: 8, vectors: 3 })
      .online(0, 1, 2, 3)
      .vmAlloc(0, 2)
      .vpeMap(0, 0)
      .vpeMap(1, 1)
      .alloc('nic')
      .activate('nic/0', 2)
      .unmask('nic/0')
      .vlpiMap('nic/0', 0)
      .vlpiMap('nic/1', 0)
      .vlpiMap('nic/2', 1)
      .vpeSchedule(0, 0)
      .doorbellClear(0)
      .vpeSchedule(1, 1)
      .doorbellClear(1)
      .fire('nic/0')
      .fire('nic/1')
      .fire('nic/2')
      // It waits and is woken, moves while it waits, and is woken on its new PE.
      .vpeBlock(0, 0)
      .fire('nic/0')
      .vpeUnblock(0, 0)
      .vpeBlock(0, 0)
      .vpeMove(0, 2)
      .fire('nic/1')
      .vpeUnblock(0, 2)
      // It moves, and waits only then.
      .vpeBlock(1, 1)
      .vpeMove(1, 3)
      .fire('nic/2')
      .vpeUnblock(1, 3)
      .vpeBlock(1, 3)
      .fire('nic/2')
      .vpeUnblock(1, 3)
      // The guest disables a vLPI while it is pending, and enables it again.
      .mask('nic/0')
      .fire('nic/0')
      .fire('nic/1')
      .unmask('nic/0')
      // A vLPI moves to the other vPE.
      .vlpiMap('nic/1', 1)
      .fire('nic/1')
      // The guest sets a vLPI pending and clears one that waits.
      .setPending('nic/0')
      .vpeBlock(0, 2)
      .fire('nic/0')
      .vpeMove(0, 1)
      .vpeUnblock(0, 1)
      .fire('nic/2')
      .build()
  );
}
