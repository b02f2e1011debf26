// Stimuli of the ITS: messages of devices, LPI configuration bytes, and commands whose operands mostly exist.
import { NO_PE, RECORDS, type RecordBatch } from '../record/index.ts';
import {
  type CommandName,
  encodeCommand,
  ITS_COMMANDS,
  LPI_FIRST,
  NO_DOORBELL,
  type OperandSpec,
} from '../spec/index.ts';
import { DEVICES, EVENTS, GUEST_MEMORY, LPIS, UNMAPPED_DEVICE, VPES } from './guest-memory.ts';
import type { Pieces } from './pieces.ts';

const MSI_WRITE = RECORDS['msi.write'].id;
const commandNames = Object.keys(ITS_COMMANDS) as CommandName[];

export function message(g: Pieces, batch: RecordBatch): void {
  const r = g.random;
  g.push(batch, MSI_WRITE, NO_PE, 0, g.deviceIds[r.below(DEVICES)]!, r.below(EVENTS), 4);
}

/** An LPI or vLPI configuration byte. */
export function configuration(g: Pieces, batch: RecordBatch): void {
  const r = g.random;
  const table = r.once(2) ? GUEST_MEMORY.propbase : GUEST_MEMORY.vconf + 0x10000 * r.below(VPES);
  g.store(batch, table + r.below(LPIS), 1, (r.below(16) << 4) | r.below(4));
}

/** Adds a command to the script. It runs with the stimulus that follows. */
export function commandNext(g: Pieces): void {
  const name = g.random.pick(commandNames);
  const operands: Record<string, number> = {};
  for (const spec of ITS_COMMANDS[name].operands as readonly OperandSpec[])
    operands[spec.name] = operand(g, spec);
  g.queueNext(encodeCommand(name, operands));
}

function operand(g: Pieces, spec: OperandSpec): number {
  const r = g.random;
  const unit = 2 ** (spec.shift ?? 0);
  if (g.wild > 0 && r.once(24)) return (r.word() % 2 ** Math.min(spec.width, 31)) * unit;
  switch (spec.name) {
    case 'DeviceID':
      return g.deviceIds[r.below(DEVICES + 1)] ?? UNMAPPED_DEVICE;
    case 'EventID':
      return r.below(EVENTS + 1);
    case 'pINTID':
      return g.reconfigures && r.once(8) ? r.below(LPI_FIRST) : LPI_FIRST + r.below(LPIS);
    case 'vINTID':
      return spec.width === 4 ? r.below(16) : LPI_FIRST + r.below(LPIS);
    case 'Dbell_pINTID':
    case 'Default_Doorbell_pINTID':
      return r.once(3) ? NO_DOORBELL : LPI_FIRST + r.below(LPIS);
    case 'ICID':
    case 'RDbase':
    case 'RDbase1':
    case 'RDbase2':
      return r.below(g.config.pes.length);
    case 'vPEID':
      return r.below(VPES);
    case 'ITT_addr':
      return GUEST_MEMORY.itt + 0x1000 * r.below(DEVICES);
    case 'VPT_addr':
      return GUEST_MEMORY.vpt + 0x10000 * r.below(VPES);
    case 'VCONF_addr':
      return GUEST_MEMORY.vconf + 0x10000 * r.below(VPES);
    case 'Size':
      return 2;
    case 'VPT_size':
      return r.pick([15, 13]);
    case 'V':
      return r.once(5) ? 0 : 1;
    default:
      return r.below(2 ** Math.min(spec.width, 8)) * unit;
  }
}
