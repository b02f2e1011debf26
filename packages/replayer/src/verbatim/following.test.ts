// A GIC that presents another of several equal interrupts is followed, and its replay agrees. One that presents an interrupt of
// another priority, twice, or not at all, still diverges.
import type { Answers } from '@gictrace/core/backend';
import type { Guest } from '@gictrace/core/conformance';
import { KIND, RECORD_WORDS, RecordBatch } from '@gictrace/core/record';
import { SYSREGS } from '@gictrace/core/spec';
import { describe, expect, it } from 'vitest';
import { plainConfig, slice, syntheticRecording } from '../synthetic.test-support.ts';
import { Contrary, recorded as recordedBy, replayed as replayedOn } from './following.test-support.ts';
import { CHOICES } from './following.ts';

const CONFIG = plainConfig(2);
const IAR = SYSREGS.ICC_IAR1_EL1.encoding;

/** What a guest does that has enabled the GIC. */
const recorded = (act: (guest: Guest) => void) =>
  recordedBy(CONFIG, (guest) => {
    guest.enable();
    act(guest);
  });
const replayed = (recording: RecordBatch, backend = new Contrary(), follows = true) =>
  replayedOn(CONFIG, recording, backend, follows);

const { acknowledged, signalled, follows } = CHOICES;

describe('interrupts of the same priority', () => {
  /** SGI 1 and PPI 27 are pending; the guest handles whichever it gets, and PPI 27 by lowering its input line. */
  const timer = recorded((guest) => {
    guest.write(1, 'ICC_SGI1R_EL1', (1 << 24) | 1);
    guest.wire(27, true, 0);
    for (let n = 0; n < 3; n++) {
      const intid = guest.read(0, 'ICC_IAR1_EL1');
      if (intid === 27) guest.wire(27, false, 0);
      if (intid !== 1023) guest.write(0, 'ICC_EOIR1_EL1', intid);
    }
  });

  it('are ended as the implementation acknowledged them', async () => {
    const backend = new Contrary();
    const verdict = await replayed(timer, backend);
    expect(verdict.first).toBeNull();
    expect(verdict.diverged).toBe(0);
    // It acknowledges 27, whose line the recorded guest has not lowered yet, and 1 when the recorded guest acknowledges 27.
    const eoir = SYSREGS.ICC_EOIR1_EL1.encoding.toString(16);
    expect(backend.given.filter((text) => text.startsWith(eoir))).toEqual([
      `${eoir} 27`,
      `${eoir} 27`,
      `${eoir} 1`,
    ]);
    expect(verdict.implementationChoices[acknowledged]).toBeGreaterThan(0);
    expect(verdict.implementationChoices[signalled]).toBeGreaterThan(0);
    expect(verdict.implementationChoices[follows]).toBeGreaterThan(0);
  });

  it('diverge in many places if they are not followed', async () => {
    expect((await replayed(timer, new Contrary(), false)).diverged).toBeGreaterThan(3);
  });

  it('agree in any recording, and what does not depend on choices is compared as ever', async () => {
    let choices = 0;
    for (const seed of [1, 2, 3, 4]) {
      const recording = syntheticRecording(CONFIG, seed, 500);
      const verdict = await replayed(recording);
      expect({ seed, first: verdict.first }).toEqual({ seed, first: null });
      choices += verdict.implementationChoices[acknowledged] ?? 0;
    }
    expect(choices).toBeGreaterThan(20);
  });
});

