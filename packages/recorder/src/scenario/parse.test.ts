import { GicTraceError } from '@gictrace/core';
import type { Operation } from '@gictrace/core/irqchip';
import { describe, expect, it } from 'vitest';
import { parseScenario } from './parse.ts';

const head = `scenario: s
machine: { pes: 2 }
devices:
  nic: { id: 8, vectors: 4 }
  disk: { id: 16, vectors: 2, kind: multi-msi }
steps:
`;

function fault(text: string): string {
  try {
    parseScenario(text, 's.yaml');
  } catch (error) {
    if (error instanceof GicTraceError) return `${error.code} ${error.line}`;
    throw error;
  }
  return 'none';
}

const operations = (steps: string): readonly Operation[] => parseScenario(head + steps, 's.yaml').operations;

describe('a scenario', () => {
  it('says operations', () => {
    expect(
      operations(`  - online: [1, 0]
  - alloc: nic
  - { activate: nic/3, pe: 1 }
  - { set_affinity: nic/3, pe: 0 }
  - clear_pending: nic/3
  - fire: nic/3
  - fire: disk/1
  - { forge: nic/3, by: disk }
  - { vpe_move: 7, pe: 1 }
  - doorbell_invalidate: 7
`),
    ).toEqual([
      { op: 'pe.online', pe: 1 },
      { op: 'pe.online', pe: 0 },
      { op: 'alloc', device: 8, count: 4 },
      { op: 'activate', device: 8, vector: 3, pe: 1 },
      { op: 'set_affinity', device: 8, vector: 3, pe: 0 },
      { op: 'set_pending', device: 8, vector: 3, pending: false },
      { op: 'fire', device: 8, vector: 3 },
      { op: 'fire.multi', device: 16, vector: 1, count: 2 },
      { op: 'forge', device: 8, vector: 3, by: 16 },
      { op: 'vpe.move', vpe: 7, pe: 1 },
      { op: 'doorbell.invalidate', vpe: 7 },
    ]);
  });

  it('repeats', () => {
    const steps = '  - repeat: 3\n    steps: [{ repeat: 2, steps: [fire: nic/0] }, mask: nic/0]\n';
    expect(operations(steps).map((one) => one.op)).toEqual(
      Array.from({ length: 3 }, () => ['fire', 'fire', 'mask']).flat(),
    );
  });

  it('interleaves by its seed, each list in its own order', () => {
    const lists = (seed: number) => `  - interleave:
      - [mask: nic/0, mask: nic/1, mask: nic/2]
      - [unmask: nic/0, unmask: nic/1, unmask: nic/2]
    seed: ${seed}
`;
    const told = (seed: number) => operations(lists(seed)).map((one) => JSON.stringify(one));
    expect(told(1)).toEqual(told(1));
    const orders = new Set(Array.from({ length: 20 }, (_, seed) => told(seed).join()));
    expect(orders.size).toBeGreaterThan(5);
    for (const order of orders)
      for (const op of ['"mask"', '"unmask"']) {
        const vectors = [...order.matchAll(new RegExp(`${op},"device":8,"vector":(\\d)`, 'g'))];
        expect(vectors.map((one) => one[1])).toEqual(['0', '1', '2']);
      }
    expect(parseScenario(head + lists(7), 's').seeds).toEqual([7]);
  });

  it('may be JSON', () => {
    const text = JSON.stringify({ scenario: 'j', machine: { pes: 1 }, steps: [{ online: [0] }] });
    expect(parseScenario(text, 'j.json')).toMatchObject({ name: 'j', pes: 1, operations: [{ pe: 0 }] });
  });
});

describe('a bad scenario', () => {
  it.each([
    [
      'an unknown device',
      '  - alloc: nik\n',
      "line 7, column 12: steps.0.alloc: there is no device 'nik'; devices: nic, disk",
    ],
    [
      'a vector that the device has not',
      '  - mask: nic/4\n',
      'line 7, column 11: steps.0.mask: vector 4 of a device with 4',
    ],
    [
      'a PE that the machine has not',
      '  - { activate: nic/0, pe: 2 }\n',
      'line 7, column 28: steps.0.pe: PE 2 of a machine with 2',
    ],
    [
      'a PE that comes online',
      '  - online: [0, 5]\n',
      'line 7, column 17: steps.0.online.1: PE 5 of a machine with 2',
    ],
    [
      'a verb that there is not',
      '  - explode: nic/0\n',
      'line 7, column 5: steps.0: has no verb; verbs: probe, reboot, online',
    ],
    [
      'two verbs',
      '  - { mask: nic/0, unmask: nic/0 }\n',
      'line 7, column 5: steps.0: has 2 verbs (mask, unmask): one a step',
    ],
    ['a vector that is none', '  - mask: nic\n', 'line 7, column 11: steps.0.mask: is not DEVICE/VECTOR'],
    ['what a verb needs', '  - activate: nic/0\n', 'line 7, column 5: steps.0.pe:'],
    [
      'a place in a nested list',
      '  - repeat: 2\n    steps:\n      - mask: nic/9\n',
      'line 9, column 15: steps.0.steps.0.mask: vector 9',
    ],
  ])('%s', (_name, steps, expected) => {
    expect(fault(head + steps)).toContain(expected);
    expect(fault(head + steps)).toMatch(/^usage s\.yaml: /);
  });

  it.each([
    ['no YAML', 'scenario: [', 'line 1, column '],
    [
      'two devices with one DeviceID',
      head.replace('id: 16', 'id: 8'),
      "line 5, column 15: devices.disk.id: DeviceID 8 is that of 'nic' already",
    ],
    [
      'MultiMSI with three vectors',
      head.replace('vectors: 2', 'vectors: 3'),
      'a MultiMSI function has 1, 2, 4, 8, 16 or 32 vectors, not 3',
    ],
    ['a machine without PEs', head.replace('pes: 2', 'pes: 0'), 'line 2, column 17: machine.pes:'],
    ['what is not of the language', `${head}  - online: [0]\nspeed: fast\n`, 'speed'],
    ['a DeviceID beyond 16 bits', head.replace('id: 16', 'id: 65536'), 'line 5, column 15: devices.disk.id:'],
  ])('%s', (_name, text, expected) => {
    const full = text.endsWith('steps:\n') ? `${text}  - online: [0]\n` : text;
    expect(fault(full)).toContain(expected);
  });
});
