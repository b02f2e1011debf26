// Finds where the machine was reset in a log: software reads IRS_IST_BASER without VALID although the table was valid and
// nothing has made it invalid since. The reset is behind the last lines of the software before it, and ahead of where the
// software after it begins with the IRS: Linux first writes IRS_CR1.
import { IRS } from '@gictrace/core/spec';
import type { Line } from './lines.ts';

const BASER = BigInt(IRS.IRS_IST_BASER.offset);
const CR1 = BigInt(IRS.IRS_CR1.offset);
const VALID = 1n;

export class Resets {
  /** The numbers of the lines ahead of which the machine was reset. */
  readonly places = new Set<number>();
  private isValid = false;
  /** The line of the last write of IRS_CR1 since the table became valid; 0 if there is none. */
  private begins = 0;

  note({ event, numbers, line }: Line): void {
    if (event === 'gicv5_ist_valid' || event === 'gicv5_ist_invalid') {
      this.isValid = event === 'gicv5_ist_valid';
      this.begins = 0;
    } else if (event === 'gicv5_write' && numbers[0] === CR1) this.begins = line;
    else if (event === 'gicv5_read' && numbers[0] === BASER && this.isValid && (numbers[1]! & VALID) === 0n) {
      this.places.add(this.begins > 0 ? this.begins : line);
      this.isValid = false;
    }
  }
}
