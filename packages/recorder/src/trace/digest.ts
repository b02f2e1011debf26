// The two digests of a trace. The content digest covers the raw bytes of header and chunks, independent of compression. The
// semantic digest covers stimuli, operations and observables, without host times, source lines and rules.
import { createHash, type Hash } from 'node:crypto';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core/record';

const FIRST_EVENT = 96;
// What is known about memory is not behaviour, so these records are left out.
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
/** Words per record: kind, flags and PE + 1 (16 bits) in one word, then the record's words; low bytes first. */
const WORDS = 1 + RECORD_WORDS;

/** Whether this machine stores words with low bytes first, like the digest. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

export class SemanticDigest {
  private readonly hash: Hash = createHash('sha256');
  private buffer = new Uint32Array(0);

  /** Adds the stimuli, operations and observables of a batch. */
  add(batch: RecordBatch): void {
    const { count, kind, flags, pe, words } = batch;
    if (this.buffer.length < count * WORDS) this.buffer = new Uint32Array(count * WORDS);
    const { buffer } = this;
    let at = 0;
    for (let i = 0; i < count; i++) {
      const id = kind[i]!;
      if (id >= FIRST_EVENT || id === MEM_KNOWN || id === MEM_UNKNOWN) continue;
      buffer[at++] = id | ((flags[i]! & ~RECORD_FLAGS.confirmed) << 8) | ((pe[i]! + 1) << 16);
      const from = i * RECORD_WORDS;
      for (let k = 0; k < RECORD_WORDS; k++) buffer[at++] = words[from + k]!;
    }
    const bytes = Buffer.from(buffer.buffer, 0, at * 4);
    this.hash.update(IS_LITTLE_ENDIAN ? bytes : bytes.swap32());
  }

  /** Ends the digest and returns it in hex. */
  finish(): string {
    return this.hash.digest('hex');
  }
}
