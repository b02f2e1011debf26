// Runs behaviours on the simulator under each profile, and makes the matrix of their outcomes.
import { configOf, type Hardware, PROFILES } from '../profile/index.ts';
import { BEHAVIOURS } from './behaviours/index.ts';
import { Guest } from './guest.ts';
import { type Behaviour, FEATURES, type Feature, NEEDS } from './shape.ts';

export interface Outcome {
  readonly behaviour: Behaviour;
  readonly profile: string;
  readonly expected: string;
  /** The outcome of the experiment. */
  readonly observed: string;
}

/** The hardware for a behaviour: the profile's, but with one Security state unless the behaviour concerns two. */
export function hardwareFor(behaviour: Behaviour, profile: string): Hardware {
  const own = PROFILES[profile]!.hardware;
  return behaviour.needs.includes('two Security states') ? own : { ...own, twoSecurityStates: false };
}

/** Whether a profile's hardware has what the behaviour needs. */
export function applies(behaviour: Behaviour, profile: string): boolean {
  return behaviour.needs.every((need) => NEEDS[need](PROFILES[profile]!.hardware));
}

/** The outcome that is expected under a profile. */
export function expectedOf(behaviour: Behaviour, profile: string): string {
  const { expected } = behaviour;
  // An expectation for `qemu` holds for each version of QEMU that has no expectation of its own.
  const name = PROFILES[profile]?.name ?? profile;
  const family = name.startsWith('qemu-') ? expected.qemu : undefined;
  return expected[name] ?? family ?? expected.architecture;
}

/** Runs one behaviour under one profile. An exception becomes the outcome, because models must not throw. */
export function tryBehaviour(behaviour: Behaviour, profile: string): Outcome {
  const config = configOf(profile, hardwareFor(behaviour, profile), behaviour.pes ?? 2);
  let observed: string;
  try {
    observed = behaviour.run(new Guest(config));
  } catch (error) {
    observed = `threw: ${(error as Error).message}`;
  }
  return { behaviour, profile, expected: expectedOf(behaviour, profile), observed };
}

/** Every behaviour under every profile to which it applies. */
export function* runAll(profiles: readonly string[] = Object.keys(PROFILES)): Generator<Outcome> {
  for (const behaviour of BEHAVIOURS)
    for (const profile of profiles) if (applies(behaviour, profile)) yield tryBehaviour(behaviour, profile);
}

/** The matrix as Markdown: one row per behaviour, one column per profile, and `–` if the behaviour does not apply. */
export function matrix(
  outcomes: readonly Outcome[],
  profiles: readonly string[] = Object.keys(PROFILES),
): string {
  const cell = new Map<string, Outcome>();
  for (const outcome of outcomes) cell.set(`${outcome.behaviour.id} ${outcome.profile}`, outcome);
  const lines: string[] = [];
  const row = (cells: readonly string[]) => lines.push(`| ${cells.join(' | ')} |`);
  for (const feature of FEATURES) {
    const list = BEHAVIOURS.filter((behaviour) => behaviour.feature === feature);
    if (list.length === 0) continue;
    lines.push(`## ${feature}`, '');
    row(['behaviour', ...profiles]);
    row(['---', ...profiles.map(() => '---')]);
    for (const behaviour of list)
      row([
        `${behaviour.title} (\`${behaviour.id}\`)`,
        ...profiles.map((profile) => {
          const outcome = cell.get(`${behaviour.id} ${profile}`);
          if (outcome === undefined) return '–';
          const shown = outcome.observed === 'conforms' ? 'yes' : outcome.observed;
          return outcome.observed === outcome.expected ? shown : `**${shown}**, not ${outcome.expected}`;
        }),
      ]);
    lines.push('');
  }
  return lines.join('\n');
}

/** For each feature and profile: how many behaviours apply, and how many of them hold. */
export function summary(
  outcomes: readonly Outcome[],
  profiles: readonly string[] = Object.keys(PROFILES),
): { feature: Feature; counts: (readonly [held: number, tried: number])[] }[] {
  return FEATURES.map((feature) => ({
    feature,
    counts: profiles.map((profile) => {
      const own = outcomes.filter((o) => o.behaviour.feature === feature && o.profile === profile);
      return [own.filter((o) => o.observed === o.expected).length, own.length] as const;
    }),
  }));
}
