// The verdicts that docs/claims.md prints, and that each can come out otherwise.
import { describe, expect, it } from 'vitest';
import { DESIGNS } from '../irqchip/index.ts';
import { CLAIMS, type Claim, decide } from './claims.ts';

const named = (name: string): Claim => CLAIMS.find((claim) => claim.name === name)!;

describe('claims of the threads', () => {
  it('hold, but for one', () => {
    expect(CLAIMS.filter((claim) => !decide(claim).holds).map((claim) => claim.name)).toEqual([
      'mapped-until-roll-over',
    ]);
  });

  it('name designs that there are, and each case once', () => {
    for (const { name, cases } of CLAIMS) {
      expect(new Set(cases.map((one) => one.label)).size, name).toBe(cases.length);
      for (const { design } of cases) expect(Object.hasOwn(DESIGNS, design), design).toBe(true);
    }
  });

  it.each(CLAIMS.map((claim) => claim.name))('%s depends on what is measured', (name) => {
    // The same experiment, each design told as another one: what was measured is not what decides any more.
    const claim = named(name);
    const { rows } = decide(claim);
    const turned = new Map(
      rows.map(({ label }, k) => [label, rows[(k + 1) % rows.length]!.measured] as const),
    );
    const nothing = () => ({});
    const results = [claim.holds((label) => turned.get(label)!), claim.holds(nothing)];
    expect(results).toContain(false);
  });

  it('says unknown where a host decides', () => {
    const { rows } = decide(named('isolation'));
    const of = (label: string) => rows.find((row) => row.label === label)!.measured;
    expect(of('its')).toEqual({});
    expect(of('mbi')).toEqual({ unauthorised: 1 });
    expect(Object.keys(of('hyperv-spi'))).toEqual([
      'unknown: forge: the host decides what a device may write',
    ]);
  });
});
