// Finds the stimulus that caused an observable: the last one before it that could have. Sources print what a GIC does
// right after its cause, and an importer keeps that order, so the nearest candidate is the cause. A stimulus that
// cannot be the cause, such as another PE's access to its own CPU interface, is skipped.
import { PES_MAX } from '@gictrace/core';
import {
  actOf,
  deviceOf,
  isEvent,
  isStimulus,
  isTableAccess,
  KIND,
  RECORD_WORDS,
  type RecordBatch,
} from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';

const MMIO_WRITE = KIND['mmio.write'];
const SYSREG_READ = KIND['sysreg.read'];
const SYSREG_WRITE = KIND['sysreg.write'];
const WIRE_SET = KIND['wire.set'];
const MSI_WRITE = KIND['msi.write'];
const PE_RESET = KIND['pe.reset'];
const PE_SWITCH = KIND['pe.switch'];
const GIC_RESET = KIND['gic.reset'];
const ITS_COMMAND = KIND['its.command'];
const SGI_SENT = KIND['sgi.sent'];
const FIRST_VTE = KIND['vte.read'];
const TELLS: readonly number[] = [KIND.hppi, KIND.vhppi, KIND.maintenance];
const [GICD, GICR, GITS] = [FRAMES.indexOf('GICD'), FRAMES.indexOf('GICR'), FRAMES.indexOf('GITS')];
const VLPI_BASE = 0x2_0000;
/** The cause is not in the trace. */
export const NO_CAUSE = -1;

export class Causes {
  /** The last stimulus. */
  private last = NO_CAUSE;
  /** The last stimulus that can change what any PE is signalled. */
  private anyone = NO_CAUSE;
  private readonly ofPe = new Int32Array(PES_MAX).fill(NO_CAUSE);
  private sgi = NO_CAUSE;
  private residency = NO_CAUSE;
  /** By ITS: the last write to its registers, and the last stimulus that can make it read its tables. */
  private readonly registers = new Int32Array(256).fill(NO_CAUSE);
  private readonly lookups = new Int32Array(256).fill(NO_CAUSE);
  private readonly devices = new Float64Array(256).fill(-1);
  /** For the last table access: the device that its cause concerns, or -1. */
  device = -1;

  /** Takes record `i`, which is compared record `number`. Returns the number of its cause, or {@link NO_CAUSE}. */
  of(batch: RecordBatch, i: number, number: number): number {
    const kind = batch.kind[i]!;
    const pe = batch.pe[i]!;
    const { words } = batch;
    const at = i * RECORD_WORDS;
    this.device = -1;
    // An event belongs to the stimulus before it.
    if (isEvent(kind)) return this.last;
    if (isStimulus(kind)) {
      this.last = number;
      this.stimulus(batch, i, number);
      return NO_CAUSE;
    }
    if (TELLS.includes(kind)) return Math.max(this.anyone, pe < 0 ? NO_CAUSE : this.ofPe[pe]!);
    if (kind === SGI_SENT) return this.sgi >= 0 ? this.sgi : this.anyone;
    const its = words[at]! & 0xff;
    if (kind === ITS_COMMAND) {
      this.lookups[its] = number;
      this.devices[its] = deviceOf(batch, i);
      return this.registers[its]!;
    }
    if (!isTableAccess(kind)) return NO_CAUSE;
    if (kind >= FIRST_VTE && this.residency > this.lookups[its]!) return this.residency;
    this.device = this.devices[its]!;
    return this.lookups[its]!;
  }

  private stimulus(batch: RecordBatch, i: number, number: number): void {
    const pe = batch.pe[i]!;
    const { words } = batch;
    const at = i * RECORD_WORDS;
    const own = (who: number) => {
      if (who >= 0) this.ofPe[who] = number;
    };
    switch (batch.kind[i]) {
      case MMIO_WRITE: {
        const frame = words[at]!;
        if (frame === GICR) {
          own(words[at + 1]! & 511);
          if (words[at + 2]! >= VLPI_BASE) this.residency = number;
          return;
        }
        if (frame === GICD || frame === GITS) this.anyone = number;
        if (frame === GITS) {
          this.registers[words[at + 1]! & 0xff] = number;
          this.look(words[at + 1]!, number, -1);
        }
        return;
      }
      case SYSREG_READ:
        if (actOf(batch, i)?.does === 'acknowledge') own(pe);
        return;
      case SYSREG_WRITE:
        own(pe);
        if (actOf(batch, i)?.does === 'generate') this.anyone = this.sgi = number;
        return;
      case WIRE_SET:
        if (pe < 0) this.anyone = number;
        else own(pe);
        return;
      case MSI_WRITE:
        this.anyone = number;
        this.look(words[at]!, number, words[at + 1]!);
        return;
      case PE_RESET:
      case PE_SWITCH:
        own(pe);
        return;
      case GIC_RESET:
        this.anyone = number;
    }
  }

  private look(its: number, number: number, device: number): void {
    this.lookups[its & 0xff] = number;
    this.devices[its & 0xff] = device;
  }
}
