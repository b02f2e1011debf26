// Checks of the adapter protocol, which every adapter must pass whatever its GIC. Each check starts its own processes.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import type { Answers, Capabilities } from '@gictrace/core/backend';
import { configOf, PLAIN } from '@gictrace/core/profile';
import { RECORD_WORDS, RECORDS, RecordBatch, STIMULI_BELOW } from '@gictrace/core/record';
import { StimulusGenerator } from '@gictrace/core/testing';
import { ProcessBackend } from './process-backend.ts';
import {
  BATCH_STIMULI_MAX,
  MESSAGES,
  PROTOCOL_VERSION,
  RESPONSES,
  WORDS_OF,
  writeBatch,
  writeReset,
} from './protocol.ts';
import { frameOf, Session } from './session.ts';
import { type WireValue, WireWriter } from './wire.ts';

export interface CheckResult {
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'not applicable';
  /** What failed, why the check does not apply, or what was observed. */
  readonly detail: string;
}

/** What a check can use. */
interface Kit {
  readonly command: string;
  readonly version?: string | undefined;
  readonly timeoutMs: number;
  readonly config: GicConfig;
  readonly capabilities: Capabilities;
}

class Failed extends Error {}
class NotApplicable extends Error {}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Failed(what);
}

const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
const SEED = 1;
const STIMULI = 600;

/** Stimuli of the kinds that the adapter accepts. One in `wild` is arbitrary. */
function stimuliFor(kit: Kit, count: number, wild: number): RecordBatch {
  const generator = new StimulusGenerator(kit.config, SEED, { wild });
  const taken = new Set<number>(kit.capabilities.stimuli.map((name) => RECORDS[name].id));
  const out = new RecordBatch(count);
  const one = new RecordBatch(1);
  // The bound makes the loop end even if the adapter accepts none of the generator's kinds.
  for (let n = 0; n < 100 * count && !out.full; n++) {
    one.clear();
    generator.next(one);
    if (taken.has(one.kind[0]!)) out.copy(one, 0);
  }
  return out;
}

function part(batch: RecordBatch, from: number, count: number): RecordBatch {
  const out = new RecordBatch(Math.max(1, count));
  for (let i = from; i < Math.min(batch.count, from + count); i++) out.copy(batch, i);
  return out;
}

/** Keeps answers as text for comparisons. */
class Kept implements Answers {
  readonly lines: string[] = [];
  answered(low: number, high: number, reserved: boolean): void {
    this.lines.push(`${low} ${high} ${reserved}`);
  }
  skipped(reason: string): void {
    this.lines.push(reason);
  }
  shown(batch: RecordBatch, i: number): void {
    const words = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
    this.lines.push(`${batch.kind[i]} ${batch.pe[i]} ${words.join(' ')}`);
  }
}

function backendOf(kit: Kit): ProcessBackend {
  return new ProcessBackend({ command: kit.command, version: kit.version, timeoutMs: kit.timeoutMs });
}

async function withBackend<T>(kit: Kit, work: (backend: ProcessBackend) => Promise<T>): Promise<T> {
  const backend = backendOf(kit);
  try {
    await backend.reset(kit.config);
    return await work(backend);
  } finally {
    await backend.close();
  }
}

async function run(backend: ProcessBackend, stimuli: RecordBatch, size: number): Promise<string[]> {
  const kept = new Kept();
  for (let from = 0; from < stimuli.count; from += size) await backend.run(part(stimuli, from, size), kept);
  return kept.lines;
}

function mustEqual(a: readonly string[], b: readonly string[], what: string): void {
  const at = a.findIndex((line, i) => line !== b[i]);
  if (at >= 0 || a.length !== b.length)
    throw new Failed(
      `${what}: answer ${at < 0 ? a.length : at} is '${b[at] ?? 'missing'}', was '${a[at] ?? 'missing'}'`,
    );
}

async function withSession<T>(kit: Kit, work: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session(kit.command, kit.timeoutMs);
  try {
    return await work(session);
  } finally {
    session.close();
  }
}

const HELLO: WireValue = [MESSAGES.hello, { protocol: PROTOCOL_VERSION, name: 'gictrace', version: 'test' }];

function resetFrame(config: GicConfig): Buffer {
  const out = new WireWriter();
  writeReset(out, config);
  return out.frame();
}

async function greet(kit: Kit, session: Session): Promise<void> {
  session.send(HELLO);
  must((await session.next())[0] === MESSAGES.hello, 'hello is not answered by hello');
  session.child.send(resetFrame(kit.config));
  must((await session.next())[0] === MESSAGES.reset, 'reset is not answered by reset');
}

/** The items of all answers to a batch. */
async function itemsOf(session: Session, number: number): Promise<(readonly WireValue[])[]> {
  const items: (readonly WireValue[])[] = [];
  for (;;) {
    const message = await session.next();
    must(message[0] === MESSAGES.batch && message[1] === number, `answers to another batch than ${number}`);
    items.push(...(message[3] as readonly (readonly WireValue[])[]));
    if (message[2] === 1) return items;
  }
}

