// ITS command error codes against the structure that they follow, and against those of public headers.
import { expect, test } from 'vitest';
import { type CommandName, ITS_COMMANDS } from './its-command.ts';
import { ITS_ERRORS, ITS_FAULT_DOCS, ITS_FAULTS, ITS_OUTCOMES, itsError, outcomeName } from './its-error.ts';

test('a code is 0x01, the command, the fault; CLEAR and one fault of MOVALL apart', () => {
  for (const [name, code] of Object.entries(ITS_ERRORS)) {
    const error = itsError(code);
    expect(error?.name).toBe(`E_ITS_${name}`);
    const command = error!.command as CommandName;
    expect(code >>> 16, name).toBe(1);
    expect((code >>> 8) & 0xff, name).toBe(command === 'CLEAR' ? 5 : ITS_COMMANDS[command].opcode);
    expect(code & 0xff, name).toBe(name === 'MOVALL_PROCNUM_OOR' ? 1 : ITS_FAULTS[error!.fault]);
    expect(ITS_FAULT_DOCS[error!.fault]).not.toBe('');
  }
  expect(new Set(Object.values(ITS_ERRORS)).size).toBe(Object.keys(ITS_ERRORS).length);
});

test('codes as public headers have them', () => {
  const known: [number, string][] = [
    [0x010107, 'E_ITS_MOVI_UNMAPPED_INTERRUPT'],
    [0x010109, 'E_ITS_MOVI_UNMAPPED_COLLECTION'],
    [0x010307, 'E_ITS_INT_UNMAPPED_INTERRUPT'],
    [0x010507, 'E_ITS_CLEAR_UNMAPPED_INTERRUPT'],
    [0x010801, 'E_ITS_MAPD_DEVICE_OOR'],
    [0x010802, 'E_ITS_MAPD_ITTSIZE_OOR'],
    [0x010902, 'E_ITS_MAPC_PROCNUM_OOR'],
    [0x010903, 'E_ITS_MAPC_COLLECTION_OOR'],
    [0x010a04, 'E_ITS_MAPTI_UNMAPPED_DEVICE'],
    [0x010a05, 'E_ITS_MAPTI_ID_OOR'],
    [0x010a06, 'E_ITS_MAPTI_PHYSICALID_OOR'],
    [0x010c07, 'E_ITS_INV_UNMAPPED_INTERRUPT'],
    [0x010d03, 'E_ITS_INVALL_COLLECTION_OOR'],
    [0x010e01, 'E_ITS_MOVALL_PROCNUM_OOR'],
    [0x010f07, 'E_ITS_DISCARD_UNMAPPED_INTERRUPT'],
    [0x012105, 'E_ITS_VMOVI_ID_OOR'],
    [0x012514, 'E_ITS_VSYNC_VCPU_INVALID'],
    [0x012911, 'E_ITS_VMAPP_VCPU_OOR'],
    [0x012a13, 'E_ITS_VMAPTI_VIRTUALID_OOR'],
    [0x012b06, 'E_ITS_VMAPI_PHYSICALID_OOR'],
  ];
  for (const [code, name] of known) expect(outcomeName(code)).toBe(name);
});

test('outcomes of our own lie outside the architecture’s codes', () => {
  expect(outcomeName(0)).toBe('EXECUTED');
  for (const code of Object.values(ITS_OUTCOMES)) expect(code === 0 || code > 0xff_ffff).toBe(true);
  expect(outcomeName(0xabcdef)).toBe('0xabcdef');
});
