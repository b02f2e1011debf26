// Which stimulus made an observable: the last one before it that could have. Sources print what a GIC does right behind what
// made it do so, and an importer keeps that order; so the nearest candidate is the cause, and a stimulus that cannot
// have made it (an access of another PE to its own interface, say) is passed over.
import { FRAMES, RECORD_WORDS, RECORDS, type RecordBatch, SYSREGS } from '@gictrace/core';
import { deviceOf, SGI_REGISTERS } from './footprints.ts';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const SYSREG_READ = RECORDS['sysreg.read'].id;
const SYSREG_WRITE = RECORDS['sysreg.write'].id;
const WIRE_SET = RECORDS['wire.set'].id;
const MSI_WRITE = RECORDS['msi.write'].id;
const PE_RESET = RECORDS['pe.reset'].id;
const PE_SWITCH = RECORDS['pe.switch'].id;
const GIC_RESET = RECORDS['gic.reset'].id;
const ITS_COMMAND = RECORDS['its.command'].id;
const SGI_SENT = RECORDS['sgi.sent'].id;
const FIRST_TABLE_ACCESS = RECORDS['dte.read'].id;
const LAST_TABLE_ACCESS = RECORDS['vte.write'].id;
const FIRST_VTE = RECORDS['vte.read'].id;
const TELLS: readonly number[] = [RECORDS.hppi.id, RECORDS.vhppi.id, RECORDS.maintenance.id];
const [GICD, GICR, GITS] = [FRAMES.indexOf('GICD'), FRAMES.indexOf('GICR'), FRAMES.indexOf('GITS')];
const FIRST_EVENT = 96;
const VLPI_BASE = 0x2_0000;
/** Reads that do something. */
const ACKNOWLEDGES = new Set<number>(
  (['ICC_IAR0_EL1', 'ICC_IAR1_EL1', 'ICC_NMIAR1_EL1'] as const).map((name) => SYSREGS[name].encoding),
);

/** Nothing that is in the trace. */
export const NO_CAUSE = -1;

export class Causes {
  /** The last stimulus. */
  private last = NO_CAUSE;
  /** The last stimulus that any PE may be told something for. */
  private anyone = NO_CAUSE;
  private readonly ofPe = new Int32Array(512).fill(NO_CAUSE);
  private sgi = NO_CAUSE;
  private residency = NO_CAUSE;
  /** By ITS: the last write to its registers, and the last that it may look into its tables for. */
  private readonly registers = new Int32Array(256).fill(NO_CAUSE);
  private readonly lookups = new Int32Array(256).fill(NO_CAUSE);
  private readonly devices = new Float64Array(256).fill(-1);
  /** Of the last table access: the device that its cause is about, or -1. */
  device = -1;

  /** Takes record `i`, which is the `number`-th compared; answers the number of its cause, or {@link NO_CAUSE}. */
  of(batch: RecordBatch, i: number, number: number): number {
    const kind = batch.kind[i]!;
    const pe = batch.pe[i]!;
    const { words } = batch;
    const at = i * RECORD_WORDS;
    this.device = -1;
    // An event is a fact of the stimulus before it.
    if (kind >= FIRST_EVENT) return this.last;
    if (kind < 32) {
      this.last = number;
      this.stimulus(kind, pe, words, at, number);
      return NO_CAUSE;
    }
    if (TELLS.includes(kind)) return Math.max(this.anyone, pe < 0 ? NO_CAUSE : this.ofPe[pe]!);
    if (kind === SGI_SENT) return this.sgi >= 0 ? this.sgi : this.anyone;
    const its = words[at]! & 0xff;
    if (kind === ITS_COMMAND) {
      this.lookups[its] = number;
      this.devices[its] = deviceOf(words, at + 4, words[at + 3]!);
      return this.registers[its]!;
    }
    if (kind < FIRST_TABLE_ACCESS || kind > LAST_TABLE_ACCESS) return NO_CAUSE;
    if (kind >= FIRST_VTE && this.residency > this.lookups[its]!) return this.residency;
    this.device = this.devices[its]!;
    return this.lookups[its]!;
  }

  private stimulus(kind: number, pe: number, words: Uint32Array, at: number, number: number): void {
    const own = (who: number) => {
      if (who >= 0) this.ofPe[who] = number;
    };
    switch (kind) {
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
        if (ACKNOWLEDGES.has(words[at]!)) own(pe);
        return;
      case SYSREG_WRITE:
        own(pe);
        if (SGI_REGISTERS.has(words[at]!)) this.anyone = this.sgi = number;
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
