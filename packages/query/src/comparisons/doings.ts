// What a driver did in an operation, in the operation's own terms, so that it can be compared with what Linux does: commands
// whose operands are the device, vector, PE or vPE that the operation names, and accesses by register.
import type { Operation } from '@gictrace/core/irqchip';
import { NO_PE, RECORDS, type RecordBatch } from '@gictrace/core/record';
import {
  type CommandName,
  FRAMES,
  ITS_COMMANDS,
  NO_DOORBELL,
  type OperandSpec,
  registerAt,
} from '@gictrace/core/spec';

const MMIO_WRITE = RECORDS['mmio.write'].id;
const MMIO_READ = RECORDS['mmio.read'].id;
const GICD_FRAME = FRAMES.indexOf('GICD');
const GICR_FRAME = FRAMES.indexOf('GICR');
/** Operands that a driver chooses: INTIDs of LPIs and vLPIs, and addresses. */
const CHOSEN = new Set(['pINTID', 'vINTID', 'ITT_addr', 'VPT_addr', 'VCONF_addr']);
const DOORBELLS = new Set(['Dbell_pINTID', 'Default_Doorbell_pINTID']);

interface Sent {
  readonly name: CommandName;
  readonly operands: Readonly<Record<string, number>>;
}
interface Access {
  readonly label: string;
  readonly what: 'read' | 'write';
  /** The PE of a Redistributor; -1 for other frames. */
  readonly pe: number;
  /** The number of SPIs that a write of a register over SPIs names; 1 for others. */
  readonly spis: number;
}

/** The names of the argument that a number is, as the operation has it. */
class Terms {
  private readonly pes = new Map<number, number>();
  /** The DeviceID that the driver mapped for itself when it was set up, and the vPE of each of its events. */
  proxy = -1;
  readonly vpeOf = new Map<number, number>();

  /** The PE on which the interrupt or the vPE of an operation was before it. */
  before(o: Operation): number | undefined {
    const key = keyBefore(o);
    return key === undefined ? undefined : this.pes.get(key);
  }
  /** Takes note of where the operation has it go. */
  after(o: Operation): void {
    const key = keyBefore(o);
    if ('pe' in o && key !== undefined) this.pes.set(key, o.pe);
  }
}
/** vPEs and vectors have keys that cannot be equal; other operations have none. */
const keyBefore = (o: Operation): number | undefined =>
  'vector' in o ? o.device * 65_536 + o.vector : 'vpe' in o ? -1 - o.vpe : undefined;

export class Doings {
  private commands: Sent[] = [];
  private accesses: Access[] = [];
  private readonly terms = new Terms();

  command(name: CommandName, operands: Readonly<Record<string, number>>): void {
    this.commands.push({ name, operands });
  }

  /** Takes a stimulus; only accesses of the driver count. */
  stimulus(batch: RecordBatch): void {
    const kind = batch.kind[0];
    if (batch.pe[0] === NO_PE || (kind !== MMIO_READ && kind !== MMIO_WRITE)) return;
    const [frame, instance, offset] = batch.words as unknown as readonly [number, number, number];
    const place = registerAt(frame, offset);
    // Firmware wakes a Redistributor.
    if (place === undefined || place.name === 'GICR_WAKER') return;
    const value = batch.words[4]!;
    const isBitmap =
      frame === GICD_FRAME && kind === MMIO_WRITE && /^GICD_I[SC](ENABLE|PEND)R/.test(place.name);
    this.accesses.push({
      label: place.name,
      what: kind === MMIO_READ ? 'read' : 'write',
      pe: frame === GICR_FRAME ? instance : -1,
      spis: isBitmap ? bitsOf(value) : 1,
    });
  }

  /** The driver has been set up: what it did belongs to no operation. */
  setUp(): void {
    const mapped = this.commands.findLast(({ name }) => name === 'MAPD');
    if (mapped !== undefined) this.terms.proxy = mapped.operands.DeviceID!;
    this.clear();
  }

  private clear(): void {
    this.commands = [];
    this.accesses = [];
  }

  /** The operation in which all this was done has ended: commands and accesses as text, null where there were none. */
  ended(o: Operation): readonly [commands: string | null, accesses: string | null] {
    const commands = this.commands.map(({ name, operands }) => {
      const { terms } = this;
      const isProxied = operands.DeviceID === terms.proxy;
      if (isProxied && name === 'MAPTI' && 'vpe' in o) terms.vpeOf.set(operands.EventID!, o.vpe);
      const term = (of: string, value: number) =>
        isProxied && of === 'EventID' ? this.eventTerm(o, value) : this.term(o, of, value);
      return [
        name,
        ...(ITS_COMMANDS[name].operands as readonly OperandSpec[]).flatMap((operand) =>
          CHOSEN.has(operand.name) ? [] : [term(operand.name, operands[operand.name] ?? 0)],
        ),
      ].join(' ');
    });
    const accesses: string[] = [];
    for (const { label, what, pe, spis } of this.accesses) {
      const at = pe < 0 ? '' : ` of ${this.peTerm(o, pe)}`;
      accesses.push(`${label}${at} ${what}${spis === 1 ? '' : ` of ${spis} SPIs`}`);
    }
    this.terms.after(o);
    this.clear();
    return [commands.join('; ') || null, repeated(accesses) || null];
  }

  private peTerm(o: Operation, pe: number): string {
    if ('pe' in o && o.pe === pe) return 'pe';
    return this.terms.before(o) === pe ? 'old pe' : `PE ${pe}`;
  }

  /** An event of the proxy device: that of the vPE of the operation, or of another one. */
  private eventTerm(o: Operation, event: number): string {
    const vpe = this.terms.vpeOf.get(event);
    return 'vpe' in o && vpe === o.vpe ? 'event' : `event-of-vPE-${vpe}`;
  }

  private term(o: Operation, name: string, value: number): string {
    const named = o as { device?: number; vector?: number; vpe?: number; count?: number };
    if (name === 'DeviceID' && value === named.device) return 'device';
    if (name === 'DeviceID' && value === this.terms.proxy) return 'proxy';
    if (name === 'EventID' && value === named.vector) return 'vector';
    if (name === 'vPEID' && value === named.vpe) return 'vpe';
    if (name === 'ICID' || name === 'RDbase') return this.peTerm(o, value);
    if (name === 'Size' && o.op === 'alloc' && 2 ** (value + 1) === leastEvents(o.count)) return 'least';
    if (DOORBELLS.has(name)) return value === NO_DOORBELL || value === 0 ? 'no-doorbell' : 'doorbell';
    return `${name}=${value}`;
  }
}

/** The events of a table that has at least two, and a power of two. */
function leastEvents(count: number): number {
  let events = 2;
  while (events < count) events *= 2;
  return events;
}

function bitsOf(value: number): number {
  let bits = 0;
  for (let left = value >>> 0; left !== 0; left = (left & (left - 1)) >>> 0) bits++;
  return bits;
}

/** A list as text, in which `3 × ` stands before what comes three times in a row. */
function repeated(list: readonly string[]): string {
  const parts: string[] = [];
  for (let k = 0; k < list.length; ) {
    let n = 1;
    while (list[k + n] === list[k]) n++;
    parts.push(n === 1 ? list[k]! : `${n} × ${list[k]}`);
    k += n;
  }
  return parts.join(', ');
}
