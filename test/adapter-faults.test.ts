// Adapters that die, hang, lie and babble: exit code 3, one clear line that says how far it had come, nothing left
// running, and the part that was re-recorded can be recovered.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TraceReader } from '@gictrace/recorder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { frameOf } from '../packages/replayer/src/adapter/session.ts';
import { imported, recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());
const trace = temp.path('t.gictrace');
const out = temp.path('out.gictrace');
beforeAll(() => imported(recording('its-trigger.log.gz'), trace));

const FAULTY = fileURLToPath(new URL('adapters/faulty.mjs', import.meta.url));
const faulty = (how: string, at: number, seed = 1) =>
  `exec:${process.execPath} '${FAULTY}' ${how} ${at} ${seed}`;

/** One line, no stack trace. */
function oneLine(err: string): void {
  expect(err).toMatch(/^gictrace: [^\n]+\n$/);
}

/** Message 0 is its hello, 1 its answer to the reset; from 2 on they are answers. */
describe.each([
  ['exit', [0, 1, 11], /ended with exit code 0/],
  ['code', [1, 5], /ended with exit code 7/],
  ['kill', [0, 2], /was killed by SIGKILL/],
  ['hang', [1, 5], /hangs: nothing came from it for 6 s/],
  ['lost', [2], /hangs|where those to/],
  ['garbage', [0, 2, 11], /no message: .*'.*assertion failed/],
  ['cut', [0, 2, 5], /exit code 0, \d+ bytes into a message/],
  ['twice', [0, 1, 5], /no message: .*(nothing asked for|where the answer|where those to)/],
  ['gives-up', [0, 1, 5], /gives up: out of memory/],
] as const)('an adapter that goes wrong: %s', (how, messages, says) => {
  it.each(messages)('at message %i', async (at) => {
    const answer = await run('replay', trace, '--on', faulty(how, at), '--timeout', '6', '--batch', '30');
    oneLine(answer.err);
    expect(answer.err).toMatch(says);
    expect(answer.code).toBe(3);
    expect(answer.out).toBe('');
    if (at >= 2) expect(answer.err).toMatch(/sent last: record \d+: (PE\d|\S)/);
  });
});

it('the record that is named is the one, with batches of one', async () => {
  const { err } = await run('replay', trace, '--on', faulty('kill', 40), '--batch', '1');
  const [, record, text] = /first without an answer: record (\d+): ([^(]*)/.exec(err)!;
  const dump = await run('dump', trace, '--from', record!, '--to', record!);
  // The message names the record without the rule that inferred a part of it.
  const printed = dump.out.replace(/^\s*\d+\s+/, '').replace(/ \((inferred|assumed): [^)]*\)/, '');
  expect(printed.trim()).toBe(text!.trim());
});

it('what was re-recorded until then can be recovered', async () => {
  const { code, err } = await run('replay', trace, '--on', faulty('kill', 15), '--batch', '30', '-o', out);
  expect(code).toBe(3);
  expect(existsSync(out)).toBe(false);
  const partial = `${out}.partial`;
  expect(err).toContain(`gictrace recover ${partial} -o TRACE`);
  const mended = temp.path('mended.gictrace');
  expect((await run('recover', partial, '-o', mended)).code).toBe(0);
  rmSync(partial);
  const reader = TraceReader.open(mended);
  reader.verify();
  expect(reader.records).toBeGreaterThan(100);
  reader.close();
  // What it holds is what the whole replay gives, as far as it goes.
  expect((await run('replay', trace, '--on', faulty('none', -1), '-o', out)).code).toBe(0);
  const lines = async (path: string) => (await run('dump', path)).out.trimEnd().split('\n');
  const some = await lines(mended);
  expect((await lines(out)).slice(0, some.length)).toEqual(some);
});

it('leaves nothing behind where nothing was recorded', async () => {
  rmSync(out, { force: true });
  const { code } = await run('replay', trace, '--on', faulty('exit', 0), '-o', out);
  expect(code).toBe(3);
  expect([existsSync(out), existsSync(`${out}.partial`)]).toEqual([false, false]);
});

it('whatever byte is bent: a verdict or a clear failure', async () => {
  let failures = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const answer = await run(
      'replay',
      trace,
      '--on',
      faulty('bent', seed % 12, seed),
      '--timeout',
      '5',
      '--batch',
      '60',
    );
    expect([0, 1, 3]).toContain(answer.code);
    if (answer.code === 3 && answer.out === '') {
      failures++;
      oneLine(answer.err);
    }
  }
  expect(failures).toBeGreaterThan(2);
});

it('a hanging process is gone afterwards, and what it started too', async () => {
  const pids = temp.path('pids');
  const command = `exec:sleep 300 & echo $! $$ > '${pids}'; wait`;
  const { code, err } = await run('replay', trace, '--on', command, '--timeout', '1');
  expect([code, err]).toEqual([3, expect.stringMatching(/hangs/)]);
  const alive = () =>
    readFileSync(pids, 'utf8')
      .trim()
      .split(' ')
      .filter((pid) => {
        try {
          // Killed and not yet reaped counts as gone.
          return !/State:\s+Z/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
        } catch {
          return false;
        }
      });
  await expect.poll(alive, { timeout: 5000 }).toEqual([]);
});

it.each([
  ['exec:', /exec: without a command/],
  ['exec:   ', /exec: without a command/],
])('--on %j is refused', async (on, says) => {
  const { code, err } = await run('replay', trace, '--on', on);
  expect([code, err]).toEqual([2, expect.stringMatching(says)]);
});

it.each([
  ['an echo', 'cat', /names no stimuli/],
  ['no such program', 'gictrace-no-such-program', /127: the shell does not find/],
  ['silence', 'true', /ended with exit code 0/],
])('%s is no adapter', async (_name, command, says) => {
  const { code, err } = await run('replay', trace, '--on', `exec:${command} 2>/dev/null`, '--timeout', '3');
  oneLine(err);
  expect([code, err]).toEqual([3, expect.stringMatching(says)]);
});

it('an adapter on which nothing can be compared is not the same: exit code 3', async () => {
  const scripted = fileURLToPath(new URL('adapters/scripted.mjs', import.meta.url));
  const hello = { protocol: 1, name: 'idle', version: '1', stimuli: ['pe.reset'] };
  const replies = [frameOf([0, hello]), frameOf([1])].map((frame) => frame.toString('hex'));
  const on = `exec:${process.execPath} '${scripted}' ${replies.join(' ')}`;
  const { code, out: text, err } = await run('replay', trace, '--on', on);
  expect([code, err]).toEqual([3, '']);
  expect(text).toMatch(/^NOTHING COMPARED: \d+ records replayed on exec:/);
  expect(text).toContain('mmio.write: not taken by the backend');
});

it('--timeout and --batch without an adapter are refused', async () => {
  expect((await run('replay', trace, '--timeout', '3')).code).toBe(2);
  expect((await run('replay', trace, '--batch', '3')).code).toBe(2);
});
