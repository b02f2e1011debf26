// Readers of what an export writes, made from the formats' descriptions and not from the writers. For tests only.

/** Fields of a protobuf message by number, in order: integers as bigint, the rest as bytes. */
export type Message = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

export function decodeMessage(bytes: Uint8Array): Message {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error(`no varint ends at ${at}`);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const list = fields.get(tag >> 3) ?? [];
    fields.set(tag >> 3, list);
    if ((tag & 7) === 0) list.push(varint());
    else if ((tag & 7) === 1) {
      if (at + 8 > bytes.length) throw new Error(`a fixed64 at ${at} is cut`);
      list.push(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigUint64(0, true));
      at += 8;
    } else if ((tag & 7) === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new Error(`a field of ${length} bytes at ${at} is cut`);
      list.push(bytes.subarray(at, at + length));
      at += length;
    } else throw new Error(`wire type ${tag & 7} at ${at}`);
  }
  return fields;
}

const one = (message: Message, field: number) => {
  const list = message.get(field);
  if (list !== undefined && list.length > 1) throw new Error(`field ${field} is there ${list.length} times`);
  return list?.[0];
};
const number = (message: Message, field: number) => {
  const value = one(message, field);
  return value === undefined ? undefined : Number(value as bigint);
};
const text = (message: Message, field: number) => {
  const value = one(message, field);
  return value === undefined ? undefined : Buffer.from(value as Uint8Array).toString('utf8');
};
const nested = (message: Message, field: number) => {
  const value = one(message, field);
  return value === undefined ? undefined : decodeMessage(value as Uint8Array);
};

export interface Track {
  readonly uuid: number;
  readonly name: string;
  readonly parent: number | undefined;
  readonly pid: number | undefined;
  readonly counter: boolean;
}
export interface TrackEvent {
  readonly time: number;
  /** 1 begin, 2 end, 3 instant, 4 counter. */
  readonly type: number;
  readonly track: Track;
  readonly name: string | undefined;
  readonly category: string | undefined;
  readonly value: number | undefined;
  readonly more: Readonly<Record<string, string | number>>;
  /** The flows that it is part of, and of those, the ones that end with it. */
  readonly flows: readonly number[];
  readonly ends: readonly number[];
}

/** The tracks and events of a Perfetto trace; throws where an event names a track that was not described before. */
export function decodePerfetto(bytes: Uint8Array): { tracks: Map<number, Track>; events: TrackEvent[] } {
  const tracks = new Map<number, Track>();
  const events: TrackEvent[] = [];
  const trackOf = (uuid: number | undefined): Track => {
    const track = tracks.get(uuid ?? -1);
    if (track === undefined) throw new Error(`track ${uuid} was not described`);
    return track;
  };
  for (const [index, raw] of (decodeMessage(bytes).get(1) ?? []).entries()) {
    const packet = decodeMessage(raw as Uint8Array);
    if (number(packet, 10) !== 1) throw new Error('a packet without its sequence');
    if ((number(packet, 13) === 1) !== (index === 0)) throw new Error('the sequence begins once');
    const descriptor = nested(packet, 60);
    if (descriptor !== undefined) {
      const uuid = number(descriptor, 1)!;
      const process = nested(descriptor, 3);
      const parent = number(descriptor, 5);
      if (tracks.has(uuid) || uuid === 0) throw new Error(`track ${uuid} is described twice`);
      if (parent !== undefined) trackOf(parent);
      tracks.set(uuid, {
        uuid,
        name: text(descriptor, 2) ?? text(process!, 6)!,
        parent,
        pid: process === undefined ? undefined : number(process, 1),
        counter: descriptor.has(8),
      });
      continue;
    }
    const event = nested(packet, 11)!;
    const more: Record<string, string | number> = {};
    for (const annotation of event.get(4) ?? []) {
      const told = decodeMessage(annotation as Uint8Array);
      more[text(told, 10)!] = text(told, 6) ?? number(told, 3)!;
    }
    events.push({
      time: number(packet, 8)!,
      type: number(event, 9)!,
      track: trackOf(number(event, 11)),
      name: text(event, 23),
      category: text(event, 22),
      value: number(event, 30),
      more,
      flows: [...(event.get(47) ?? []), ...(event.get(48) ?? [])].map(Number),
      ends: (event.get(48) ?? []).map(Number),
    });
  }
  return { tracks, events };
}

export interface Signal {
  readonly width: number;
  /** Time and value, from `$dumpvars` on; x and z as they are, numbers in binary. */
  readonly changes: readonly (readonly [number, string])[];
}

/** The signals of a value change dump by path, such as `gic.PE0.IRQ`. Throws where it is no such dump. */
export function parseVcd(dump: string): { signals: Map<string, Signal>; comments: string[]; end: number } {
  const signals = new Map<string, Signal>();
  const byCode = new Map<string, { width: number; changes: [number, string][] }>();
  const comments: string[] = [];
  const scopes: string[] = [];
  let time = -1;
  let defined = false;
  for (const line of dump.trimEnd().split('\n')) {
    const words = line.split(' ');
    if (!defined) {
      if (words.at(-1) !== '$end') throw new Error(`no end: ${line}`);
      if (words[0] === '$comment') comments.push(words.slice(1, -1).join(' '));
      else if (words[0] === '$scope') scopes.push(words[2]!);
      else if (words[0] === '$upscope') scopes.pop();
      else if (words[0] === '$enddefinitions') defined = scopes.length === 0;
      else if (words[0] === '$var') {
        const [, , width, code, name] = words as [string, string, string, string, string];
        const signal = { width: Number(width), changes: [] };
        if (byCode.has(code)) throw new Error(`${code} is declared twice`);
        if (!/^[!-~]+$/.test(code)) throw new Error(`${code} cannot be read`);
        byCode.set(code, signal);
        signals.set([...scopes, name].join('.'), signal);
      } else if (line !== '$timescale 1 ns $end') throw new Error(line);
      continue;
    }
    if (line === '$dumpvars' || line === '$end') continue;
    if (line.startsWith('#')) {
      const next = Number(line.slice(1));
      if (!(next > time)) throw new Error(`time ${next} after ${time}`);
      time = next;
      continue;
    }
    const [value, code] = words.length === 2 ? [words[0]!.slice(1), words[1]!] : [line[0]!, line.slice(1)];
    const signal = byCode.get(code);
    if (signal === undefined || (words.length === 2) !== signal.width > 1) throw new Error(line);
    if (!/^([01]+|x|z)$/.test(value) || value.length > signal.width) throw new Error(line);
    signal.changes.push([time, value]);
  }
  return { signals, comments, end: time };
}
