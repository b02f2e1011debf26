// Converts a GIC's configuration to a QEMU `virt` machine: its command line, address map and identification registers. Pure
// data and arithmetic.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import { GICD, GICR, GITS, mask } from '@gictrace/core/spec';
import { MsiDevices } from './msi.ts';
import { STUB_BYTES, STUB_ENTRY } from './stub.ts';

/** Addresses of QEMU's `virt` machine. */
const GICD_BASE = 0x0800_0000;
const GITS_BASE = 0x0808_0000;
const GICR_BASE = 0x080a_0000;
const GICR_BYTES = 0xf6_0000;
const RAM_BASE = 0x4000_0000;
const RAM_END = 0x1_0000_0000;
const SECURITY_EXTN = mask(GICD.GICD_TYPER, 'SecurityExtn');
/** Guest RAM for level-2 tables that a recording does not place: see `place`. */
const PLACED_BASE = 0xe000_0000;
const PLACED_BYTES = 0x1000_0000;
/** Where the importer places them, because no guest has memory there. */
const PLACED_FROM = 2 ** 50;
/** The PPI that `virt` connects to each PE's maintenance interrupt. */
export const MAINTENANCE_INTID = 25;

export interface Machine {
  readonly args: readonly string[];
  readonly pes: number;
  /** The packed affinity of each PE on `virt`, where sixteen PEs share Aff1. */
  readonly affinities: readonly number[];
  readonly its: boolean;
  readonly version: 3 | 4;
  /** Two Security states: PEs begin at EL3. */
  readonly twoStates: boolean;
  readonly gicd: number;
  readonly gits: number;
  readonly gicrStride: number;
  readonly msis: MsiDevices;
  /** The end of guest RAM for the trace; the guest stub's part follows. */
  readonly stubBase: number;
}

/** The trace events that are needed: what happens, and writes. A read needs a line only if it reached no register. */
const EVENTS = [
  'gicv3_cpuif_*',
  'gicv3_dist_write',
  'gicv3_dist_bad*',
  'gicv3_dist_set_irq',
  'gicv3_redist_write',
  'gicv3_redist_bad*',
  'gicv3_redist_set_irq',
  'gicv3_redist_send_sgi',
  'gicv3_its_write',
  'gicv3_its_bad*',
  'gicv3_its_translation_write',
  'gicv3_its_process_command',
  'gicv3_its_cmd_*',
  'gicv3_its_?te_*',
];

/**
 * The machine for a GIC. `deviceIds` are the DeviceIDs from which MSIs will come; `isLogged` says whether it writes a log.
 * @throws GicTraceError `backend` for a GIC that no QEMU has.
 */
export function machineFor(config: GicConfig, deviceIds: readonly number[] = [], isLogged = true): Machine {
  const its = config.its.length > 0;
  const version = config.architecture;
  const gicrStride = version === 4 ? 0x4_0000 : 0x2_0000;
  const pes = config.pes.length;
  const most = Math.floor(GICR_BYTES / gicrStride);
  const refuse = (what: string, hint: string): never => {
    throw new GicTraceError('backend', `QEMU's virt machine has no GIC with ${what}`, {}, hint);
  };
  if (pes > most) refuse(`${pes} PEs`, `a GICv${version} has up to ${most} there`);
  if (config.its.length > 1) refuse(`${config.its.length} ITSs`, 'replay on the simulator');
  const twoStates = (config.gicd.typer & SECURITY_EXTN) !== 0;
  if (version === 4 && !its) refuse('GICv4 and no ITS', 'replay on the simulator');
  const msis = new MsiDevices(deviceIds, its);
  const stubBase = RAM_END - STUB_BYTES;
  const args = [
    '-M',
    `virt,gic-version=${version},its=${its ? 'on' : 'off'},virtualization=on,secure=${twoStates ? 'on' : 'off'}`,
    ...['-cpu', 'cortex-a57', '-smp', `${pes}`, '-m', `${(RAM_END - RAM_BASE) / 2 ** 20}M`],
    // One host thread runs all PEs, so that a PE that waits for its turn yields to the others.
    ...['-accel', 'tcg,thread=single', '-S', '-display', 'none', '-nodefaults', '-no-user-config'],
    ...['-serial', 'none', '-monitor', 'none', '-parallel', 'none'],
    // Where PE0 begins once the guest stub is loaded and the machine runs. If PEs begin at EL3 there is no PSCI: all begin.
    ...Array.from({ length: twoStates ? pes : 1 }, (_, pe) => [
      '-device',
      `loader,addr=0x${(stubBase + STUB_ENTRY).toString(16)},cpu-num=${pe}`,
    ]).flat(),
    ...msis.args,
    ...(isLogged ? EVENTS.flatMap((event) => ['-trace', event]) : []),
  ];
  const affinities = Array.from({ length: pes }, (_, pe) => (pe & 15) | ((pe >> 4) << 8));
  return {
    args,
    pes,
    affinities,
    its,
    version,
    twoStates,
    gicd: GICD_BASE,
    gits: GITS_BASE,
    gicrStride,
    msis,
    stubBase,
  };
}

