// The verdicts and measurements that docs/claims.md prints, and that each can come out otherwise.
import { capacityOf, DESIGNS, roundUpPowerOfTwo, VECTORS_A_DEVICE } from '@gictrace/core/irqchip';
import { describe, expect, it } from 'vitest';
import {
  CLAIMS,
  type Claim,
  CODE_CLAIMS,
  DISCUSSIONS,
  decide,
  measure,
  PREDICTIONS,
  STATEMENTS,
} from './index.ts';

const named = (name: string): Claim => CLAIMS.find((claim) => claim.name === name)!;

describe('claims of the threads', () => {
  const verdicts = CLAIMS.map((claim) => decide(claim));

  it('hold, but for two', () => {
    expect(verdicts.filter(({ holds }) => !holds).map(({ claim }) => claim.name)).toEqual([
      'ripple',
      'mapped-until-roll-over',
    ]);
  });

  it('accuse somebody, name what they run on, and are about each thread', () => {
    for (const { claim } of verdicts) {
      expect(claim.accused.length + claim.cleared.length, claim.name).toBeGreaterThan(0);
      for (const design of claim.designs) expect(Object.hasOwn(DESIGNS, design), design).toBe(true);
      expect(claim.accused.filter((name) => claim.cleared.includes(name))).toEqual([]);
    }
    expect(new Set(CLAIMS.map((claim) => claim.name)).size).toBe(CLAIMS.length);
    expect(new Set(CLAIMS.map((claim) => claim.thread))).toEqual(new Set(Object.keys(DISCUSSIONS)));
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

describe('statements of the discussions', () => {
  const statements = Object.values(STATEMENTS).flat();

  it('name claims that exist, and each says what decides it', () => {
    expect(statements.length).toBeGreaterThan(100);
    for (const { quote, kind, by, text } of statements) {
      for (const name of by)
        expect(
          CLAIMS.map((claim) => claim.name),
          quote,
        ).toContain(name);
      if (kind === 'measured') expect(by.length, quote).toBeGreaterThan(0);
      else expect(text.length, quote).toBeGreaterThan(20);
    }
  });

  it('are about the discussions that claims name, and each claim of a discussion has a statement', () => {
    const cited = new Set(statements.flatMap(({ by }) => by));
    for (const { name, seed } of CLAIMS) {
      if (seed !== null) expect(Object.keys(STATEMENTS), name).toContain(seed);
      if (seed !== null && name !== 'vm-error-path') expect([...cited], name).toContain(name);
    }
    for (const name of Object.keys(CODE_CLAIMS)) expect(CLAIMS.map((claim) => claim.name)).toContain(name);
  });
});

// What the source says, computed from its own lines; beside it, what the driver does.
describe('claims about code', () => {
  it('follow DEV_ID_SHIFT', () => {
    const DEV_ID_SHIFT = 21;
    expect(VECTORS_A_DEVICE).toBe(1 << (32 - DEV_ID_SHIFT));
  });

  it('follow the INTIDs of SPIs', () => {
    const [first, last, hyperv] = [32, 1019, 64];
    expect(capacityOf(DESIGNS.mbi!, 1)).toBe(last - first + 1);
    expect(capacityOf(DESIGNS['hyperv-spi']!, 1)).toBe(last - hyperv + 1);
  });

  it('follow roundup_pow_of_two and the unsigned index', () => {
    for (const n of [1, 2, 3, 5, 32, 33]) expect(roundUpPowerOfTwo(n)).toBe(2 ** Math.ceil(Math.log2(n)));
    const ENOMEM = 12;
    expect(((-ENOMEM >>> 0) + 64) >>> 0).toBe(52);
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
