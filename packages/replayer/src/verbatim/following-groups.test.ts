// With two Security states, equal interrupts may be of different groups, of which each register shows some. Whatever a GIC
// chooses, what it then returns is followed; what no choice leads to diverges.
import type { Guest } from '@gictrace/core/conformance';
import { type Machine, type Signalled, signalledTo } from '@gictrace/core/model';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { GROUPS, isStimulus, RECORD_WORDS, RecordBatch, responseAt } from '@gictrace/core/record';
import type { SysregName } from '@gictrace/core/spec';
import { describe, expect, it } from 'vitest';
import { Contrary, recorded, replayed } from './following.test-support.ts';

type Group = (typeof GROUPS)[number];

const CONFIG = configOf('architecture', { ...PLAIN, twoSecurityStates: true }, 1);
const FIRST = 40;
const WORSE = 43;
const SHOWS: readonly SysregName[] = ['ICC_HPPIR0_EL1', 'ICC_HPPIR1_EL1', 'ICC_IAR0_EL1', 'ICC_IAR1_EL1'];

/**
 * SPIs 40, 41 and 42 of these groups are pending with the same priority, and SPI 43, of the group of SPI 40, with a worse one.
 * The PE has enabled some groups, and reads everything that shows or acknowledges an interrupt, from EL3 and from elsewhere.
 */
function scenario(groups: readonly Group[], enabled: readonly Group[]) {
  return (guest: Guest) => {
    guest.asSecure(() => {
      guest.gicd('GICD_CTLR', 7);
      guest.gicr(0, 'GICR_WAKER', 0);
      const bits = (group: Group) =>
        [...groups, groups[0]!].reduce((sum, own, n) => sum | (own === group ? 1 << (n + FIRST - 32) : 0), 0);
      for (let intid = FIRST; intid <= WORSE; intid++)
        guest.spi(intid, { priority: intid === WORSE ? 0x60 : 0x40 });
      guest.gicd('GICD_IGROUPR', bits('1NS'), 1);
      guest.gicd('GICD_IGRPMODR', bits('1S'), 1);
    });
    guest.asEl3(() => {
      guest.write(0, 'ICC_PMR_EL1', 0xf8);
      guest.write(0, 'ICC_IGRPEN0_EL1', enabled.includes('0') ? 1 : 0);
      guest.write(0, 'ICC_IGRPEN1_EL3', (enabled.includes('1NS') ? 1 : 0) | (enabled.includes('1S') ? 2 : 0));
    });
    for (let intid = FIRST; intid <= WORSE; intid++) guest.wire(intid, true);
    const handleAll = () => {
      for (const register of SHOWS) {
        const intid = guest.read(0, register);
        if (!register.startsWith('ICC_IAR') || intid >= 1020) continue;
        guest.wire(intid, false);
        guest.write(0, register === 'ICC_IAR0_EL1' ? 'ICC_EOIR0_EL1' : 'ICC_EOIR1_EL1', intid);
      }
    };
    for (let n = 0; n < 2; n++) {
      guest.asEl3(handleAll);
      guest.asSecure(handleAll);
      handleAll();
    }
  };
}

/** Which interrupt a GIC presents: the lowest of equal INTIDs, as the simulator does, or the highest. */
const CHOOSE = { lowest: () => true, highest: () => false };

function backend(bend: Contrary['bend'], shows = true): Contrary {
  const made = new Contrary(shows);
  made.bend = bend;
  return made;
}

/** Every way to give three interrupts their groups. */
const ALL: readonly (readonly Group[])[] = GROUPS.flatMap((a) =>
  GROUPS.flatMap((b) => GROUPS.map((c) => [a, b, c])),
);
/** Every set of enabled groups. */
const ENABLED: readonly (readonly Group[])[] = Array.from({ length: 8 }, (_, set) =>
  GROUPS.filter((_group, n) => (set >> n) & 1),
);

