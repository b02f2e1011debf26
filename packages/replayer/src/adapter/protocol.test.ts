// docs/adapter.md is right: its examples have the bytes that it says, and mean what the code makes of them. And what is
// written of configurations and hellos is read again; anything else is refused.
import { readFileSync } from 'node:fs';
import type { GicConfig } from '@gictrace/core';
import { Simulator } from '@gictrace/core/backend';
import { recordText } from '@gictrace/core/disasm';
import { configOf, PLAIN, PROFILES } from '@gictrace/core/profile';
import { NO_PE, RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { describe, expect, it } from 'vitest';
import { parseHello, parseReset, writeBatch, writeHello, writeHelloOf, writeReset } from './protocol.ts';
import { frameOf } from './session.ts';
import { WireReader, type WireValue, WireWriter } from './wire.ts';

const doc = readFileSync(new URL('../../../../docs/adapter.md', import.meta.url), 'utf8');
const examples = [...doc.matchAll(/```json\n(.*)\n```\n\n```hex\n([^`]*)```/g)].map(([, meaning, bytes]) => ({
  meaning: JSON.parse(meaning!) as WireValue[],
  bytes: Buffer.from(bytes!.replaceAll(/\s/g, ''), 'hex'),
}));

function read(frame: Buffer): WireValue[] {
  const reader = new WireReader();
  reader.reset(frame, 4, frame.length);
  const value = reader.value();
  expect(reader.done).toBe(true);
  return value as WireValue[];
}

function written(write: (out: WireWriter) => void): Buffer {
  const out = new WireWriter();
  write(out);
  return out.frame();
}

describe('docs/adapter.md', () => {
  it('has an example of every message', () => {
    expect([...new Set(examples.map(({ meaning }) => meaning[0]))]).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it.each(examples)('$meaning', ({ meaning, bytes }) => {
    expect(bytes.readUInt32LE(0)).toBe(bytes.length - 4);
    expect(JSON.parse(JSON.stringify(read(bytes)))).toEqual(meaning);
    expect(frameOf(meaning)).toEqual(bytes);
  });

  const withFirst = (first: number) => examples.filter(({ meaning }) => meaning[0] === first);

  it('has the hello that gictrace writes, and one that it takes', () => {
    const [ours, theirs] = withFirst(0);
    expect(written((out) => writeHello(out, 'gictrace', '0.2.0'))).toEqual(ours!.bytes);
    const { capabilities, reasons } = parseHello(theirs!.meaning[1]!);
    expect(capabilities).toMatchObject({ name: 'my-gic', observables: ['hppi'], snapshots: 0 });
    expect(reasons).toEqual(['no such register']);
  });

  it('has a reset that gictrace writes', () => {
    const config = parseReset(withFirst(1)[0]!.meaning[1]!);
    expect(config.pes).toEqual([{ affinity: 0 }, { affinity: 1 }]);
    expect(written((out) => writeReset(out, config))).toEqual(withFirst(1)[0]!.bytes);
  });

  it('has a batch that gictrace writes, of the stimuli that the text names', () => {
    const batch = new RecordBatch(4);
    const push = (kind: keyof typeof RECORDS, pe: number, ...words: number[]) =>
      batch.words.set(words, batch.push(RECORDS[kind].id, pe, Number.NaN) * RECORD_WORDS);
    push('mmio.write', 0, 0, 0, 0x104, 4, 2);
    push('wire.set', NO_PE, 33, 1);
    push('mmio.read', 0, 0, 0, 0x204, 4);
    push('mmio.read', 0, 0, 0, 0xc, 4);
    expect(written((out) => writeBatch(out, 0, batch))).toEqual(withFirst(2)[0]!.bytes);
    expect(recordText(batch, 0)).toContain('GICD_ISENABLER1');
    expect(recordText(batch, 2)).toContain('GICD_ISPENDR1');
  });
});

describe('configurations', () => {
  const configs: GicConfig[] = Object.entries(PROFILES).map(([name, { hardware }]) =>
    configOf(name, hardware, 7),
  );
  it.each([...configs, { ...configOf('kvm', PLAIN, 512), vtr: 0x9000_0003 }])('$profile', (config) => {
    const frame = written((out) => writeReset(out, config));
    expect(frame.length).toBeLessThan(65_536);
    expect(parseReset(read(frame)[1]!)).toEqual(config);
  });

  it('that are none are refused, with what is wrong', () => {
    const good = read(written((out) => writeReset(out, configOf('kvm', PLAIN, 2))))[1] as Record<
      string,
      WireValue
    >;
    for (const key of Object.keys(good)) {
      const { [key]: _without, ...rest } = good;
      if (key === 'its' || key === 'gicr_bases' || key === 'its_bases') continue;
      expect(() => parseReset(rest), key).toThrow(/^a reset whose /);
    }
    expect(() => parseReset([])).toThrow(/without its map/);
  });
});

describe('hellos', () => {
  const { capabilities } = new Simulator('9');
  const good = read(written((out) => writeHelloOf(out, { capabilities, reasons: ['x'] })))[1] as Record<
    string,
    WireValue
  >;
  it('come back as they were written', () => {
    expect(parseHello(good)).toEqual({ capabilities, reasons: ['x'] });
  });
  it.each([
    [{ protocol: 2 }, /version 2 of the protocol/],
    [{ protocol: '1' }, /version 1 of the protocol/],
    [{ name: '' }, /without its name/],
    [{ version: 3 }, /without its version/],
    [{ stimuli: [] }, /names no stimuli/],
    [{ stimuli: ['hppi'] }, /'hppi', which is not one/],
    [{ stimuli: ['toString'] }, /no kind of record/],
    [{ observables: ['mmio.read'] }, /'mmio.read', which is not one/],
    [{ observables: ['source.conflict'] }, /'source.conflict', which is not one/],
    [{ observables: 'hppi' }, /observables are no array/],
    [{ events: [7] }, /no kind of record/],
    [{ reasons: [''] }, /no array of texts/],
    [{ snapshots: 'many' }, /no number/],
  ] as [Record<string, WireValue>, RegExp][])('with %j are refused', (change, says) => {
    expect(() => parseHello({ ...good, ...change })).toThrow(says);
  });
});
