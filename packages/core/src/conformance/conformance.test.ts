// Every behaviour under every profile to which it applies, by name; and that the suite itself can fail.
import { describe, expect, it } from 'vitest';
import { PROFILES } from '../profile/index.ts';
import { ITS_COMMANDS, ITS_ERRORS } from '../spec/index.ts';
import { applies, BEHAVIOURS, expectedOf, FEATURES, matrix, runAll, tryBehaviour } from './index.ts';

describe.each(Object.keys(PROFILES))('profile %s', (profile) => {
  for (const behaviour of BEHAVIOURS)
    if (applies(behaviour, profile))
      it(`${behaviour.id}: ${expectedOf(behaviour, profile)}`, () => {
        expect(tryBehaviour(behaviour, profile).observed).toBe(expectedOf(behaviour, profile));
      });
});

it('behaviours have names of their own, a feature, and a profile to which they apply', () => {
  expect(new Set(BEHAVIOURS.map((one) => one.id)).size).toBe(BEHAVIOURS.length);
  for (const one of BEHAVIOURS) {
    expect(FEATURES).toContain(one.feature);
    expect(
      Object.keys(PROFILES).some((profile) => applies(one, profile)),
      one.id,
    ).toBe(true);
    for (const profile of Object.keys(one.expected))
      if (profile !== 'architecture')
        expect(applies(one, profile === 'qemu' ? 'qemu-7.2' : profile), `${one.id} on ${profile}`).toBe(true);
  }
});

it('every command error is tried, and every command has one, but for SYNC', () => {
  const tried = new Set(BEHAVIOURS.map((one) => one.id));
  for (const name of Object.keys(ITS_ERRORS))
    expect(tried).toContain(`its.error.${name.toLowerCase().replaceAll('_', '-')}`);
  for (const command of Object.keys(ITS_COMMANDS))
    if (command !== 'SYNC')
      expect(Object.keys(ITS_ERRORS).some((name) => name.startsWith(`${command}_`))).toBe(true);
});

it('a deviation of a profile shows: the experiments tell profiles apart', () => {
  for (const [name, profile] of Object.entries(PROFILES)) {
    if (name === 'architecture') continue;
    const differs = BEHAVIOURS.filter(
      (one) => applies(one, name) && expectedOf(one, name) !== one.expected.architecture,
    );
    expect(differs.length, name).toBeGreaterThanOrEqual(profile.deviations.length > 3 ? 5 : 0);
  }
});

it('the matrix marks what differs', () => {
  const outcomes = [...runAll(['kvm'])].slice(0, 3);
  const wrong = outcomes.map((one, n) => (n === 1 ? { ...one, observed: 'something else' } : one));
  expect(matrix(wrong, ['kvm'])).toContain('**something else**, not ');
  expect(matrix(outcomes, ['kvm'])).not.toContain('**');
});
