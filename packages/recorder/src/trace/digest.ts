// The two digests of a trace. Content: the raw bytes of header and chunks, whatever compressed them. Semantic:
// what was done and what was seen, without host time, source lines and how it was inferred.
import { createHash, type Hash } from 'node:crypto';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, type RecordBatch } from '@gictrace/core';

const FIRST_EVENT = 96;
// What is known of memory is no behaviour.
const MEM_KNOWN = RECORDS['mem.known'].id;
const MEM_UNKNOWN = RECORDS['mem.unknown'].id;
/** kind, flags, PE + 1 (16 bits), the words: little-endian. */
const RECORD_BYTES = 4 + 4 * RECORD_WORDS;

export class SemanticDigest {
  private readonly hash: Hash = createHash('sha256');
  private buffer = Buffer.alloc(0);

  /** Adds the stimuli, operations and observables of a batch. */
  add(batch: RecordBatch): void {
    if (this.buffer.length < batch.count * RECORD_BYTES)
      this.buffer = Buffer.alloc(batch.count * RECORD_BYTES);
    const { buffer } = this;
    let at = 0;
    for (let i = 0; i < batch.count; i++) {
      const kind = batch.kind[i]!;
      if (kind >= FIRST_EVENT || kind === MEM_KNOWN || kind === MEM_UNKNOWN) continue;
      buffer[at] = kind;
      buffer[at + 1] = batch.flags[i]! & ~RECORD_FLAGS.confirmed;
      buffer.writeUInt16LE(batch.pe[i]! + 1, at + 2);
      for (let k = 0; k < RECORD_WORDS; k++)
        buffer.writeUInt32LE(batch.words[i * RECORD_WORDS + k]!, at + 4 + 4 * k);
      at += RECORD_BYTES;
    }
    this.hash.update(buffer.subarray(0, at));
  }

  /** The digest in hex; ends it. */
  finish(): string {
    return this.hash.digest('hex');
  }
}
