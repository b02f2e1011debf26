// ITS command error codes (IHI 0069, "ITS command error encodings"). A code consists of three bytes: 0x01, the command and
// the fault. This is a list and not a formula because of exceptions: CLEAR's second byte is 0x05 and not its opcode 0x04,
// and MOVALL's PROCNUM_OOR has the number 0x01. Pure data.

/** The faults of a command, with the low byte of their codes. */
export const ITS_FAULTS = {
  DEVICE_OOR: 0x01,
  ITTSIZE_OOR: 0x02,
  PROCNUM_OOR: 0x02,
  COLLECTION_OOR: 0x03,
  UNMAPPED_DEVICE: 0x04,
  ID_OOR: 0x05,
  PHYSICALID_OOR: 0x06,
  UNMAPPED_INTERRUPT: 0x07,
  ID_IS_VIRTUAL: 0x08,
  UNMAPPED_COLLECTION: 0x09,
  ITE_INVALID: 0x10,
  VCPU_OOR: 0x11,
  VPTSIZE_OOR: 0x12,
  VIRTUALID_OOR: 0x13,
  VCPU_INVALID: 0x14,
  ID_IS_PHYSICAL: 0x15,
  ITEVCPU_INVALID: 0x16,
  CMDVCPU_INVALID: 0x17,
} as const;

export type ItsFault = keyof typeof ITS_FAULTS;

/** The meaning of each fault. */
export const ITS_FAULT_DOCS: Readonly<Record<ItsFault, string>> = {
  DEVICE_OOR: 'the DeviceID is out of range',
  ITTSIZE_OOR: 'the size of the interrupt translation table is out of range',
  PROCNUM_OOR: 'RDbase names no Redistributor',
  COLLECTION_OOR: 'the ICID is out of range',
  UNMAPPED_DEVICE: 'no MAPD mapped the device',
  ID_OOR: 'the EventID is out of range for the device',
  PHYSICALID_OOR: 'the pINTID is not an LPI, or out of range',
  UNMAPPED_INTERRUPT: 'the event is not mapped',
  ID_IS_VIRTUAL: 'the event is mapped to a virtual LPI',
  UNMAPPED_COLLECTION: 'no MAPC mapped the collection',
  ITE_INVALID: 'the interrupt translation entry is not valid',
  VCPU_OOR: 'the vPEID is out of range',
  VPTSIZE_OOR: 'the size of the virtual pending table is out of range',
  VIRTUALID_OOR: 'the vINTID is not an LPI, or out of range',
  VCPU_INVALID: 'no VMAPP mapped the vPE',
  ID_IS_PHYSICAL: 'the event is mapped to a physical LPI',
  ITEVCPU_INVALID: 'the vPE that the event is mapped to is not mapped',
  CMDVCPU_INVALID: 'the vPE that the command names is not mapped',
};

/**
 * Every error that a command can have. The codes of the GICv3 commands, and those of VMOVI, VSYNC, VMAPP, VMAPTI and VMAPI
 * that public headers and manuals name, are taken from there. The others follow the structure above, which implementers'
 * documentation states for all commands.
 */
