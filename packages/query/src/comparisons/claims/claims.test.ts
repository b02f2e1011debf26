// The verdicts and measurements that docs/claims.md prints, and that each can come out otherwise.
import { DESIGNS } from '@gictrace/core/irqchip';
import { describe, expect, it } from 'vitest';
import { CLAIMS, type Claim, decide, measure, PREDICTIONS, THREADS } from './index.ts';

const named = (name: string): Claim => CLAIMS.find((claim) => claim.name === name)!;

describe('claims of the threads', () => {
  const verdicts = CLAIMS.map(decide);

  it('hold, but for one', () => {
    expect(verdicts.filter(({ holds }) => !holds).map(({ claim }) => claim.name)).toEqual([
      'mapped-until-roll-over',
    ]);
  });

  it('accuse somebody, name what they run on, and are about each thread', () => {
    for (const { claim } of verdicts) {
      expect(claim.accused.length, claim.name).toBeGreaterThan(0);
      for (const design of claim.designs) expect(Object.hasOwn(DESIGNS, design), design).toBe(true);
      expect(claim.accused.filter((name) => claim.cleared.includes(name))).toEqual([]);
    }
    expect(new Set(CLAIMS.map((claim) => claim.name)).size).toBe(CLAIMS.length);
    expect(new Set(CLAIMS.map((claim) => claim.thread))).toEqual(new Set(Object.keys(THREADS)));
  });

  // What is accused and what is cleared are designs that differ in what the claim is about: told the other way round,
  // none may hold.
  it.each(CLAIMS.filter((claim) => claim.cleared.length > 0).map((claim) => claim.name))(
    '%s does not hold the other way round',
    (name) => {
      const claim = named(name);
      expect(decide({ ...claim, accused: claim.cleared, cleared: claim.accused }).holds).toBe(false);
    },
  );

  it('an as posted defect is found where it was posted and not where it was corrected', () => {
    const pairs = [
      ['target-a-redistributor', 'direct-lpi-rfc', 'direct-lpi'],
      ['message-after-a-move', 'direct-lpi-rfc-intid', 'direct-lpi'],
      ['set-irqchip-state', 'direct-lpi-rfc', 'direct-lpi'],
      ['column-map', 'direct-lpi-rfc', 'direct-lpi'],
      ['collections-leak', 'virtual-its-unpatched', 'virtual-its'],
      ['vm-error-path', 'vpe-proxy-rfc', 'vpe-proxy'],
      ['two-blocks', 'dev-msi', 'per-device-msi'],
      ['mask-in-the-device', 'dev-msi', 'per-device-msi'],
      ['first-zero-bit', 'hyperv-spi-first-zero', 'hyperv-spi'],
      ['round-robin', 'hyperv-spi-round-robin', 'hyperv-spi'],
      ['edge-configuration', 'hyperv-spi-no-edge', 'hyperv-spi'],
      ['unsigned-index', 'hyperv-spi-unsigned', 'hyperv-spi'],
    ] as const;
    for (const [name, posted, corrected] of pairs) {
      const { found } = verdicts.find(({ claim }) => claim.name === name)!;
      expect(found.get(posted)!.length, `${name} on ${posted}`).toBeGreaterThan(0);
      expect(found.get(corrected), `${name} on ${corrected}`).toEqual([]);
    }
  });

  it('names the operation at which it happened', () => {
    const { found } = verdicts.find(({ claim }) => claim.name === 'isolation')!;
    expect(found.get('mbi')).toEqual([
      {
        design: 'mbi',
        scenario: "a device writes another one's message",
        step: 8,
        pe: 0,
        INTID: 33,
        device: 16,
        vector: 0,
      },
    ]);
  });
});

describe('predictions', () => {
  const outcomes = PREDICTIONS.flatMap(measure);

  it('say why where they are refuted, and only there', () => {
    for (const { property, design, cell, isConfirmed, measured } of outcomes)
      expect(cell.why !== undefined, `${property} of ${design}: ${measured}`).toBe(isConfirmed === false);
  });

  it('are measured, every one', () => {
    expect(outcomes.filter((one) => one.measured === 'unknown').map((one) => one.design)).toEqual([
      'hyperv-spi',
    ]);
    expect(new Set(outcomes.map((one) => one.measured)).size).toBeGreaterThan(20);
  });
});
