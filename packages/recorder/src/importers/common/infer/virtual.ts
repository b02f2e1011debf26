// Infers what a source does not contain about the memory of vPEs: their virtual pending tables and the configuration of
// their vLPIs. See inference.ts.
import type { Machine } from '@gictrace/core/model';
import { RECORD_WORDS, type RecordBatch, type RULES, type RuleName } from '@gictrace/core/record';
import { commandName, GICR, ITS_COMMANDS, LPI_FIRST, type OperandSpec, operandOf } from '@gictrace/core/spec';
import {
  FRAME_GICR,
  ITE_READ,
  ITE_WRITE,
  ITS_COMMAND,
  MEM_KNOWN,
  MEM_UNKNOWN,
  MMIO_WRITE,
} from '../record-kinds.ts';

const VPENDBASER = GICR.GICR_VPENDBASER.offset;
const ENABLE = 1;
const PRIORITY = 0xfc;

type Say = (kind: number, rule: keyof typeof RULES, address: number, ...rest: number[]) => void;

interface VpeTables {
  /** Address of the virtual pending table, and its size in bytes. */
  readonly table: number;
  readonly bytes: number;
  /** Address of the configuration table, known once the vPE has been resident. */
  config: number | undefined;
}

function operand(command: 'VMAPP' | 'VINVALL', name: string): OperandSpec {
  return (ITS_COMMANDS[command].operands as readonly OperandSpec[]).find((spec) => spec.name === name)!;
}
const vpeidOf = operand('VMAPP', 'vPEID');
const validOf = operand('VMAPP', 'V');
const tableOf = operand('VMAPP', 'VPT_addr');
const sizeOf = operand('VMAPP', 'VPT_size');

export class VirtualInference {
  private readonly machine: Machine;
  private readonly say: Say;
  /** Mapped vPEs by vPEID. */
  private readonly vpes = new Map<number, VpeTables>();

  constructor(machine: Machine, say: Say) {
    this.machine = machine;
    this.say = say;
  }

  /** Infers a byte of a vLPI configuration table from the priority with which the vLPI is signalled. */
  learnConfig(address: number, priority: number): void {
    if (this.machine.state.memory.isKnown(address)) return;
    this.say(MEM_KNOWN, 'vlpi-config-from-vhppi', address, 1, (priority & PRIORITY) | ENABLE);
  }

  /** Notes that a vPE becomes resident. Only then is the address of its configuration table known. */
  watch(group: RecordBatch, i: number): void {
    const w = i * RECORD_WORDS;
    const { words } = group;
    if (group.kind[i] !== MMIO_WRITE || words[w] !== FRAME_GICR || words[w + 2] !== VPENDBASER) return;
    if (words[w + 3] !== 8 || (words[w + 5]! & 0x8000_0000) === 0) return;
    const { vpropbaser } = this.machine.state.virtual;
    const pe = words[w + 1]!;
    if (pe >= this.machine.state.peCount) return;
    const table = (words[w + 5]! & 0xf_ffff) * 2 ** 32 + ((words[w + 4]! & 0xffff_0000) >>> 0);
    const config =
      (vpropbaser[2 * pe + 1]! & 0xf_ffff) * 2 ** 32 + ((vpropbaser[2 * pe]! & 0xffff_f000) >>> 0);
    for (const vpe of this.vpes.values()) if (vpe.table === table) vpe.config = config;
  }

  /** Called before a command runs that adds to what is known, or invalidates it. */
  beforeCommand(group: RecordBatch, i: number, end: number): void {
    const w = i * RECORD_WORDS;
    const name = commandName(group.words[w + 4]!);
    if (name === 'VMAPP') this.map(group.words, w + 4);
    else if (name === 'VINVALL')
      this.forgetConfigs(this.vpes.get(operandOf(group.words, w + 4, vpeidOf))?.config);
    else if (name === 'INV' || name === 'VMAPTI' || name === 'VMAPI') this.forgetEvent(group, i, end);
  }

  private map(words: Uint32Array, at: number): void {
    const vpeid = operandOf(words, at, vpeidOf);
    const { memory } = this.machine.state;
    const before = this.vpes.get(vpeid);
    if (operandOf(words, at, validOf) === 0) {
      this.vpes.delete(vpeid);
      // Memory that software has freed may later hold anything.
      if (before !== undefined)
        this.say(MEM_UNKNOWN, 'virtual-pending-table-freed', before.table, before.bytes);
      return;
    }
    const table = operandOf(words, at, tableOf);
    const bytes = 2 ** (operandOf(words, at, sizeOf) + 1) / 8;
    this.vpes.set(vpeid, { table, bytes, config: undefined });
    let run = -1;
    for (let k = 0; k <= bytes; k++) {
      const open = k < bytes && !memory.isKnown(table + k);
      if (open && run < 0) run = k;
      else if (!open && run >= 0) {
        this.say(MEM_KNOWN, 'virtual-pending-table-zero', table + run, k - run, 0);
        run = -1;
      }
    }
  }

  /** Software may have rewritten any configuration byte of any vPE. */
  forgetAll(rule: RuleName): void {
    for (const { config } of this.vpes.values()) this.forgetConfigs(config, rule);
  }

  /** Software may have rewritten any configuration byte of the vPE. */
  private forgetConfigs(config: number | undefined, rule: RuleName = 'lpi-config-after-inv'): void {
    if (config === undefined) return;
    const { memory } = this.machine.state;
    const bytes = 2 ** 16 - LPI_FIRST;
    if (memory.anyKnown(config, bytes)) this.say(MEM_UNKNOWN, rule, config, bytes);
  }

  /**
   * Software may have rewritten the configuration byte of an event's vLPI. The entry that the command read says which
   * vLPI that is.
   */
  private forgetEvent(group: RecordBatch, i: number, end: number): void {
    const { words } = group;
    for (let k = i + 1; k < end && group.kind[k] !== ITS_COMMAND; k++) {
      if (group.kind[k] !== ITE_READ && group.kind[k] !== ITE_WRITE) continue;
      const w = k * RECORD_WORDS;
      if (words[w + 4] === 0 || words[w + 5] !== 0 || words[w + 6]! < LPI_FIRST) return;
      const config = this.vpes.get(words[w + 8]!)?.config;
      if (config === undefined) return;
      const address = config + words[w + 6]! - LPI_FIRST;
      if (this.machine.state.memory.isKnown(address))
        this.say(MEM_UNKNOWN, 'lpi-config-after-inv', address, 1);
      return;
    }
  }
}
