// The functions of node:crypto that gictrace uses.

import { sha256 } from '@noble/hashes/sha2.js';
import { Buffer } from 'buffer';

export class Hash {
  private readonly hash = sha256.create();

  update(data: Uint8Array | string): this {
    this.hash.update(typeof data === 'string' ? new TextEncoder().encode(data) : data);
    return this;
  }

  digest(encoding: 'hex' | 'base64'): string {
    return Buffer.from(this.hash.digest()).toString(encoding);
  }
}

export function createHash(algorithm: string): Hash {
  if (algorithm !== 'sha256') throw new Error(`there is no ${algorithm} here`);
  return new Hash();
}

export function randomBytes(count: number): Buffer {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(count)));
}