const isResponse = (item: readonly WireValue[]) => (item[0] as number) <= RESPONSES.skipped;

interface Check {
  readonly name: string;
  run(kit: Kit): Promise<string>;
}

export const CHECKS_OF_PROTOCOL: readonly Check[] = [
  {
    name: 'another version of the protocol is refused',
    run: (kit) =>
      withSession(kit, async (session) => {
        session.send([MESSAGES.hello, { protocol: 999, name: 'gictrace', version: 'test' }]);
        const end = await session.ended();
        must(end !== undefined, 'a hello of version 999 is answered, or nothing happens');
        must(end!.gaveUp !== undefined, `no message of failure; the process ${end!.how}`);
        return end!.gaveUp!;
      }),
  },
  {
    name: 'an unknown message is refused',
    run: (kit) =>
      withSession(kit, async (session) => {
        await greet(kit, session);
        session.send([99]);
        const end = await session.ended();
        must(end !== undefined, 'a message 99 is answered, or nothing happens');
        must(end!.gaveUp !== undefined, `no message of failure; the process ${end!.how}`);
        return end!.gaveUp!;
      }),
  },
  {
    name: 'an empty batch has an empty answer',
    run: (kit) =>
      withBackend(kit, async (backend) => {
        must((await run(backend, part(new RecordBatch(1), 0, 0), 1)).length === 0, 'there are answers');
        const kept = new Kept();
        await backend.run(new RecordBatch(1), kept);
        must(kept.lines.length === 0, `there are ${kept.lines.length} answers`);
        return '';
      }),
  },
  {
    name: `a batch of ${BATCH_STIMULI_MAX} does as many small ones do`,
    run: async (kit) => {
      const stimuli = stimuliFor(kit, BATCH_STIMULI_MAX, 8);
      const small = await withBackend(kit, (backend) => run(backend, stimuli, 7));
      const big = await withBackend(kit, (backend) => run(backend, stimuli, BATCH_STIMULI_MAX));
      mustEqual(small, big, 'they differ');
      return `${big.length} answers`;
    },
  },
  {
    name: 'batches that are sent before others are answered',
    run: async (kit) => {
      const stimuli = stimuliFor(kit, STIMULI, 8);
      const one = await withBackend(kit, (backend) => run(backend, stimuli, 50));
      const kept = new Kept();
      await withBackend(kit, async (backend) => {
        const flights: Promise<void>[] = [];
        for (let from = 0; from < stimuli.count; from += 50)
          flights.push(backend.run(part(stimuli, from, 50), kept));
        await Promise.all(flights);
      });
      mustEqual(one, kept.lines, 'they differ');
      return '';
    },
  },
  {
    name: 'messages in pieces, and several at once',
    run: async (kit) => {
      const stimuli = stimuliFor(kit, 40, 8);
      const out = new WireWriter();
      writeBatch(out, 5, stimuli);
      const batch = out.frame();
      const whole = await withSession(kit, async (session) => {
        await greet(kit, session);
        session.child.send(batch);
        return itemsOf(session, 5);
      });
      const glued = await withSession(kit, async (session) => {
        session.child.send(Buffer.concat([frameOf(HELLO), resetFrame(kit.config), batch]));
        await session.next();
        await session.next();
        return itemsOf(session, 5);
      });
      const pieces = await withSession(kit, async (session) => {
        await greet(kit, session);
        for (let at = 0; at < batch.length; at += at < 12 ? 1 : 61) {
          session.child.send(batch.subarray(at, at + (at < 12 ? 1 : 61)));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        return itemsOf(session, 5);
      });
      must(text(glued) === text(whole), 'messages that come at once are answered otherwise');
      must(text(pieces) === text(whole), 'a message that comes in pieces is answered otherwise');
      return '';
    },
  },
  {
    name: 'stimuli that it does not know are skipped',
    run: (kit) =>
      withSession(kit, async (session) => {
        await greet(kit, session);
        const taken = new Set<number>(kit.capabilities.stimuli.map((name) => RECORDS[name].id));
        const strange: number[][] = [
          [31, 1, 0, 1, 2, 3],
          [200, 1, 0],
          [30, 0, 0, ...new Array(40).fill(9)],
        ];
        for (let kind = 1; kind < STIMULI_BELOW; kind++) {
          const words = WORDS_OF[kind]!;
          if (words < 0) continue;
          if (!taken.has(kind)) strange.push([kind, 1, 0, ...new Array(words).fill(0)]);
          strange.push([kind, 1, 0, ...new Array(words + 1).fill(0)]);
          if (words > 0) strange.push([kind, 1, 0, ...new Array(words - 1).fill(0)]);
        }
        session.send([MESSAGES.batch, 0, strange]);
        const items = await itemsOf(session, 0);
        const responses = items.filter(isResponse);
        must(
          responses.length === strange.length,
          `${strange.length} stimuli have ${responses.length} responses`,
        );
        const wrong = responses.findIndex(([first]) => first !== RESPONSES.skipped);
        must(wrong < 0, `the stimulus [${strange[wrong]}] is not skipped`);
        must(items.length === responses.length, 'a skipped stimulus did something');
        return `${strange.length} of them`;
      }),
  },
  {
    name: 'anything at all has a response',
    run: async (kit) => {
      const stimuli = stimuliFor(kit, 2 * STIMULI, 1);
      const extremes = stimuliFor(kit, STIMULI, 4);
      for (let i = 0; i < extremes.count; i++) {
        // Statements about gigabytes of memory are not actions of a guest.
        if (extremes.kind[i] === MEM_KNOWN || extremes.kind[i] === MEM_UNKNOWN) continue;
        for (let k = 0; k < WORDS_OF[extremes.kind[i]!]!; k++)
          if (((i * 7 + k * 13) & 7) === 0) extremes.words[i * RECORD_WORDS + k] = 0xffff_ffff;
      }
      await withBackend(kit, async (backend) => {
        await run(backend, stimuli, 100);
        await run(backend, extremes, 100);
      });
      return `${stimuli.count + extremes.count} stimuli`;
    },
  },
  {
    name: 'a reset makes everything as it was',
    run: async (kit) => {
      const stimuli = stimuliFor(kit, STIMULI, 8);
      await withBackend(kit, async (backend) => {
        const first = await run(backend, stimuli, 100);
        await backend.reset(kit.config);
        mustEqual(first, await run(backend, stimuli, 100), 'after a reset it answers otherwise');
      });
      return '';
    },
  },
  {
    name: 'two runs give the same answers',
    run: async (kit) => {
      const stimuli = stimuliFor(kit, STIMULI, 8);
      const first = await withBackend(kit, (backend) => run(backend, stimuli, 100));
      const second = await withBackend(kit, (backend) => run(backend, stimuli, 100));
      mustEqual(first, second, 'they differ');
      return `${first.length} answers`;
    },
  },
  {
    name: 'snapshot and restore',
    run: async (kit) => {
      const slots = kit.capabilities.snapshots;
      if (slots === 0) throw new NotApplicable('its hello names no snapshots');
      const stimuli = stimuliFor(kit, STIMULI, 8);
      const [before, after] = [part(stimuli, 0, 300), part(stimuli, 300, 300)];
      await withBackend(kit, async (backend) => {
        await backend.snapshot(0);
        const start = await run(backend, before, 100);
        await backend.snapshot(slots - 1);
        const first = await run(backend, after, 100);
        await backend.restore(slots - 1);
        mustEqual(first, await run(backend, after, 100), 'after a restore it answers otherwise');
        if (slots < 2) return;
        await backend.restore(0);
        mustEqual(start, await run(backend, before, 100), 'slot 0 does not hold what it was given');
      });
      return `${slots} slots`;
    },
  },
  {
    name: 'bye ends the process',
    run: (kit) =>
      withSession(kit, async (session) => {
        await greet(kit, session);
        session.child.expectEnd();
        session.send([MESSAGES.bye]);
        const code = await session.child.exit(kit.timeoutMs);
        must(code !== undefined, 'it goes on');
        must(code === 0, `it ended with ${code === null ? 'a signal' : `exit code ${code}`}`);
        return '';
      }),
  },
  {
    name: 'the end of its input ends the process',
    run: (kit) =>
      withSession(kit, async (session) => {
        await greet(kit, session);
        session.child.end();
        must((await session.child.exit(kit.timeoutMs)) !== undefined, 'it goes on');
        return '';
      }),
  },
];

function text(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? `${member}` : member,
  );
}

