// Unpacks the page's data, which is deflated and in base64: facts as JSON, and columns in planes of bytes (packed by
// src/report/columns.ts).

/** @typedef {import('../src/report/facts.ts').ReportFacts} ReportFacts */
/** @typedef {import('../src/report/facts.ts').TraceFacts} TraceFacts */
/** @typedef {import('../src/report/facts.ts').PackedTable} PackedTable */
/** @typedef {Record<string, Uint32Array>} Table */

/** In a column: no value. */
export const NONE = 0xffff_ffff;

/**
 * @param {string} base64
 * @returns {Promise<Uint8Array>}
 */
export async function inflate(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * @param {Uint8Array} bytes
 * @returns {{ facts: ReportFacts, columns: Uint8Array }}
 */
export function split(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const facts = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { facts, columns: bytes.subarray(4 + length) };
}

/**
 * The columns of a table.
 * @param {PackedTable} packed
 * @param {Uint8Array} bytes
 * @returns {Table}
 */
export function unpack(packed, bytes) {
  /** @type {Table} */
  const out = {};
  const n = packed.rows;
  for (const { name, at, planes, delta } of packed.columns) {
    const values = new Uint32Array(n);
    for (let plane = 0; plane < planes; plane++) {
      const from = at + plane * n;
      for (let i = 0; i < n; i++) values[i] |= bytes[from + i] << (8 * plane);
    }
    if (delta) {
      let before = 0;
      for (let i = 0; i < n; i++)
        values[i] = before = (before + ((values[i] >>> 1) ^ -(values[i] & 1))) >>> 0;
    }
    out[name] = values;
  }
  return out;
}
