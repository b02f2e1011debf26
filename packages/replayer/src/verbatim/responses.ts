// Compares responses: what reads returned, and whether an access reached a reserved location.
import { type Capabilities, RESERVED_NOT_SHOWN } from '@gictrace/core/backend';
import {
  clearIdentification,
  clearUnknownBits,
  isResponseUnknown,
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  responseAt,
} from '@gictrace/core/record';
import type { ReplayCounts } from './counts.ts';
import type { Divergences } from './divergences.ts';
import type { Expected } from './following.ts';
import type { ReplayOptions } from './options.ts';
import { UNDECIDED } from './outcome.ts';

const MMIO_READ = RECORDS['mmio.read'].id;
const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const RESERVED_NOT_IN_SOURCE = 'whether a location is reserved: not shown by the source';

const REGISTER = () => 'reached a register';
const RESERVED = () => 'reached a reserved location';

/** A backend's answer to a stimulus. The object is reused, because 32-bit numbers are slow as arguments. */
export interface Response {
  /** What a read returned. */
  readonly low: number;
  readonly high: number;
  readonly reserved: boolean;
}

export class Responses {
  private readonly counts: ReplayCounts;
  private readonly compared: Float64Array;
  private readonly divergences: Divergences;
  /** The recorded value and the response, without the bits that are UNKNOWN. */
  private readonly known = new Uint32Array(4);
  private readonly isIdentificationAllowed: boolean;
  /** Why it is not compared whether a location is reserved; undefined if it is compared. */
  private readonly reservedSkipped: string | undefined;

  constructor(
    counts: ReplayCounts,
    divergences: Divergences,
    options: ReplayOptions,
    capabilities: Capabilities | undefined,
  ) {
    this.counts = counts;
    this.compared = counts.compared;
    this.divergences = divergences;
    this.isIdentificationAllowed = options.allow?.includes('identification') ?? false;
    if (options.sourceTellsReserved === false) this.reservedSkipped = RESERVED_NOT_IN_SOURCE;
    else if (capabilities?.reserved === false) this.reservedSkipped = RESERVED_NOT_SHOWN;
  }

  /**
   * Record `i` of a batch is a stimulus that the backend has executed. `expected`: what a read should return, if earlier
   * choices of the backend decide that and not the recording.
   */
  compare(batch: RecordBatch, i: number, response: Response, expected?: Expected): void {
    const kind = batch.kind[i]!;
    if (expected !== undefined && !isResponseUnknown(batch.flags[i]!)) {
      this.compared[kind]!++;
      if (expected.low === response.low && expected.high === response.high)
        this.counts.choose(expected.choice);
      else
        this.divergences.differs(
          batch,
          i,
          () => `${returned(response)}, and its earlier choices lead to ${value(expected)}`,
        );
      return;
    }
    if (kind === MMIO_READ || kind === SYSREG_READ) this.compareRead(batch, i, kind, response);
    else if (kind === MMIO_WRITE) this.compareWrite(batch, i, kind, response);
  }

  private compareRead(batch: RecordBatch, i: number, kind: number, response: Response): void {
    const flags = batch.flags[i]!;
    if (isResponseUnknown(flags)) {
      this.counts.unknown(flags & RECORD_FLAGS.undecided ? UNDECIDED : 'response not shown by the source');
      return;
    }
    const at = i * RECORD_WORDS + responseAt(kind);
    this.compared[kind]!++;
    if (
      (batch.words[at] !== response.low || batch.words[at + 1] !== response.high) &&
      !this.agreesWhereKnown(batch, i, kind, response)
    )
      this.differs(batch, i, response);
    else if (kind === MMIO_READ && this.reservedSkipped === undefined)
      this.compareReserved(batch, i, response);
  }

  /** Whether a read differs only in bits that the architecture leaves UNKNOWN. */
  private agreesWhereKnown(batch: RecordBatch, i: number, kind: number, response: Response): boolean {
    if (kind !== MMIO_READ || !this.agreesBut(batch, i, response, clearUnknownBits)) return false;
    this.counts.unknown('bits that the architecture leaves UNKNOWN');
    return true;
  }

  /** Whether a read agrees in all bits but those that `clear` clears. */
  private agreesBut(
    batch: RecordBatch,
    i: number,
    response: Response,
    clear: (words: Uint32Array, at: number, frame: number, offset: number) => void,
  ): boolean {
    const { known } = this;
    const at = i * RECORD_WORDS;
    known[0] = batch.words[at + 4]!;
    known[1] = batch.words[at + 5]!;
    known[2] = response.low;
    known[3] = response.high;
    clear(known, 0, batch.words[at]!, batch.words[at + 2]!);
    clear(known, 2, batch.words[at]!, batch.words[at + 2]!);
    return known[0] === known[2] && known[1] === known[3];
  }

  private differs(batch: RecordBatch, i: number, response: Response): void {
    if (batch.kind[i] === MMIO_READ && this.agreesBut(batch, i, response, clearIdentification)) {
      if (this.isIdentificationAllowed) {
        this.counts.tolerate('identification');
        return;
      }
      this.counts.identificationReads++;
    }
    this.divergences.differs(batch, i, () => returned(response));
  }

  /** The only thing to compare for a write is whether it reached a register. */
  private compareWrite(batch: RecordBatch, i: number, kind: number, response: Response): void {
    if (this.reservedSkipped !== undefined) {
      this.counts.skip(this.reservedSkipped);
      return;
    }
    this.compared[kind]!++;
    this.compareReserved(batch, i, response);
  }

  private compareReserved(batch: RecordBatch, i: number, response: Response): void {
    const recorded = (batch.flags[i]! & RECORD_FLAGS.reserved) !== 0;
    if (recorded !== response.reserved) this.divergences.differs(batch, i, recorded ? REGISTER : RESERVED);
  }
}

function returned(response: Response): string {
  return `returned ${value(response)}`;
}

function value({ low, high }: Pick<Response, 'low' | 'high'>): string {
  return `0x${((BigInt(high) << 32n) | BigInt(low >>> 0)).toString(16)}`;
}
