// Rebuilds the operands of an ITS command that the source does not print, from the table entries that the ITS read and
// wrote for it (rule `command-from-tables`).
import { type CommandName, commandName } from '@gictrace/core/spec';
import {
  CTE_READ,
  CTE_WRITE,
  DTE_READ,
  DTE_WRITE,
  ITE_READ,
  ITE_WRITE,
  VTE_READ,
  VTE_WRITE,
} from '../common/record-kinds.ts';

/** Commands whose effect does not depend on their operands. QEMU reads none of them. */
const WITHOUT: ReadonlySet<CommandName> = new Set(['SYNC', 'VSYNC', 'INVALL']);
type Operands = Record<string, number>;

export class CommandFromTables {
  private name: CommandName | undefined;
  private operands: Operands = {};
  /** The number of collection table entries that were read for the command. */
  private collections = 0;

  /** Begins a command. Returns its operands if they do not matter. */
  begin(opcode: number): { name: CommandName; operands: Operands } | undefined {
    this.name = commandName(opcode);
    this.operands = {};
    this.collections = 0;
    return this.name !== undefined && WITHOUT.has(this.name) ? { name: this.name, operands: {} } : undefined;
  }

  /**
   * The ITS read or wrote an entry; `word` returns a word of the record's fields. Returns the command's operands, as
   * far as the entries reveal them, once they suffice to execute it again.
   */
  entry(kind: number, word: (n: number) => number): { name: CommandName; operands: Operands } | undefined {
    const { name, operands } = this;
    if (name === undefined) return undefined;
    const address = (n: number) => word(n + 1) * 2 ** 32 + word(n);
    switch (kind) {
      case DTE_READ:
        operands.DeviceID = word(1);
        // The device has no table, so the ITS reads nothing else.
        if (word(2) === 0) return this.needs('DeviceID');
        return undefined;
      case DTE_WRITE:
        Object.assign(operands, { DeviceID: word(1), V: word(2), Size: word(3), ITT_addr: address(4) });
        return name === 'MAPD' ? { name, operands } : undefined;
      case CTE_READ:
        if (name === 'MOVI' && ++this.collections === 2) {
          operands.ICID = word(1);
          return this.needs('DeviceID', 'EventID');
        }
        return undefined;
      case CTE_WRITE:
        Object.assign(operands, { ICID: word(1), V: word(2), RDbase: word(3) });
        return name === 'MAPC' ? { name, operands } : undefined;
      case ITE_READ:
        operands.EventID = word(3);
        return name === 'MOVI' || name === 'VMOVI' ? undefined : this.needs('DeviceID');
      case ITE_WRITE:
        operands.EventID = word(3);
        if (name === 'MAPTI') operands.pINTID = word(6);
        if (name === 'VMAPTI') operands.vINTID = word(6);
        if (word(4) !== 0) operands.ICID = word(7);
        if (name.startsWith('V')) Object.assign(operands, { vPEID: word(8), Dbell_pINTID: word(9), D: 1 });
        return this.needs('DeviceID');
      case VTE_READ:
        operands.vPEID = word(1);
        return name === 'VINVALL' ? { name, operands } : undefined;
      case VTE_WRITE:
        Object.assign(operands, {
          vPEID: word(1),
          V: word(2),
          VPT_size: word(3),
          VPT_addr: address(4),
          RDbase: word(6),
        });
        return { name, operands };
      default:
        return undefined;
    }
  }

  /** Returns the operands if those that are named are among them. */
  private needs(...names: string[]): { name: CommandName; operands: Operands } | undefined {
    if (this.name === undefined || !names.every((one) => this.operands[one] !== undefined)) return undefined;
    return { name: this.name, operands: this.operands };
  }
}