describe('equal interrupts of different groups', () => {
  it.each(Object.keys(CHOOSE) as (keyof typeof CHOOSE)[])(
    'agree whatever registers show of them, with the %s INTID presented',
    async (which) => {
      let choices = 0;
      for (const groups of ALL)
        for (const enabled of ENABLED) {
          const recording = recorded(CONFIG, scenario(groups, enabled));
          const verdict = await replayed(CONFIG, recording, backend(CHOOSE[which]));
          expect({ groups, enabled, first: verdict.first }).toEqual({ groups, enabled, first: null });
          for (const count of Object.values(verdict.implementationChoices)) choices += count;
        }
      if (which === 'lowest') expect(choices).toBe(0);
      else expect(choices).toBeGreaterThan(1000);
    },
  );
});

/** Presents something else, where `instead` says what. `first`: SPI 40 as it was signalled, if it was. */
function wrong(
  instead: (now: Signalled, first: Signalled | undefined) => Signalled | undefined,
): () => Contrary['bend'] {
  return () => {
    let first: Signalled | undefined;
    return (machine: Machine, pe: number) => {
      const now = signalledTo(machine, pe);
      const other = instead(now, first);
      if (now[0] === FIRST && (now[3] || now[4])) first = now;
      if (other !== undefined) machine.emitHppi(pe, ...other);
      return true;
    };
  };
}

/** What a faulty GIC presents, and how it is shown. Beside that, it presents what the simulator does. */
const FAULTS = {
  'an interrupt with a worse priority': {
    shown: /INTID 43 .*priority 0x60/,
    fault: wrong(([intid, group, , fiq, irq]) =>
      intid === FIRST && (fiq || irq) ? [WORSE, group, 0x60, fiq, irq] : undefined,
    ),
  },
  'an interrupt with another group than its own': {
    shown: /INTID 40 /,
    fault: wrong(([intid, group, priority, fiq, irq]) =>
      intid === FIRST && (fiq || irq) ? [intid, (group + 1) % 3, priority, fiq, irq] : undefined,
    ),
  },
  'an interrupt that has been acknowledged': {
    shown: /INTID 40 /,
    fault: wrong((now, first) => (now[0] === FIRST ? undefined : first)),
  },
};
const FAULTY = Object.entries(FAULTS).map(([name, fault]) => ({ name, ...fault }));
/** Sets of enabled groups of which a group is one: it alone, and all. */
const enabling = (group: Group) => ENABLED.filter((set) => set.includes(group) && set.length !== 2);

/** The number of the first record that reads something else than a GIC returns. It makes no choice, so nothing follows from one. */
async function firstWrongRead(recording: RecordBatch, gic: Contrary): Promise<number> {
  const at: number[] = [];
  const stimuli = new RecordBatch(recording.count);
  for (let i = 0; i < recording.count; i++)
    if (isStimulus(recording.kind[i]!)) at[stimuli.copy(recording, i)] = i;
  let n = 0;
  let found = -1;
  await gic.reset(CONFIG);
  await gic.run(stimuli, {
    answered: (low) => {
      const i = at[n++]!;
      const word = i * RECORD_WORDS + responseAt(recording.kind[i]!);
      if (found < 0 && responseAt(recording.kind[i]!) >= 0 && recording.words[word] !== low) found = i;
    },
    skipped: () => n++,
    shown: () => undefined,
  });
  return found;
}

describe('a GIC diverges that presents', () => {
  it.each(FAULTY)('$name, where it is signalled', async ({ fault, shown }) => {
    for (const groups of ALL)
      for (const enabled of enabling(groups[0]!)) {
        const { first } = await replayed(
          CONFIG,
          recorded(CONFIG, scenario(groups, enabled)),
          backend(fault()),
        );
        expect({ groups, enabled, replayed: first?.replayed }).toEqual({
          ...{ groups, enabled },
          replayed: expect.stringMatching(shown),
        });
      }
  });

  // Where an interrupt of another group is as good, a register may well return what it does for that group.
  it.each(FAULTY)('$name, where a register returns it', async ({ fault }) => {
    for (const group of GROUPS)
      for (const enabled of enabling(group)) {
        const recording = recorded(CONFIG, scenario([group, group, group], enabled));
        const { first } = await replayed(CONFIG, recording, backend(fault(), false));
        const record = await firstWrongRead(recording, backend(fault(), false));
        expect(record).toBeGreaterThan(0);
        expect({ group, enabled, record: first?.record }).toEqual({ group, enabled, record });
      }
  });
});