export const ITS_ERRORS = {
  MOVI_DEVICE_OOR: 0x010101,
  MOVI_COLLECTION_OOR: 0x010103,
  MOVI_UNMAPPED_DEVICE: 0x010104,
  MOVI_ID_OOR: 0x010105,
  MOVI_UNMAPPED_INTERRUPT: 0x010107,
  MOVI_ID_IS_VIRTUAL: 0x010108,
  MOVI_UNMAPPED_COLLECTION: 0x010109,
  INT_DEVICE_OOR: 0x010301,
  INT_UNMAPPED_DEVICE: 0x010304,
  INT_ID_OOR: 0x010305,
  INT_UNMAPPED_INTERRUPT: 0x010307,
  INT_UNMAPPED_COLLECTION: 0x010309,
  INT_ITE_INVALID: 0x010310,
  INT_VCPU_OOR: 0x010311,
  INT_VIRTUALID_OOR: 0x010313,
  INT_ITEVCPU_INVALID: 0x010316,
  CLEAR_DEVICE_OOR: 0x010501,
  CLEAR_UNMAPPED_DEVICE: 0x010504,
  CLEAR_ID_OOR: 0x010505,
  CLEAR_UNMAPPED_INTERRUPT: 0x010507,
  CLEAR_UNMAPPED_COLLECTION: 0x010509,
  CLEAR_ITE_INVALID: 0x010510,
  CLEAR_VCPU_OOR: 0x010511,
  CLEAR_VIRTUALID_OOR: 0x010513,
  CLEAR_ITEVCPU_INVALID: 0x010516,
  MAPD_DEVICE_OOR: 0x010801,
  MAPD_ITTSIZE_OOR: 0x010802,
  MAPC_PROCNUM_OOR: 0x010902,
  MAPC_COLLECTION_OOR: 0x010903,
  MAPTI_DEVICE_OOR: 0x010a01,
  MAPTI_COLLECTION_OOR: 0x010a03,
  MAPTI_UNMAPPED_DEVICE: 0x010a04,
  MAPTI_ID_OOR: 0x010a05,
  MAPTI_PHYSICALID_OOR: 0x010a06,
  MAPI_DEVICE_OOR: 0x010b01,
  MAPI_COLLECTION_OOR: 0x010b03,
  MAPI_UNMAPPED_DEVICE: 0x010b04,
  MAPI_ID_OOR: 0x010b05,
  MAPI_PHYSICALID_OOR: 0x010b06,
  INV_DEVICE_OOR: 0x010c01,
  INV_UNMAPPED_DEVICE: 0x010c04,
  INV_ID_OOR: 0x010c05,
  INV_UNMAPPED_INTERRUPT: 0x010c07,
  INV_UNMAPPED_COLLECTION: 0x010c09,
  INV_ITE_INVALID: 0x010c10,
  INV_VCPU_OOR: 0x010c11,
  INV_VIRTUALID_OOR: 0x010c13,
  INV_ITEVCPU_INVALID: 0x010c16,
  INVALL_COLLECTION_OOR: 0x010d03,
  INVALL_UNMAPPED_COLLECTION: 0x010d09,
  MOVALL_PROCNUM_OOR: 0x010e01,
  DISCARD_DEVICE_OOR: 0x010f01,
  DISCARD_UNMAPPED_DEVICE: 0x010f04,
  DISCARD_ID_OOR: 0x010f05,
  DISCARD_UNMAPPED_INTERRUPT: 0x010f07,
  DISCARD_UNMAPPED_COLLECTION: 0x010f09,
  DISCARD_ITE_INVALID: 0x010f10,
  DISCARD_VCPU_OOR: 0x010f11,
  DISCARD_VIRTUALID_OOR: 0x010f13,
  DISCARD_ITEVCPU_INVALID: 0x010f16,
  VMOVI_DEVICE_OOR: 0x012101,
  VMOVI_UNMAPPED_DEVICE: 0x012104,
  VMOVI_ID_OOR: 0x012105,
  VMOVI_PHYSICALID_OOR: 0x012106,
  VMOVI_UNMAPPED_INTERRUPT: 0x012107,
  VMOVI_VCPU_OOR: 0x012111,
  VMOVI_VIRTUALID_OOR: 0x012113,
  VMOVI_ID_IS_PHYSICAL: 0x012115,
  VMOVI_ITEVCPU_INVALID: 0x012116,
  VMOVI_CMDVCPU_INVALID: 0x012117,
  VMOVP_PROCNUM_OOR: 0x012202,
  VMOVP_VCPU_OOR: 0x012211,
  VMOVP_VCPU_INVALID: 0x012214,
  VSGI_VCPU_OOR: 0x012311,
  VSGI_VCPU_INVALID: 0x012314,
  VSYNC_VCPU_OOR: 0x012511,
  VSYNC_VCPU_INVALID: 0x012514,
  VMAPP_PROCNUM_OOR: 0x012902,
  VMAPP_PHYSICALID_OOR: 0x012906,
  VMAPP_VCPU_OOR: 0x012911,
  VMAPP_VPTSIZE_OOR: 0x012912,
  VMAPTI_DEVICE_OOR: 0x012a01,
  VMAPTI_UNMAPPED_DEVICE: 0x012a04,
  VMAPTI_ID_OOR: 0x012a05,
  VMAPTI_PHYSICALID_OOR: 0x012a06,
  VMAPTI_VCPU_OOR: 0x012a11,
  VMAPTI_VIRTUALID_OOR: 0x012a13,
  VMAPI_DEVICE_OOR: 0x012b01,
  VMAPI_UNMAPPED_DEVICE: 0x012b04,
  VMAPI_ID_OOR: 0x012b05,
  VMAPI_PHYSICALID_OOR: 0x012b06,
  VMAPI_VCPU_OOR: 0x012b11,
  VMAPI_VIRTUALID_OOR: 0x012b13,
  VINVALL_VCPU_OOR: 0x012d11,
  VINVALL_VCPU_INVALID: 0x012d14,
  INVDB_VCPU_OOR: 0x012e11,
  INVDB_VCPU_INVALID: 0x012e14,
} as const;

