// A scenario that a program writes is the one that a file says; and what verbs stand for.
import { describe, expect, it } from 'vitest';
import { scenario } from './builder.ts';
import { libraryScenarios, scenarioNamed } from './library.ts';
import { parseScenario } from './parse.ts';

const machine = { pes: 2 };
const nic = { id: 8, vectors: 4 };

describe('the builder', () => {
  it('says what a file says', () => {
    const file = parseScenario(
      `scenario: s
machine: { pes: 2 }
devices: { nic: { id: 8, vectors: 4 } }
steps:
  - online: [0, 1]
  - alloc: nic
  - { activate: nic/0, pe: 0 }
  - repeat: 2
    steps: [fire: nic/0, mask: nic/0]
  - interleave:
      - [fire: nic/0, fire: nic/0]
      - [unmask: nic/0, mask: nic/0]
    seed: 5
  - fail: LPI range
    nth: 2
  - migrate: {}
`,
      's.yaml',
    );
    const built = scenario('s', machine)
      .device('nic', nic)
      .online(0, 1)
      .alloc('nic')
      .activate('nic/0', 0)
      .repeat(2, (steps) => steps.fire('nic/0').mask('nic/0'))
      .interleave(
        5,
        (steps) => steps.fire('nic/0').fire('nic/0'),
        (steps) => steps.unmask('nic/0').mask('nic/0'),
      )
      .fail('LPI range', 2)
      .migrate()
      .build();
    expect(built).toEqual(file);
  });

  it('refuses what a file may not say, with the path', () => {
    const steps = scenario('s', machine).device('nic', nic).alloc('disk');
    expect(() => steps.build()).toThrow(/steps\.0\.alloc: there is no device 'disk'/);
    expect(() => scenario('s', { pes: 0 }).online(0).build()).toThrow(/machine\.pes/);
  });
});

describe('verbs that stand for more than one operation', () => {
  const started = () =>
    scenario('s', { pes: 3 })
      .device('nic', nic)
      .device('disk', { id: 16, vectors: 1, managed: true })
      .online(0, 1, 2)
      .alloc('nic')
      .alloc('disk')
      .activate('nic/0', 1)
      .activate('disk/0', 1)
      .unmask('disk/0');
  const told = (steps: ReturnType<typeof started>) => {
    const before = started().build().operations.length;
    return steps.build().operations.slice(before);
  };
  const disk = { device: 16, vector: 0 };

  it('offline: vectors move to the lowest PE that stays, managed ones are shut down', () => {
    expect(told(started().offline(1))).toEqual([
      { op: 'set_affinity', device: 8, vector: 0, pe: 0 },
      { op: 'mask', ...disk },
      { op: 'deactivate', ...disk },
      { op: 'pe.offline', pe: 1 },
    ]);
  });

  it('online: what was shut down is started again', () => {
    expect(told(started().offline(1).online(1)).slice(4)).toEqual([
      { op: 'pe.online', pe: 1 },
      { op: 'activate', ...disk, pe: 1, managed: true },
      { op: 'unmask', ...disk },
    ]);
  });

  it('block and unblock: as KVM does', () => {
    const steps = scenario('s', machine).online(0).vpeMap(3, 0).vpeBlock(3, 0).vpeUnblock(3, 0);
    expect(steps.build().operations.slice(2)).toEqual([
      { op: 'doorbell.unmask', vpe: 3 },
      { op: 'vpe.deschedule', vpe: 3, pe: 0 },
      { op: 'doorbell.mask', vpe: 3 },
      { op: 'vpe.schedule', vpe: 3, pe: 0 },
      { op: 'doorbell.clear', vpe: 3 },
    ]);
  });

  it('storm and retrigger', () => {
    expect(told(started().storm('nic/0', 3).retrigger('nic/0'))).toEqual([
      ...new Array(3).fill({ op: 'fire', device: 8, vector: 0 }),
      { op: 'set_pending', device: 8, vector: 0, pending: true },
    ]);
  });
});

describe('a machine that cannot be', () => {
  const yaml = (steps: string, machine = '{ pes: 2 }', device = '{ id: 8, vectors: 4 }') =>
    `scenario: s\nmachine: ${machine}\ndevices:\n  nic: ${device}\nsteps:\n${steps}`;
  it.each([
    [
      'offline before online',
      yaml('  - offline: [1]\n'),
      'line 6, column 15: steps.0.offline.0: PE 1 is not online',
    ],
    [
      'the last PE offline',
      yaml('  - online: [0]\n  - offline: [0]\n'),
      'line 7, column 15: steps.1.offline.0: PE 0 is the last one that is online',
    ],
    [
      'a block that there is not',
      yaml('  - online: [0]\n', '{ pes: 1, blocks: 2 }', '{ id: 8, vectors: 1, block: 2 }'),
      'devices.nic.block: block 2 of a machine with 2',
    ],
    [
      'a profile that there is not',
      yaml('  - online: [0]\n', '{ pes: 1, profile: gic-500 }'),
      'machine.profile',
    ],
    ['an allocation that there is not', yaml('  - fail: luck\n'), 'line 6, column 11: steps.0.fail'],
    [
      'a part of the machine that there is not',
      yaml('  - migrate: { without: soul }\n'),
      'steps.0.migrate.without',
    ],
  ])('%s', (_name, text, expected) => {
    expect(() => parseScenario(text, 's.yaml')).toThrow(expected);
  });
});

describe('the library', () => {
  it('has scenarios by name, each with operations', () => {
    expect(libraryScenarios()).toContain('storm');
    for (const name of libraryScenarios())
      expect(scenarioNamed(name)!.operations.length, name).toBeGreaterThan(0);
    expect(scenarioNamed('no-such-scenario')).toBeUndefined();
  });
});
