// The ITS commands of GICv3, GICv4.0 and GICv4.1 (IHI 0069, "ITS commands"). Pure data, and the functions that decode and
// encode commands. The order of operands must not change, because the `shown` mask in traces depends on it.
import { deposit, extract } from './bits.ts';
import { naming } from './declare.ts';
import { SPURIOUS } from './intid.ts';
import type { FieldKind, Naming } from './shape.ts';

export interface OperandSpec extends Naming {
  readonly name: string;
  /** Doubleword 0 to 3. */
  readonly dw: number;
  readonly lsb: number;
  readonly width: number;
  readonly kind: FieldKind;
  /** The operand's value is the stored field times 2^shift: an address, or the upper bits of a priority. */
  readonly shift?: number;
}

export interface CommandSpec {
  readonly opcode: number;
  /** The GIC version that has it: 3, 4 (4.0) or 4.1. */
  readonly version: 3 | 4 | 4.1;
  readonly operands: readonly OperandSpec[];
  readonly doc: string;
}

const field = (
  name: string,
  dw: number,
  lsb: number,
  width: number,
  kind: FieldKind = 'uint',
  shift = 0,
): OperandSpec => ({
  name,
  dw,
  lsb,
  width,
  kind,
  shift,
});
const DeviceID = naming('DeviceID', field('DeviceID', 0, 32, 32, 'hex'));
const EventID = naming('EventID', field('EventID', 1, 0, 32, 'hex'));
const ICID = field('ICID', 2, 0, 16, 'hex');
const vPEID = naming('vPEID', field('vPEID', 1, 32, 16, 'hex'));
const valid = field('V', 2, 63, 1, 'flag');
// A processor number or an address in units of 64 KB, by GITS_TYPER.PTA.
const RDbase = field('RDbase', 2, 16, 36, 'hex');
const doorbell = naming('INTID', field('Dbell_pINTID', 2, 32, 32), { none: SPURIOUS });