/**
 * Outcomes for which the architecture has no code. Bits 31:24 are set, so that they cannot collide with its codes.
 *
 * - `UNKNOWN_COMMAND`: no command has this opcode.
 * - `UNSUPPORTED_COMMAND`: this ITS does not have the command.
 * - `TABLE_UNREADABLE`: an entry that the command needs cannot be reached.
 *
 * The last two are not outcomes of an ITS; they say that the source does not contain enough to know the outcome:
 *
 * - `NOT_SHOWN`: the source does not contain the command.
 * - `UNDECIDED`: the source contains the command, but not a table entry that decides its outcome.
 */
export const ITS_OUTCOMES = {
  EXECUTED: 0,
  UNKNOWN_COMMAND: 0xff00_0001,
  UNSUPPORTED_COMMAND: 0xff00_0002,
  TABLE_UNREADABLE: 0xff00_0003,
  NOT_SHOWN: 0xff00_0004,
  UNDECIDED: 0xff00_0005,
} as const;

/** Whether an outcome says what became of a command, and not that the source does not contain it. */
export function isOutcomeKnown(code: number): boolean {
  return code !== ITS_OUTCOMES.NOT_SHOWN && code !== ITS_OUTCOMES.UNDECIDED;
}

/** Whether an outcome says that an ITS refused a command. */
export function isRefused(code: number): boolean {
  return code !== ITS_OUTCOMES.EXECUTED && isOutcomeKnown(code);
}

export interface ItsError {
  /** The name as the architecture spells it: `E_ITS_MAPD_DEVICE_OOR`. */
  readonly name: string;
  /** The command that was refused: `MAPD`. */
  readonly command: string;
  readonly fault: ItsFault;
}

const errors = new Map<number, ItsError>();
for (const [name, code] of Object.entries(ITS_ERRORS)) {
  const at = name.indexOf('_');
  errors.set(code, {
    name: `E_ITS_${name}`,
    command: name.slice(0, at),
    fault: name.slice(at + 1) as ItsFault,
  });
}
const outcomes = new Map<number, string>(Object.entries(ITS_OUTCOMES).map(([name, code]) => [code, name]));

/** The architecture's error with this 24-bit code, or undefined. */
export function itsError(code: number): ItsError | undefined {
  return errors.get(code);
}

/** The name of a command outcome, or its number in hex. */
export function outcomeName(code: number): string {
  return errors.get(code)?.name ?? outcomes.get(code) ?? `0x${code.toString(16)}`;
}
