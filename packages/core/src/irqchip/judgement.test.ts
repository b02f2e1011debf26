// Verdicts on runs: each word of them comes from what a run counted.
import { describe, expect, it } from 'vitest';
import { DESIGNS } from './designs.ts';
import { online, started, v } from './irqchip.test-support.ts';
import type { Operation } from './operation.ts';
import { sourceOf } from './sources.ts';
import { type Judgement, judge, judgementText } from './testbed/judgement.ts';
import { Translation } from './testbed/run.ts';
import { traitsOf } from './traits.ts';

const fire: Operation = { op: 'fire', ...v };
const fires = (n: number): Operation[] => new Array<Operation>(n).fill(fire);

function judged(name: string, operations: readonly Operation[], inFlightMax?: number): Judgement {
  const translation = new Translation(DESIGNS[name]!, 4, {}, 1, inFlightMax);
  for (const operation of operations) translation.take(operation);
  return judge(translation.finish());
}

describe('a verdict', () => {
  it('is not measured without a message', () => {
    expect(judgementText(judged('its', started))).toBe('not measured: no message was sent');
  });

  it('is not measured if each message waits for its vector to be unmasked', () => {
    const masked: Operation[] = [...started, { op: 'mask', ...v }, fire];
    expect(judgementText(judged('its', masked))).toBe(
      'not measured: each message waits, because its vector is masked',
    );
    expect(judged('its', [...started, fire, { op: 'mask', ...v }, fire]).verdict).toBe('works');
  });

  it('is about each boot: nothing is left of the one before, whose message is gone', () => {
    const reboot: Operation = { op: 'probe', reset: true };
    const busy: Operation[] = [{ op: 'pe.busy', pe: 0, steps: 9 }, fire];
    const translation = new Translation(DESIGNS.its!, 4);
    for (const operation of [...started, fire, ...busy, reboot, ...started, fire])
      translation.take(operation);
    const { deliveries, held, operations } = translation.finish();
    expect(deliveries).toMatchObject({ fired: 3, delivered: 2, cleared: 1, lost: 0 });
    // The second boot's alone.
    expect([held.get('devices'), operations.get('alloc')]).toEqual([1, 2]);
    const before: Operation[] = [...started, reboot, fire];
    expect(judgementText(judged('its', before))).toMatch(/^cannot: .*: it has no message to send/);
  });

  it('says what works, and what else was wrong', () => {
    expect(judgementText(judged('its', [...started, fire]))).toBe('works');
    const moved: Operation[] = [...started, { op: 'set_affinity', ...v, pe: 1 }, fire];
    expect(judgementText(judged('direct-lpi', moved))).toBe(
      'works; 1 handlers run without a message, from operation 7',
    );
  });

  // The SPI is routed to a PE that is busy for ever; the device stops when its ring is full.
  it('says until when, if a device stops', () => {
    const lost: Operation[] = [
      ...started,
      fire,
      { op: 'pe.busy', pe: 0, steps: 2 },
      fire,
      { op: 'set_affinity', ...v, pe: 1 },
    ];
    const posted = judged('direct-lpi-lossy', [...lost, fire]);
    expect([posted.verdict, posted.operation, posted.undelivered]).toEqual(['loses', 9, 1]);
    const stopped = judged('direct-lpi-lossy', [...lost, fire], 1);
    expect(judgementText(stopped)).toBe('works until operation 9: device 8, vector 0: its message is lost');
  });

  it('says why nothing arrives', () => {
    expect(judgementText(judged('virtual-its', [...started, fire]))).toBe(
      'cannot: device 8, vector 0: it has no message to send (operation 7)',
    );
    expect(judged('its', [{ op: 'fail', what: 'domain', nth: 1 }, ...started])).toMatchObject({
      verdict: 'cannot',
      operation: -1,
    });
  });

  it('counts a device that does not get its vectors', () => {
    const operations = [...online, ...fires(0)];
    for (let device = 0; device < 70; device++) operations.push({ op: 'alloc', device, count: 1 });
    expect(judged('gicv2m', operations)).toMatchObject({
      verdict: 'works until',
      operation: 68,
      why: 'alloc: SPIs',
    });
  });
});

describe('a closed loop', () => {
  it('withholds messages beyond those in flight, until a handler runs', () => {
    const busy: Operation = { op: 'pe.busy', pe: 0, steps: 6 };
    const run = new Translation(DESIGNS.its!, 4, {}, 1, 2);
    for (const one of [
      ...started,
      busy,
      ...fires(4),
      { op: 'probe' } as const,
      { op: 'probe' } as const,
      fire,
    ])
      run.take(one);
    const { fired, delivered, withheld } = run.finish().deliveries;
    expect([fired, delivered, withheld]).toEqual([3, 3, 2]);
  });
});

describe('a message that is lost', () => {
  it('stays lost when a later one is delivered', () => {
    const operations: Operation[] = [
      ...started,
      { op: 'pe.busy', pe: 0, steps: 2 },
      fire,
      { op: 'set_affinity', ...v, pe: 1 },
      fire,
    ];
    const lost = new Translation(DESIGNS['direct-lpi-lossy']!, 4);
    for (const one of operations) lost.take(one);
    expect(lost.finish().deliveries).toMatchObject({ fired: 2, delivered: 1, lost: 1 });
    const kept = new Translation(DESIGNS.its!, 4);
    for (const one of operations) kept.take(one);
    expect(kept.finish().deliveries).toMatchObject({ fired: 2, delivered: 2, lost: 0 });
  });
});

describe('sources', () => {
  it('say for each design which version it follows, and where it differs', () => {
    for (const name of Object.keys(DESIGNS)) {
      expect(sourceOf(name).version, name).not.toBe('');
      expect(sourceOf(name).deviations.length, name).toBeGreaterThan(0);
    }
    expect(sourceOf('its@qemu-virt')).toBe(sourceOf('its'));
    expect(() => sourceOf('nonsense')).toThrow('has no source');
  });
});

describe('traits', () => {
  it('are there for each design', () => {
    for (const name of Object.keys(DESIGNS)) expect(traitsOf(name).needs.length, name).toBeGreaterThan(0);
    expect(traitsOf('its@qemu-virt')).toBe(traitsOf('its'));
    expect(traitsOf('hyperv-spi-no-edge').status).toBe('as posted');
  });
});
