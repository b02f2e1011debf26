// ITS command error codes (IHI 0069, "ITS command error encodings"): 0x01, the command, the error. Pure data.

/** What can be wrong with a command, and the low byte of its code. */
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
} as const;

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
  CLEAR_DEVICE_OOR: 0x010501,
  CLEAR_UNMAPPED_DEVICE: 0x010504,
  CLEAR_ID_OOR: 0x010505,
  CLEAR_UNMAPPED_INTERRUPT: 0x010507,
  CLEAR_UNMAPPED_COLLECTION: 0x010509,
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
  INV_DEVICE_OOR: 0x010c01,
  INV_UNMAPPED_DEVICE: 0x010c04,
  INV_ID_OOR: 0x010c05,
  INV_UNMAPPED_INTERRUPT: 0x010c07,
  INV_UNMAPPED_COLLECTION: 0x010c09,
  INVALL_COLLECTION_OOR: 0x010d03,
  INVALL_UNMAPPED_COLLECTION: 0x010d09,
  MOVALL_PROCNUM_OOR: 0x010e01,
  DISCARD_DEVICE_OOR: 0x010f01,
  DISCARD_UNMAPPED_DEVICE: 0x010f04,
  DISCARD_ID_OOR: 0x010f05,
  DISCARD_UNMAPPED_INTERRUPT: 0x010f07,
  DISCARD_UNMAPPED_COLLECTION: 0x010f09,
} as const;

/**
 * Outcomes that the architecture has no code for: ours, outside its space (bits 31:24 set).
 * `UNKNOWN_COMMAND`: no command has this opcode. `UNSUPPORTED_COMMAND`: this ITS does not have the command.
 * `TABLE_UNREADABLE`: an entry that the command needs cannot be reached.
 */
export const ITS_OUTCOMES = {
  EXECUTED: 0,
  UNKNOWN_COMMAND: 0xff00_0001,
  UNSUPPORTED_COMMAND: 0xff00_0002,
  TABLE_UNREADABLE: 0xff00_0003,
} as const;

const names = new Map<number, string>();
for (const [name, code] of Object.entries(ITS_ERRORS)) names.set(code, `E_ITS_${name}`);
for (const [name, code] of Object.entries(ITS_OUTCOMES)) names.set(code, name);

/** The name of a command outcome, or its number in hex. */
export function outcomeName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16)}`;
}
