// The scenarios of claims that are made for them; others ship with gictrace.
import type { MIGRATED_PARTS } from '@gictrace/core/record';
import { libraryPath, readScenario, type Scenario, scenario } from '@gictrace/recorder';

export const shipped = (name: string): Scenario => readScenario(libraryPath(name));

/** Names of scenarios, as their files have them: a program without claims does not read these. */
export const EVERY_OPERATION = 'each operation of a vPE';
export const BLOCKED = 'ten trapped WFIs';
export const FIRED = 'one message';
export const MOVED = 'a message after a move';

/** Slots of the proxy device of a machine with as many PEs. */
export const SLOTS = 4;
/** Rounds in which the doorbells of vPEs are invalidated in turn, after the slots have been filled. */
export function turns(vpes: number): Scenario {
  const steps = scenario(`${vpes} vPEs`, { pes: SLOTS }).online(0, 1, 2, 3);
  const each = (write: (vpe: number) => unknown) => {
    for (let vpe = 0; vpe < vpes; vpe++) write(vpe);
  };
  each((vpe) => steps.vpeMap(vpe, vpe % SLOTS));
  for (let round = 0; round < 2; round++) each((vpe) => steps.doorbellClear(vpe));
  for (let round = 0; round < 10; round++) each((vpe) => steps.doorbellInvalidate(vpe));
  return steps.build();
}
/** Numbers of vPEs that take turns. */
export const CURVE = [1, 2, 3, 4, 5, 6, 8, 16];

/** Devices of one vector each. */
export function devices(count: number): Scenario {
  const steps = scenario(`${count} devices`, { pes: 1 }).online(0);
  for (let n = 0; n < count; n++) steps.device(`d${n}`, { id: n, vectors: 1 }).alloc(`d${n}`);
  return steps.build();
}

/** Ten devices of three vectors. */
export function threes(): Scenario {
  const steps = scenario('ten devices of three vectors', { pes: 1 }).online(0);
  for (let n = 0; n < 10; n++) steps.device(`d${n}`, { id: 8 * n, vectors: 3 }).alloc(`d${n}`);
  return steps.build();
}

/** All 956 SPIs are allocated, and then two more devices, one of which fires. */
export function full(): Scenario {
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
export function migrating(without: (typeof MIGRATED_PARTS)[number]): Scenario {
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
/** As many vPEs as there are slots; vPE 0 moves, and then the doorbells of all are invalidated. */
export function moves(): Scenario {
  const steps = scenario('vPEs that move', { pes: SLOTS }).online(0, 1, 2, 3);
  for (let vpe = 0; vpe < SLOTS; vpe++) steps.vpeMap(vpe, vpe);
  for (let vpe = 0; vpe < SLOTS; vpe++) steps.doorbellClear(vpe);
  for (let round = 1; round <= 6; round++) {
    steps.vpeMove(0, round % SLOTS);
    for (let vpe = 0; vpe < SLOTS; vpe++) steps.doorbellInvalidate(vpe);
  }
  return steps.build();
}

/** A doorbell is invalidated after its vPE has moved. */
export function moved(): Scenario {
  return scenario('an invalidation after a move', { pes: SLOTS })
    .online(0, 1, 2, 3)
    .vpeMap(0, 0)
    .doorbellClear(0)
    .vpeMove(0, 1)
    .doorbellInvalidate(0)
    .build();
}

/** A vector of a device without a mask of its own is masked and unmasked. */
export function masking(): Scenario {
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
export function everything(): Scenario {
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
export function everythingOfVpes(): Scenario {
  const steps = scenario(EVERY_OPERATION, { pes: 2 })
    .device('nic', { id: 8, vectors: 1 })
    .online(0, 1)
    .vpeMap(0, 0)
    .alloc('nic')
    .activate('nic/0', 1)
    .unmask('nic/0')
    .vlpiMap('nic/0', 0)
    .vpeSchedule(0, 0)
    .fire('nic/0')
    .mask('nic/0')
    .unmask('nic/0')
    .setPending('nic/0')
    .clearPending('nic/0')
    .vlpiMap('nic/0', 0)
    .doorbellClear(0)
    .vpeDeschedule(0, 0)
    .doorbellInvalidate(0)
    .doorbellSet(0)
    .doorbellClear(0)
    .vpeMove(0, 1)
    .vpeSchedule(0, 1)
    .fire('nic/0')
    .doorbellUnmask(0)
    .vpeDeschedule(0, 1)
    .doorbellMask(0)
    .vpeUnmap(0);
  return steps.build();
}