describe('what is no choice', () => {
  /** SPI 40 is pending with priority 0x90 and SPI 41 with 0xa0. */
  const two = recorded((guest) => {
    guest.spi(40, { priority: 0x90 });
    guest.spi(41, { priority: 0xa0 });
    guest.wire(41, true);
    guest.wire(40, true);
    for (let n = 0; n < 3; n++) {
      const intid = guest.read(0, 'ICC_IAR1_EL1');
      if (intid !== 1023) guest.write(0, 'ICC_EOIR1_EL1', intid);
    }
  });

  it('is a wrong priority', async () => {
    expect((await replayed(two)).diverged).toBe(0);
    const backend = new Contrary();
    backend.bend = (machine, pe) => {
      if (machine.state.hppiIntid[pe] !== 40) return false;
      machine.emitHppi(pe, 41, 2, 0xa0, 0, 1);
      return true;
    };
    const { diverged, first } = await replayed(two, backend);
    expect(diverged).toBeGreaterThan(0);
    expect(first!.replayed).toContain('INTID 41');
    // It is given to end what it has acknowledged all the same.
    const eoir = SYSREGS.ICC_EOIR1_EL1.encoding.toString(16);
    expect(backend.given.find((text) => text.startsWith(eoir))).toBe(`${eoir} 41`);
  });

  it('is an interrupt that is signalled twice, or never', async () => {
    const once = recorded((guest) => {
      guest.write(1, 'ICC_SGI1R_EL1', (1 << 24) | 1);
      guest.write(1, 'ICC_SGI1R_EL1', (2 << 24) | 1);
      for (let n = 0; n < 3; n++) {
        const intid = guest.read(0, 'ICC_IAR1_EL1');
        if (intid !== 1023) guest.write(0, 'ICC_EOIR1_EL1', intid);
      }
    });
    expect((await replayed(once)).diverged).toBe(0);
    /** Bends the read of the `nth` acknowledge. */
    const wrong = async (nth: number, intid: number) => {
      let n = 0;
      class Wrong extends Contrary {
        override run(batch: RecordBatch, answers: Answers): Promise<void> {
          const last = batch.count - 1;
          const isIar = batch.kind[last] === KIND['sysreg.read'] && batch.words[last * RECORD_WORDS] === IAR;
          if (!isIar || n++ !== nth) return super.run(batch, answers);
          let i = 0;
          return super.run(batch, {
            ...answers,
            answered: (low, high, reserved) => answers.answered(i++ === last ? intid : low, high, reserved),
            skipped: (reason) => answers.skipped(reason),
            shown: (shown, at) => answers.shown(shown, at),
          });
        }
      }
      return replayed(once, new Wrong());
    };
    expect((await wrong(0, 2)).diverged).toBe(0); // as it is
    expect((await wrong(1, 2)).first!.replayed).toContain(
      'returned 0x2, and its earlier choices lead to 0x1',
    );
    expect((await wrong(1, 1023)).first!.replayed).toContain('returned 0x3ff');
    expect((await wrong(2, 5)).diverged).toBeGreaterThan(0);
  });

  it('is a recording with another priority', async () => {
    const bent = slice(two, 0, two.count);
    for (let i = 0; i < bent.count; i++)
      if (bent.kind[i] === KIND.hppi && bent.words[i * RECORD_WORDS] === 40)
        bent.words[i * RECORD_WORDS + 2] = 0x98;
    expect((await replayed(bent)).divergedBy.hppi).toBeGreaterThan(0);
  });
});

it('an interrupt that nobody would end is ended, so that nothing else is masked by it', async () => {
  // The recorded GIC does not see SPI 40, whose line rises before the first acknowledge; this one does.
  const before = recorded((guest) => guest.spi(40));
  const whole = recorded((guest) => {
    guest.spi(40);
    guest.read(0, 'ICC_IAR1_EL1');
    guest.spi(41, { priority: 0xb0 });
    guest.wire(41, true);
    guest.write(0, 'ICC_EOIR1_EL1', guest.read(0, 'ICC_IAR1_EL1'));
  });
  const recording = new RecordBatch(4096);
  for (let i = 0; i < before.count; i++) recording.copy(before, i);
  recording.words.set([40, 1], recording.push(KIND['wire.set'], -1, Number.NaN) * RECORD_WORDS);
  for (let i = before.count; i < whole.count; i++) recording.copy(whole, i);
  const backend = new Contrary();
  const verdict = await replayed(recording, backend);
  // What the line does, the acknowledge, and what is signalled after it; not the acknowledge of SPI 41.
  expect(verdict.divergedBy).toEqual({ 'wire.set': 1, 'sysreg.read': 2 });
  const eoir = SYSREGS.ICC_EOIR1_EL1.encoding.toString(16);
  expect(backend.given.filter((text) => text.startsWith(eoir))).toEqual([`${eoir} 40`, `${eoir} 41`]);
});