export const ITS_COMMANDS = {
  MOVI: {
    opcode: 0x01,
    version: 3,
    operands: [DeviceID, EventID, ICID],
    doc: 'Move an event to another collection',
  },
  INT: { opcode: 0x03, version: 3, operands: [DeviceID, EventID], doc: 'Set an event pending' },
  CLEAR: {
    opcode: 0x04,
    version: 3,
    operands: [DeviceID, EventID],
    doc: 'Clear the pending state of an event',
  },
  SYNC: {
    opcode: 0x05,
    version: 3,
    operands: [RDbase],
    doc: 'Wait for all earlier commands of a Redistributor',
  },
  MAPD: {
    opcode: 0x08,
    version: 3,
    operands: [DeviceID, field('Size', 1, 0, 5), field('ITT_addr', 2, 8, 44, 'pa', 8), valid],
    doc: 'Map a device to an interrupt translation table',
  },
  MAPC: {
    opcode: 0x09,
    version: 3,
    operands: [ICID, RDbase, valid],
    doc: 'Map a collection to a Redistributor',
  },
  MAPTI: {
    opcode: 0x0a,
    version: 3,
    operands: [DeviceID, EventID, naming('INTID', field('pINTID', 1, 32, 32)), ICID],
    doc: 'Map an event to an LPI and a collection',
  },
  MAPI: {
    opcode: 0x0b,
    version: 3,
    operands: [DeviceID, { ...EventID, also: 'INTID' }, ICID],
    doc: 'Map an event to the LPI of the same number',
  },
  INV: {
    opcode: 0x0c,
    version: 3,
    operands: [DeviceID, EventID],
    doc: 'Invalidate the cached configuration of an event',
  },
  INVALL: {
    opcode: 0x0d,
    version: 3,
    operands: [ICID],
    doc: 'Invalidate all cached configuration of a collection',
  },
  MOVALL: {
    opcode: 0x0e,
    version: 3,
    operands: [field('RDbase1', 2, 16, 36, 'hex'), field('RDbase2', 3, 16, 36, 'hex')],
    doc: 'Move all pending LPIs to another Redistributor',
  },
  DISCARD: {
    opcode: 0x0f,
    version: 3,
    operands: [DeviceID, EventID],
    doc: 'Unmap an event and clear its pending state',
  },
  VMOVI: {
    opcode: 0x21,
    version: 4,
    operands: [DeviceID, EventID, vPEID, field('D', 2, 0, 1, 'flag'), doorbell],
    doc: 'Move an event to another vPE',
  },
  VMOVP: {
    opcode: 0x22,
    version: 4,
    operands: [
      vPEID,
      RDbase,
      field('SequenceNumber', 0, 32, 16),
      field('ITSList', 1, 0, 16, 'hex'),
      field('DB', 2, 63, 1, 'flag'),
      naming('INTID', field('Default_Doorbell_pINTID', 3, 0, 32), { none: SPURIOUS }),
    ],
    doc: 'Move a vPE to another Redistributor',
  },
  VSGI: {
    opcode: 0x23,
    version: 4.1,
    operands: [
      vPEID,
      naming('vINTID', field('vINTID', 0, 32, 4)),
      field('Priority', 0, 20, 4, 'hex', 4),
      field('G', 0, 10, 1, 'flag'),
      field('C', 0, 9, 1, 'flag'),
      field('E', 0, 8, 1, 'flag'),
    ],
    doc: 'Configure or clear a virtual SGI',
  },
  VSYNC: { opcode: 0x25, version: 4, operands: [vPEID], doc: 'Wait for all earlier commands of a vPE' },
  VMAPP: {
    opcode: 0x29,
    version: 4,
    operands: [
      vPEID,
      RDbase,
      valid,
      field('VPT_addr', 3, 16, 36, 'pa', 16),
      field('VPT_size', 3, 0, 5),
      field('Alloc', 0, 8, 1, 'flag'),
      field('PTZ', 0, 9, 1, 'flag'),
      field('VCONF_addr', 0, 16, 36, 'pa', 16),
      naming('INTID', field('Default_Doorbell_pINTID', 1, 0, 32), { none: SPURIOUS }),
    ],
    doc: "Map a vPE; Alloc, PTZ, VCONF_addr and the default doorbell are GICv4.1's",
  },
  VMAPTI: {
    opcode: 0x2a,
    version: 4,
    operands: [DeviceID, EventID, vPEID, naming('vINTID', field('vINTID', 2, 0, 32)), doorbell],
    doc: 'Map an event to a virtual LPI',
  },
  VMAPI: {
    opcode: 0x2b,
    version: 4,
    operands: [DeviceID, { ...EventID, also: 'vINTID' }, vPEID, doorbell],
    doc: 'Map an event to the virtual LPI of the same number',
  },
  VINVALL: {
    opcode: 0x2d,
    version: 4,
    operands: [vPEID],
    doc: 'Invalidate all cached configuration of a vPE',
  },
  INVDB: {
    opcode: 0x2e,
    version: 4.1,
    operands: [vPEID],
    doc: 'Invalidate the cached configuration of a default doorbell',
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof ITS_COMMANDS;

/** The meaning of each operand by its name, which is the same in every command that has it. */
export const OPERAND_DOCS: Readonly<Record<string, string>> = {
  DeviceID: 'the device',
  EventID: 'the event of the device',
  ICID: 'the collection',
  RDbase: 'the Redistributor: a processor number, or by GITS_TYPER.PTA an address in units of 64 KB',
  RDbase1: 'the Redistributor that the LPIs leave, as RDbase',
  RDbase2: 'the Redistributor that they go to, as RDbase',
  V: '1 maps, 0 unmaps',
  Size: 'EventID bits less one',
  ITT_addr: 'address of the interrupt translation table',
  pINTID: 'the LPI',
  vINTID: 'the virtual interrupt: a vLPI, for VSGI an SGI number',
  vPEID: 'the vPE',
  D: '1: Dbell_pINTID replaces the doorbell',
  Dbell_pINTID: 'the doorbell LPI; 1023 for none',
  Default_Doorbell_pINTID: "GICv4.1: the vPE's default doorbell LPI",
  DB: 'GICv4.1: a default doorbell is generated if the vPE is not resident there',
  SequenceNumber: 'pairs the copies of a VMOVP on several ITSs',
  ITSList: 'a bit an ITS that takes part',
  VPT_addr: 'address of the virtual pending table',
  VPT_size: 'vINTID bits less one',
  VCONF_addr: 'GICv4.1: address of the virtual configuration table',
  Alloc: 'GICv4.1: the first mapping of the vPE, or its last unmapping',
  PTZ: 'GICv4.1: the virtual pending table is zero',
  Priority: 'the priority; its bits 3:0 are 0',
  G: '1: Group 1',
  C: '1: clear the pending state, change nothing else',
  E: '1: enabled',
};

const byOpcode: (CommandName | undefined)[] = new Array(256).fill(undefined);
for (const [name, spec] of Object.entries(ITS_COMMANDS)) byOpcode[spec.opcode] = name as CommandName;

/** The command with this opcode (bits 7:0 of its first doubleword), or undefined. */
export function commandName(opcode: number): CommandName | undefined {
  return byOpcode[opcode & 0xff];
}

/** An operand's value: an address in bytes, anything else as stored. */
export function operandOf(words: Uint32Array, at: number, operand: OperandSpec): number {
  return extract(words, at, operand.dw, operand.lsb, operand.width) * 2 ** (operand.shift ?? 0);
}

/** A command's operands by name, from eight words; undefined for an unknown opcode. */
export function decodeCommand(
  words: Uint32Array,
  at = 0,
): { name: CommandName; operands: Record<string, number> } | undefined {
  const name = commandName(words[at]!);
  if (name === undefined) return undefined;
  const operands: Record<string, number> = {};
  for (const operand of ITS_COMMANDS[name].operands as readonly OperandSpec[])
    operands[operand.name] = operandOf(words, at, operand);
  return { name, operands };
}

/** Eight words for a command; operands that are not given are 0. Addresses in bytes. */
export function encodeCommand(name: CommandName, operands: Readonly<Record<string, number>>): Uint32Array {
  const words = new Uint32Array(8);
  const spec: CommandSpec = ITS_COMMANDS[name];
  words[0] = spec.opcode;
  for (const operand of spec.operands) {
    const value = operands[operand.name];
    if (value !== undefined)
      deposit(words, 0, operand.dw, operand.lsb, operand.width, value / 2 ** (operand.shift ?? 0));
  }
  return words;
}
