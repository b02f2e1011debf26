// Every command error: a command that has exactly this wrong, and the code that it must get.
import { type CommandName, ITS_ERRORS, type ItsFault, itsError } from '../../spec/index.ts';
import { type Guest, ITT } from '../guest.ts';
import type { Behaviour } from '../shape.ts';

const DEVICE = 1;
const PHYSICAL = 0;
const VIRTUAL = 1;
/** Of a collection that is not mapped, of a vPE that is not mapped, of a vINTID that the vPE does not have. */
const LOST_COLLECTION = 2;
const LOST_VPE = 3;
const WIDE_VINTID = 4;
/** Physical entry of a kind that the ITS cannot have. */
const CORRUPT = 5;
const UNMAPPED_EVENT = 9;

type Operands = Readonly<Record<string, number>>;

/** A machine on which each kind of event exists. */
function prepare(g: Guest, virtual: boolean): void {
  g.enable().its();
  if (virtual) g.virtual(3);
  g.map(DEVICE, PHYSICAL, 8200, 0);
  g.command('MAPC', { ICID: 5, RDbase: 0, V: 1 });
  g.command('MAPTI', { DeviceID: DEVICE, EventID: LOST_COLLECTION, pINTID: 8201, ICID: 5 });
  g.command('MAPC', { ICID: 5, RDbase: 0, V: 0 });
  g.command('MAPTI', { DeviceID: DEVICE, EventID: CORRUPT, pINTID: 8202, ICID: 0 });
  // Not a physical entry any more: bit 1 is its type.
  const at = ITT + 0x1000 * DEVICE + 12 * CORRUPT;
  if (!virtual) g.store(at, g.machine.state.memory.readByte(at) & ~2);
  if (!virtual) return;
  const map = (EventID: number, vPEID: number, vINTID: number) =>
    g.command('VMAPTI', { DeviceID: DEVICE, EventID, vPEID, vINTID, Dbell_pINTID: 1023 });
  map(VIRTUAL, 0, 8192);
  map(LOST_VPE, 2, 8192);
  g.command('VMAPP', { vPEID: 2, RDbase: 0, V: 0 });
  g.command('VMAPP', {
    vPEID: 1,
    RDbase: 0,
    V: 1,
    VPT_addr: g.vpt(1),
    VPT_size: 13,
    ...(g.byVpeid ? { VCONF_addr: g.vconf(1), Default_Doorbell_pINTID: 1023 } : {}),
  });
  map(WIDE_VINTID, 1, 16384);
  // A vPE that the table does not have: the entry is written by hand.
  g.command('VMAPTI', { DeviceID: DEVICE, EventID: 6, vPEID: 0, vINTID: 8193, Dbell_pINTID: 1023 });
  g.store(ITT + 0x1000 * DEVICE + 12 * 6 + 6, 0xff);
  g.store(ITT + 0x1000 * DEVICE + 12 * 6 + 7, 0xff);
}

/** Operands of a command that is right in all else. */
const GOOD: Partial<Record<CommandName, Operands>> = {
  MAPD: { DeviceID: 7, Size: 4, ITT_addr: ITT + 0x7000, V: 1 },
  MAPC: { ICID: 3, RDbase: 0, V: 1 },
  MAPTI: { DeviceID: DEVICE, EventID: 20, pINTID: 8210, ICID: 0 },
  MAPI: { DeviceID: 4, EventID: 8192, ICID: 0 },
  MOVI: { DeviceID: DEVICE, EventID: PHYSICAL, ICID: 1 },
  INT: { DeviceID: DEVICE, EventID: PHYSICAL },
  CLEAR: { DeviceID: DEVICE, EventID: PHYSICAL },
  INV: { DeviceID: DEVICE, EventID: PHYSICAL },
  DISCARD: { DeviceID: DEVICE, EventID: PHYSICAL },
  INVALL: { ICID: 0 },
  MOVALL: { RDbase1: 0, RDbase2: 1 },
  VMAPP: { vPEID: 1, RDbase: 0, V: 1, VPT_addr: 0x4801_0000, VPT_size: 15, Default_Doorbell_pINTID: 1023 },
  VMAPTI: { DeviceID: DEVICE, EventID: 21, vPEID: 0, vINTID: 8200, Dbell_pINTID: 1023 },
  VMAPI: { DeviceID: 4, EventID: 8192, vPEID: 0, Dbell_pINTID: 1023 },
  VMOVI: { DeviceID: DEVICE, EventID: VIRTUAL, vPEID: 1, D: 1, Dbell_pINTID: 1023 },
  VMOVP: { vPEID: 0, RDbase: 1 },
  VINVALL: { vPEID: 0 },
  VSYNC: { vPEID: 0 },
  INVDB: { vPEID: 0 },
  VSGI: { vPEID: 0, vINTID: 1, Priority: 0xa0, E: 1 },
};

const BAD_VPE = 0xffff;
const UNMAPPED_VPE = 2;

