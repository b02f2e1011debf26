// Operations become a scenario that is the same operations when it is read again.
import type { Operation } from '@gictrace/core/irqchip';
import { describe, expect, it } from 'vitest';
import { scenarioFromOperations, scenarioText } from './from-operations.ts';
import { libraryPath, libraryScenarios } from './library.ts';
import { parseScenario, readScenario } from './parse.ts';

const again = (operations: readonly Operation[], pes: number, blocks: number) =>
  parseScenario(scenarioText(scenarioFromOperations('again', { pes, blocks }, operations)), 'again.yaml');

describe('every scenario that ships', () => {
  it.each(libraryScenarios())('%s', (name) => {
    const { operations, pes, blocks } = readScenario(libraryPath(name));
    expect(operations.length).toBeGreaterThan(0);
    expect(again(operations, pes, blocks)).toMatchObject({ operations, pes, blocks });
  });
});

describe('an operation', () => {
  const vector = { device: 0x18, vector: 3 };
  it.each<Operation>([
    { op: 'probe' },
    { op: 'probe', reset: true },
    { op: 'pe.busy', pe: 1, steps: 4 },
    { op: 'free', device: 0x18 },
    { op: 'set_pending', ...vector, pending: true },
    { op: 'set_pending', ...vector, pending: false },
    { op: 'deactivate', ...vector },
    { op: 'forge', ...vector, by: 0x20 },
    { op: 'fail', what: 'ITT', nth: 2 },
    { op: 'migrate', without: 'ITS' },
    { op: 'vm.alloc', vpe: 4, count: 2 },
    { op: 'vpe.schedule', vpe: 4, pe: 1 },
    { op: 'vpe.deschedule', vpe: 4, pe: 1 },
    { op: 'vpe.unmap', vpe: 4 },
    { op: 'doorbell.release', vpe: 4 },
    { op: 'vlpi.map', ...vector, vpe: 4 },
  ])('$op', (operation) => {
    const before: Operation[] = [
      { op: 'pe.online', pe: 0 },
      { op: 'pe.online', pe: 1 },
      { op: 'alloc', device: 0x18, count: 4, block: 1 },
      { op: 'activate', ...vector, pe: 1, managed: true },
    ];
    const all = [...before, operation, { op: 'alloc', device: 0x20, count: 1 } as const];
    expect(again(all, 2, 2).operations).toEqual(all);
  });

  it('is left out if the language has no verb for it', () => {
    const before: Operation[] = [{ op: 'alloc', device: 8, count: 1 }];
    const all: Operation[] = [...before, { op: 'reconfigure', device: 8, vector: 0 }];
    expect(again(all, 1, 1).operations).toEqual(before);
  });
});

it('says in comments where it comes from, and has a step a line', () => {
  const scenario = scenarioFromOperations('a: b', { pes: 1, profile: 'qemu-virt' }, [
    { op: 'alloc', device: 8, count: 32, msi: 'multi-msi' },
    { op: 'fire.multi', device: 8, vector: 1, count: 32 },
  ]);
  expect(scenarioText(scenario, ['one', 'two'])).toBe(`# one
# two

scenario: "a: b"
machine:
  pes: 1
  profile: qemu-virt
devices:
  device-0x8: { id: 8, vectors: 32, kind: multi-msi }
steps:
  - { alloc: device-0x8 }
  - { fire: device-0x8/1 }
`);
});
