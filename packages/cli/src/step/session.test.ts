// A session of gictrace step, on a recording: forward, back, to an event, with a watched interrupt, and mistakes.
import { join } from 'node:path';
import { TimeMachine } from '@gictrace/query';
import { TraceReader } from '@gictrace/recorder';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LOG, run, scratch, spawn } from '../run.test-support.ts';
import { StepSession } from './session.ts';

const trace = join(scratch(), 'its.gictrace');
let reader: TraceReader;
beforeAll(async () => {
  expect((await run('import', 'qemu', LOG, '-o', trace)).code).toBe(0);
  reader = TraceReader.open(trace);
});
afterAll(() => reader.close());

/** What a session prints for some commands, and its notes about mistakes. */
function session(...commands: readonly string[]) {
  const time = new TimeMachine({
    config: reader.header.config,
    records: reader.records,
    batches: (from) => reader.batches(from),
  });
  let out = '';
  let err = '';
  const one = new StepSession(time, reader.records, {
    write: (text) => {
      out += text;
    },
    note: (text) => {
      err += `${text}\n`;
    },
  });
  for (const command of commands) if (!one.take(command)) break;
  return { out, err, digest: time.simulator.state.digest(), record: time.now?.record, failed: one.failed };
}

it('goes to the message of an interrupt, and shows what it does and who is signalled', () => {
  const { out, err } = session('find command INT');
  expect(err).toBe('');
  expect(out).toMatch(/^\d+ \+\S+ PE\d GITS\[0\] GITS_CWRITER/);
  expect(out).toMatch(/\n {2}~ PE\d lpi\.pended INTID 8195 cause its-command/);
  expect(out).toMatch(/\n {2}> PE\d hppi INTID 8195/);
  expect(out).toMatch(/\n {2}signalled: PE\d INTID 8195 IRQ\n/);
});

it('is in the same state forward, and back again', () => {
  const there = session('go 500');
  expect(session('go 700', 'back 30', 'go 500').digest).toBe(there.digest);
  expect(session('go 500', 'next 20', 'back 20').digest).toBe(there.digest);
  const found = session('go 800', 'rfind intid 8195');
  expect(found.record).toBeLessThan(800);
  expect(session(`go ${found.record}`).digest).toBe(found.digest);
});

it('stops where the gate of the watched interrupt changes', () => {
  const { out } = session('find command INT', 'back', 'watch 8195', 'find gate');
  expect(out).toMatch(/^watch: INTID 8195.*: not pending$/m);
  expect(out).toMatch(/ watch: INTID 8195 PE\d: signalled/);
});

it('says that nothing fits, and stays', () => {
  const { out, record } = session('go 300', 'find intid 5000', 'rfind intid 5000');
  expect(out).toMatch(/no such stimulus follows\n/);
  expect(out).toMatch(/no such stimulus precedes\n$/);
  expect(record).toBe(300);
});

it.each([
  ['jump', /step has no command 'jump'/],
  ['go x', /go takes a whole number/],
  ['watch LPI 16777216', /watch takes a whole number below 2\^24, or .*, not 'LPI 16777216'/],
  ['watch 27 1 2', /watch takes an INTID and a PE/],
  ['find intid', /find intid takes a whole number below 2\^24/],
  ['find intid 27 1', /find takes one thing and one value/],
  ['find intid PPI 27', /PPI 27 is no interrupt of the trace/],
  ['watch PPI 27', /PPI 27 is no interrupt of the trace/],
  ['find', /find takes intid, pe, device, command, kind or gate, not ''/],
  ['find command FOO', /there is no ITS command 'FOO'/],
  ['find gate', /needs a watched interrupt/],
] as const)('reports %s, and continues', (command, says) => {
  const { err, out, failed } = session(command, 'next');
  expect(err).toMatch(says);
  expect(failed).toBe(true);
  expect(out).toMatch(/^\d+ /);
});

it('works in a pipe', () => {
  const { code, out, err } = spawn(['step', trace, '--watch', '8195'], 'find intid 8195\nquit\nnext\n');
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(out).toMatch(/^watch: INTID 8195/);
  expect(spawn(['step', trace], 'fly\n').code).toBe(2);
});
