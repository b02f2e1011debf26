// The constants of the trace format: magic, version, frame types, limits. Pure data; docs/trace-format.md describes them. It
// knows nothing of files.

/** The version that this code writes. Older ones are read through `upcasters`; newer ones are refused. */
export const FORMAT_VERSION = 2;

/**
 * The first bytes of a trace. As in PNG, a byte above 0x7f, CR LF, Ctrl-Z and LF reveal a transfer in text mode.
 */
export const MAGIC = Uint8Array.of(0x89, 0x47, 0x49, 0x43, 0x0d, 0x0a, 0x1a, 0x0a);
/** Last bytes of a trace. */
export const END_MAGIC = Uint8Array.of(0x89, 0x43, 0x49, 0x47, 0x45, 0x4e, 0x44, 0x0a);
/** First bytes of each frame. */
export const SYNC = Uint8Array.of(0xc1, 0x47, 0x54, 0x93);

export const PREFIX_BYTES = 16;
export const FRAME_BYTES = 40;
export const TRAILER_BYTES = 24;

/** Frame types. 4–127 are reserved for later versions, 128–255 free for applications; a reader skips both. */
export const FRAME_TYPES = { header: 0, records: 1, snapshot: 2, footer: 3 } as const;
/** Lowest frame type that applications may use. */
export const FIRST_FREE_FRAME_TYPE = 128;

/** Compression of a payload: the low two bits of a frame's flags. */
export const COMPRESSIONS = { none: 0, brotli: 1 } as const;

/** Records in a chunk by default. */
export const CHUNK_RECORDS = 4096;
/** Most records in a chunk. */
export const CHUNK_RECORDS_MAX = 65_536;
/** A trace has at most this many records, because 32-bit words (`cause`) name records. */
export const RECORDS_MAX = 0xffff_fffe;

const MiB = 1024 * 1024;
/** The longest raw (and therefore stored) payload by frame type, in bytes, which limits what a reader must allocate. */
export function payloadBytesMax(type: number): number {
  switch (type) {
    case FRAME_TYPES.header:
      return MiB;
    case FRAME_TYPES.records:
      return 8 * MiB;
    case FRAME_TYPES.footer:
      return 256 * MiB;
    default:
      return 64 * MiB;
  }
}

/** The hint for a damaged trace. */
export const HINT = '`gictrace recover` saves what is intact';