/** What to change in the good operands so that exactly this is wrong. */
function wrong(command: CommandName, fault: ItsFault, g: Guest): Operands {
  const entries = { devices: 0x1_0000, collections: 8192 };
  switch (fault) {
    case 'DEVICE_OOR':
      return { DeviceID: entries.devices };
    case 'ITTSIZE_OOR':
      return { Size: 16 };
    case 'PROCNUM_OOR':
      return command === 'MOVALL' ? { RDbase1: 9 } : { RDbase: 9 };
    case 'COLLECTION_OOR':
      return { ICID: entries.collections };
    case 'UNMAPPED_DEVICE':
      return { DeviceID: 33 };
    case 'ID_OOR':
      return command === 'MAPI' || command === 'VMAPI'
        ? { DeviceID: DEVICE, EventID: 8192 }
        : { EventID: 32 };
    case 'PHYSICALID_OOR':
      if (command === 'MAPTI') return { pINTID: 100 };
      if (command === 'MAPI') return { DeviceID: DEVICE, EventID: 22 };
      if (command === 'VMAPP') return { Default_Doorbell_pINTID: 100 };
      return { Dbell_pINTID: 100 };
    case 'UNMAPPED_INTERRUPT':
      return { EventID: UNMAPPED_EVENT };
    case 'ID_IS_VIRTUAL':
      return { EventID: VIRTUAL };
    case 'UNMAPPED_COLLECTION':
      return command === 'INVALL' ? { ICID: 5 } : { EventID: LOST_COLLECTION };
    case 'ITE_INVALID':
      return { EventID: CORRUPT };
    case 'VCPU_OOR':
      return GOOD[command]?.vPEID === undefined || command === 'VMOVI'
        ? vpeOutOfRange(command)
        : { vPEID: BAD_VPE };
    case 'VPTSIZE_OOR':
      return { VPT_size: 16 };
    case 'VIRTUALID_OOR':
      if (command === 'VMAPTI') return { vINTID: 100 };
      if (command === 'VMAPI') return { DeviceID: DEVICE, EventID: 22 };
      return { EventID: WIDE_VINTID };
    case 'VCPU_INVALID':
    case 'CMDVCPU_INVALID':
      return { vPEID: UNMAPPED_VPE };
    case 'ITEVCPU_INVALID':
      return { EventID: LOST_VPE };
    case 'ID_IS_PHYSICAL':
      return { EventID: PHYSICAL };
  }
  throw new Error(`invariant: ${fault} on a machine of ${g.machine.state.peCount} PEs`);
}

/** An event's own vPE is beyond the table, or the one that the command names. */
function vpeOutOfRange(command: CommandName): Operands {
  return command === 'VMOVI' ? { vPEID: BAD_VPE } : { EventID: 6 };
}

/** Errors that only an ITS without vLPIs can have, and only one with them, or with GICv4.1's commands. */
function needsOf(command: CommandName, fault: ItsFault): Behaviour['needs'] {
  if (fault === 'ITE_INVALID') return ['no vLPIs'];
  if (command === 'INVDB' || command === 'VSGI') return ['GICv4.1'];
  if (command === 'VMAPP' && fault === 'PHYSICALID_OOR') return ['GICv4.1'];
  const virtual = command.startsWith('V') || /VCPU|VIRTUAL/.test(fault);
  return virtual ? ['vLPIs'] : ['its'];
}

/** KVM's INV and CLEAR look up the event, and not its collection (`vgic_its_cmd_handle_inv()`, `_clear()`). */
const LOOKED_UP_WITHOUT_COLLECTION = ['INV_UNMAPPED_COLLECTION', 'CLEAR_UNMAPPED_COLLECTION'];

export const itsErrors: readonly Behaviour[] = Object.entries(ITS_ERRORS).map(([name, code]): Behaviour => {
  const error = itsError(code)!;
  const command = error.command as CommandName;
  const { fault } = error;
  // QEMU does not look what these two name: its INVALL reaches all Redistributors, its VSYNC has no effect.
  const checks = command !== 'VSYNC' && command !== 'INVALL';
  return {
    id: `its.error.${name.toLowerCase().replaceAll('_', '-')}`,
    feature: 'ITS commands',
    title: `${command}: ${error.name}`,
    source: 'ITS command error encodings',
    needs: needsOf(command, fault),
    expected: {
      architecture: 'its code',
      ...(checks ? {} : { qemu: 'executed' }),
      ...(LOOKED_UP_WITHOUT_COLLECTION.includes(name) ? { kvm: 'executed' } : {}),
    },
    run(g) {
      prepare(g, (g.machine.state.config.gicd.typer & 0x4_0000) !== 0);
      if (command === 'MAPI' || command === 'VMAPI')
        g.command('MAPD', { DeviceID: 4, Size: 13, ITT_addr: 0x4c00_0000, V: 1 });
      const good = GOOD[command]!;
      const base = g.byVpeid && command === 'VMAPP' ? { ...good, VCONF_addr: g.vconf(1) } : good;
      const outcome = g.command(command, { ...base, ...wrong(command, fault, g) });
      if (outcome === code) return 'its code';
      return outcome === 0 ? 'executed' : outcome === undefined ? 'not run' : `0x${outcome.toString(16)}`;
    },
  };
});