/** The GIC of the checks: a GICv3 with an ITS, of four PEs and one Security state. */
export function checkedConfig(profile: string): GicConfig {
  return configOf(profile, PLAIN, 4);
}

/** Runs the checks of the protocol. @throws GicTraceError `backend` if the adapter cannot even be started. */
export async function checkProtocol(
  command: string,
  options: { readonly version?: string; readonly timeoutMs: number; readonly profile: string },
): Promise<{ capabilities: Capabilities; results: CheckResult[] }> {
  const config = checkedConfig(options.profile);
  const backend = new ProcessBackend({ command, ...options });
  let capabilities: Capabilities;
  try {
    capabilities = await backend.reset(config);
  } finally {
    await backend.close();
  }
  const kit: Kit = { command, config, capabilities, ...options };
  const results: CheckResult[] = [{ name: 'hello and reset', result: 'passed', detail: '' }];
  for (const { name, run: check } of CHECKS_OF_PROTOCOL) {
    try {
      results.push({ name, result: 'passed', detail: await check(kit) });
    } catch (error) {
      if (error instanceof NotApplicable)
        results.push({ name, result: 'not applicable', detail: error.message });
      else if (error instanceof Failed || error instanceof GicTraceError)
        results.push({ name, result: 'failed', detail: error.message });
      else throw error;
    }
  }
  return { capabilities, results };
}