/** Guest RAM that a trace can have. */
export const RAM = { from: RAM_BASE, to: PLACED_BASE } as const;

/** Whether a machine can have memory of a trace: it is guest RAM, or a level-2 table that the importer placed. */
export function isPlaceable(address: number, bytes: number): boolean {
  const offset = address - PLACED_FROM;
  return (
    (address >= RAM.from && address + bytes <= RAM.to) || (offset >= 0 && offset + bytes <= PLACED_BYTES)
  );
}

/** The address of a trace's guest memory in the machine; -1 if the machine has no RAM for it. */
export function place(machine: Machine, address: number, bytes: number): number {
  if (address >= RAM_BASE && address + bytes <= Math.min(PLACED_BASE, machine.stubBase)) return address;
  const offset = address - PLACED_FROM;
  return offset >= 0 && offset + bytes <= PLACED_BYTES ? PLACED_BASE + offset : -1;
}

/** Replaces, in a doubleword, the address of a level-2 table that the importer placed by its address in the machine. */
export function placePointer(value: bigint): bigint {
  const address = Number(value & 0xf_ffff_ffff_f000n);
  const offset = address - PLACED_FROM;
  if (value >> 63n === 0n || offset < 0 || offset >= PLACED_BYTES) return value;
  return (value & ~0xf_ffff_ffff_f000n) | BigInt(PLACED_BASE + offset);
}

/** The address of a register; -1 if the machine has no such frame. */
export function registerAddress(machine: Machine, frame: number, instance: number, offset: number): number {
  if (frame === 0) return instance === 0 && offset < 0x1_0000 ? machine.gicd + offset : -1;
  if (frame === 1)
    return instance < machine.pes && offset < machine.gicrStride
      ? GICR_BASE + instance * machine.gicrStride + offset
      : -1;
  return machine.its && instance === 0 && offset < 0x2_0000 ? machine.gits + offset : -1;
}

/** An identification register: its address, and the value of the trace's GIC. */
export interface Identity {
  readonly name: string;
  readonly address: number;
  readonly width: 4 | 8;
  readonly mask: bigint;
  readonly expected: bigint;
}

const ALL32 = 0xffff_ffffn;
const ALL64 = 0xffff_ffff_ffff_ffffn;
/** GITS_BASER<n>: Type and Entry_Size. */
const BASER_FIXED = 0x071f_0000_0000_0000n;
const PIDR2 = 0xffe8;

/** The identification registers of a configuration, in the machine's address map. */
export function identityOf(machine: Machine, config: GicConfig): Identity[] {
  const out: Identity[] = [];
  const add = (
    name: string,
    frame: number,
    instance: number,
    offset: number,
    width: 4 | 8,
    expected: bigint,
    mask = ALL64,
  ) => {
    const address = registerAddress(machine, frame, instance, offset);
    const of = width === 4 ? mask & ALL32 : mask;
    out.push({ name, address, width, mask: of, expected: expected & of });
  };
  const { gicd, gicr, its } = config;
  add('GICD_TYPER', 0, 0, GICD.GICD_TYPER.offset, 4, BigInt(gicd.typer));
  add('GICD_IIDR', 0, 0, GICD.GICD_IIDR.offset, 4, BigInt(gicd.iidr));
  add('GICD_PIDR2', 0, 0, PIDR2, 4, BigInt(gicd.pidr2));
  config.pes.forEach(({ affinity }, pe) => {
    const last = pe === config.pes.length - 1 ? 0x10n : 0n;
    const typer = (BigInt(affinity) << 32n) | (BigInt(pe) << 8n) | last | BigInt(gicr.typer & ~0xff_ff10);
    add(`GICR_TYPER of PE${pe}`, 1, pe, GICR.GICR_TYPER.offset, 8, typer);
  });
  add('GICR_IIDR', 1, 0, GICR.GICR_IIDR.offset, 4, BigInt(gicr.iidr));
  add('GICR_PIDR2', 1, 0, PIDR2, 4, BigInt(gicr.pidr2));
  its.forEach((one, n) => {
    add('GITS_TYPER', 2, n, GITS.GITS_TYPER.offset, 8, BigInt(one.typer));
    add('GITS_IIDR', 2, n, GITS.GITS_IIDR.offset, 4, BigInt(one.iidr));
    add('GITS_PIDR2', 2, n, PIDR2, 4, BigInt(one.pidr2));
    one.baser.forEach((baser, k) => {
      add(`GITS_BASER${k}`, 2, n, GITS.GITS_BASER.offset + 8 * k, 8, BigInt(baser), BASER_FIXED);
    });
  });
  return out;
}
