// The architecture as data: registers, ITS commands, ITS errors, table entries, INTIDs.
export { ADDRESSES } from './addresses.ts';
export { deposit, extract } from './bits.ts';
export { GICD } from './gicd.ts';
export { GICR } from './gicr.ts';
export {
  DOMAINS,
  type Domain,
  GICV5_ENTRIES,
  GICV5_IDLE_PRIORITY,
  GICV5_INTID_MASK,
  GICV5_PPIS,
  GICV5_SYSREGS,
  GICV5_TYPE_LSB,
  GICV5_TYPES,
  type Gicv5Entry,
  type Gicv5SysregName,
  type Gicv5SysregSpec,
  type Gicv5Type,
  gicv5Id,
  gicv5Intid,
  gicv5IntidText,
  gicv5SysregName,
  gicv5Type,
  gicv5TypeName,
  IRS,
  ITS,
  IWB,
  isGicv5Intid,
} from './gicv5/index.ts';
export { GITS } from './gits.ts';
export {
  EPPI_FIRST,
  ESPI_FIRST,
  INTID_RANGES,
  type IntidClass,
  intidClass,
  isInterrupt,
  isPrivate,
  isSpecial,
  isSpi,
  LPI_FIRST,
  NO_DOORBELL,
  SPECIAL_FIRST,
  SPECIAL_INTIDS,
  SPI_FIRST,
  SPURIOUS,
} from './intid.ts';
export { anyIntidClass, anyIntidText, INTID_FORM, intidNamed } from './intid-any.ts';
export {
  type CommandName,
  type CommandSpec,
  commandName,
  decodeCommand,
  encodeCommand,
  ITS_COMMANDS,
  type OperandSpec,
  operandOf,
} from './its-command.ts';
export {
  ITS_ERRORS,
  ITS_FAULTS,
  ITS_OUTCOMES,
  type ItsError,
  type ItsFault,
  isOutcomeKnown,
  isRefused,
  itsError,
  outcomeName,
} from './its-error.ts';
export { elementName, type FrameMap, firstIntidOf, frameMap, type IntidSpan, intidSpan } from './lookup.ts';
export {
  type FieldName,
  fieldReader,
  fieldReaders,
  fieldWriter,
  mask,
  maskHigh,
  masks,
  packFields,
  unpackField,
} from './mask.ts';
export { FRAMES, type FrameName, type RegisterPlace, registerAt } from './register-at.ts';
export {
  type FieldKind,
  type FieldSpec,
  IDENTIFIERS,
  type Identifier,
  type InterruptAct,
  type Naming,
  type RegisterSpec,
  type RegisterTable,
} from './shape.ts';
export { SYSREGS, type SysregName, type SysregSpec, sysregName } from './sysreg.ts';
export { ALL_SYSREGS, type AnySysregName, anySysregName } from './sysreg-any.ts';
export {
  type EntryLayout,
  LEVEL1_ENTRY,
  LPI_CONFIG,
  QEMU_LAYOUT,
  type TableLayout,
  VSGI_COUNT,
  VTE_41,
} from './table-entry.ts';
