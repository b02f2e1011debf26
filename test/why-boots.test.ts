// Boots in which nothing went wrong: `why` finds no fault with any of their interrupts, whatever PE or record it is asked about,
// and its answers have no value in place of one that is not there.
import { actOf, isStimulus, takenOrEnded } from '@gictrace/core/record';
import { answerLines, type WhyQuestion, why } from '@gictrace/query';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { gicv5RecordsOf } from './planting.ts';
import { recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** A trace that is read once. */
async function read(name: string) {
  const path = temp.path(`${name}.gictrace`);
  expect((await run('import', 'qemu', recording(`${name}.log.gz`), '-o', path)).code).toBe(0);
  const { config, batches } = gicv5RecordsOf(path);
  let records = 0;
  const all = batches.map((batch) => {
    const first = records;
    records += batch.count;
    return { batch, first };
  });
  /** By interrupt: the records at which PEs acknowledge it. */
  const taken = new Map<number, number[]>();
  for (const { batch, first } of all)
    for (let i = 0; i < batch.count; i++) {
      if (!isStimulus(batch.kind[i]!) || actOf(batch, i)?.does !== 'acknowledge') continue;
      const intid = takenOrEnded(batch, i);
      if (intid >= 0) taken.set(intid, [...(taken.get(intid) ?? []), first + i]);
    }
  const from = (record = 0) => all.filter(({ batch, first }) => first + batch.count > record);
  const ask = (question: WhyQuestion) => why({ config, records, batches: from }, question);
  return { taken, ask, pes: config.pes.length };
}

/** What stands in a text for a value that is not there. */
const NOTHING = /PE-1|NaN|undefined|null|INTID -1|record -1|Infinity/;

describe.each([
  ['linux-gicv5-three-pes-int-head', 7],
  ['linux-gicv5-four-pes-head', 10],
  ['linux-gicv5-qemu-11', 8],
] as const)('%s', (name, interrupts) => {
  it(`delivers its ${interrupts} interrupts`, async () => {
    const { taken, ask, pes } = await read(name);
    expect(taken.size).toBe(interrupts);
    for (const [intid, records] of taken) {
      const answer = ask({ intid });
      expect(['delivered', 'late'], answer.headline).toContain(answer.outcome);
      const questions: WhyQuestion[] = [
        ...Array.from({ length: pes }, (_, pe) => ({ intid, pe })),
        ...[records[0]!, records.at(-1)!].map((at) => ({ intid, at })),
      ];
      for (const question of questions) {
        const lines = answerLines(ask(question)).join('\n');
        expect(lines).not.toMatch(NOTHING);
        expect(lines).toMatch(/delivered|never pending for PE\d|not taken/);
      }
    }
  });
});

it('a doorbell that software clears when its vPE runs is no fault', async () => {
  const path = temp.path('kvm.gictrace');
  expect((await run('import', 'qemu', recording('linux-gicv4-kvm.log.gz'), '-o', path)).code).toBe(0);
  const { code, out } = await run('why', path, '--intid', '8212');
  // The lifetime that was blocked is not the one that was delivered, nor of its PE.
  expect(out).toMatch(
    /^INTID 8212: delivered, at record \d+ by PE3; another lifetime was not acknowledged \(disabled\): record \d+/,
  );
  expect(out).toMatch(/ vPE +vPEID 0 \| VMOVP vPEID 0x0 RDbase 0x3/);
  expect(out).toMatch(/ Redistributor +PE3, vINTID 8192$/m);
  expect(out).not.toMatch(/ {2}collection {5}/);
  expect(code).toBe(0);

  // An acknowledge does not mask a priority that is unknown.
  const ofPe = (await run('why', path, '--intid', '8212', '--pe', '3')).out;
  expect(ofPe).toMatch(
    /not acknowledged \(configuration unknown\): its configuration byte, .* does not contain it$/m,
  );
  expect(ofPe.split('\n').slice(0, 3).join()).not.toMatch(/ICC_IAR1_EL1/);
});
