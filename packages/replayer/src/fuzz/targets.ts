// What can be fuzzed: a real QEMU, started for each run, and KVM's adapter, which stays and is reset for each run.
import { type GicConfig, GicTraceError } from '@gictrace/core';
import type { Backend } from '@gictrace/core/backend';
import { configOf, type Hardware, PLAIN, PROFILES, qemuProfile } from '@gictrace/core/profile';
import { RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICD, GICR, GITS } from '@gictrace/core/spec';
import { ProcessBackend, type ProcessOptions } from '../adapter/process-backend.ts';
import { QemuBackend } from '../backends/qemu/backend.ts';
import { MAINTENANCE_INTID } from '../backends/qemu/machine.ts';
import { type QemuOptions, qemuVersion } from '../backends/qemu/process.ts';
import type { RecordingTarget } from './differ.ts';
import { KVM_TIMER_INTIDS, KvmLeftOut, type LeftOut } from './left-out.ts';

/** The implementation that is compared with the simulator. */
export interface FuzzTarget extends RecordingTarget {
  /** What it is called in messages. */
  readonly name: string;
  /** The GIC, with the profile of the simulator that it is compared with. */
  readonly config: GicConfig;
  /** DeviceIDs that devices of it can have. */
  readonly deviceIds: readonly [number, number, number, number];
  /** PPIs whose input lines the machine itself drives. */
  readonly takenIntids: readonly number[];
  /** What it is not given, for one run; undefined if it is given everything. */
  leftOut?(): LeftOut;
  /** A backend for one run. @throws GicTraceError `backend` if it cannot be started. */
  start(): Promise<Backend>;
  /** Whether a backend that has failed did so because the implementation ended. */
  hasEnded(backend: Backend): boolean;
  /** The run is over. */
  finish(backend: Backend): Promise<void>;
  /** No more runs follow. */
  close(): Promise<void>;
}

/** Devices that QEMU can have at these DeviceIDs: none of its own, and three PCI functions. */
const DEVICE_IDS = [0, 8, 16, 24] as const;

/** The configuration of QEMU's GIC, for the simulator. `profile` is that of a version of QEMU; `security` is the number of Security states. */
export function fuzzConfig(gic: 3 | 4, pes: number, profile = 'qemu-virt', security: 1 | 2 = 1): GicConfig {
  const hardware = { ...PROFILES[profile]!.hardware, twoSecurityStates: security === 2 };
  const plain: Hardware = { ...hardware, architecture: 3, virtualLpis: 'none' };
  return configOf(profile, gic === 4 ? hardware : plain, pes);
}

export interface QemuTargetOptions extends QemuOptions {
  readonly gic: 3 | 4;
  /** 1 to 16; 3 if absent. */
  readonly pes?: number;
  /** The number of Security states; 1 if absent. */
  readonly security?: 1 | 2;
  /** Profile of the simulator; that of QEMU's version if absent. */
  readonly profile?: string;
}

/** A real QEMU. @throws GicTraceError `backend` if it is not there. */
export function qemuTarget(options: QemuTargetOptions): FuzzTarget {
  const own = qemuProfile(qemuVersion(options.command));
  const config = fuzzConfig(options.gic, options.pes ?? 3, own, options.security);
  return {
    name: 'QEMU',
    config: { ...config, profile: options.profile ?? own },
    deviceIds: DEVICE_IDS,
    takenIntids: [MAINTENANCE_INTID],
    maintenanceIntid: MAINTENANCE_INTID,
    start: async () =>
      new QemuBackend({ ...options, foresight: { deviceIds: DEVICE_IDS, fills: new Map() } }),
    hasEnded: (backend) => (backend as QemuBackend).ended,
    finish: (backend) => backend.close(),
    close: async () => undefined,
  };
}

/** The fewest list registers that a host has (the machine of examples/adapters/kvm, and Arm's CPUs). */
const LIST_REGISTERS = 4;

export interface KvmTargetOptions extends ProcessOptions {
  /** 1 to 16; 3 if absent. */
  readonly pes?: number;
  /** Profile of the simulator; `kvm` if absent. */
  readonly profile?: string;
}

/**
 * KVM, behind its adapter (docs/kvm.md), with the identification registers that it has.
 * @throws GicTraceError `backend` if it cannot be started.
 */
export async function kvmTarget(options: KvmTargetOptions): Promise<FuzzTarget> {
  const profile = options.profile ?? 'kvm';
  const asked = configOf(profile, PROFILES[profile]?.hardware ?? PLAIN, options.pes ?? 3);
  let backend: ProcessBackend | undefined = new ProcessBackend(options);
  const { config, release } = await identified(backend, asked);
  const host = { listRegisters: LIST_REGISTERS, countsEois: isOfLinux(release, 6, 19) };
  return {
    name: 'KVM',
    config,
    deviceIds: DEVICE_IDS,
    takenIntids: KVM_TIMER_INTIDS,
    remembersBestLpi: false,
    settled: true,
    leftOut: () => new KvmLeftOut(host, config.pes.length),
    start: async () => {
      backend ??= new ProcessBackend(options);
      return backend;
    },
    hasEnded: () => backend?.failure !== undefined,
    finish: async () => {
      if (backend?.failure === undefined) return;
      await backend.close();
      backend = undefined;
    },
    close: async () => {
      await backend?.close();
      backend = undefined;
    },
  };
}

/** Whether a kernel is of this version or a later one. */
function isOfLinux(release: string, major: number, minor: number): boolean {
  const [, majorOf, minorOf] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(majorOf) > major || (Number(majorOf) === major && Number(minorOf) >= minor);
}

/** GICR_TYPER.Last and Processor_Number, which are not part of a configuration. */
const OF_A_PE = 0xff_ff10;
/** GICD_PIDR2, GICR_PIDR2 and GITS_PIDR2. */
const PIDR2 = 0xffe8;
/** GITS_BASER<n>.Type and Entry_Size, which software cannot change. */
const FIXED_OF_BASER = 0x071f_0000_0000_0000n;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** A configuration with the identification registers that a backend has after a reset to it, and the backend's version. */
async function identified(
  backend: Backend,
  config: GicConfig,
): Promise<{ readonly config: GicConfig; readonly release: string }> {
  const { version } = await backend.reset(config, []);
  const reads = new RecordBatch(64);
  const read = (frame: 'GICD' | 'GICR' | 'GITS', offset: number, width: 4 | 8) => {
    const i = reads.push(RECORDS['mmio.read'].id, 0, Number.NaN);
    reads.words.set([FRAMES.indexOf(frame), 0, offset, width], i * RECORD_WORDS);
  };
  for (const offset of [GICD.GICD_TYPER.offset, GICD.GICD_IIDR.offset, PIDR2]) read('GICD', offset, 4);
  for (const offset of [GICR.GICR_TYPER.offset, GICR.GICR_IIDR.offset, PIDR2]) read('GICR', offset, 4);
  if (config.its.length > 0) {
    read('GITS', GITS.GITS_TYPER.offset, 8);
    for (const offset of [GITS.GITS_IIDR.offset, PIDR2]) read('GITS', offset, 4);
    for (let n = 0; n < 8; n++) read('GITS', GITS.GITS_BASER.offset + 8 * n, 8);
  }
  const values: bigint[] = [];
  const take = (value: bigint) => values.push(value);
  await backend.run(reads, {
    answered: (low, high) => take((BigInt(high) << 32n) | BigInt(low >>> 0)),
    skipped: (reason) => {
      throw new GicTraceError('backend', `cannot read an identification register: ${reason}`);
    },
    shown: () => undefined,
  });
  const [dTyper, dIidr, dPidr2, rTyper, rIidr, rPidr2, , iIidr, iPidr2] = values.map(Number);
  const known: GicConfig = {
    ...config,
    gicd: { typer: dTyper!, iidr: dIidr!, pidr2: dPidr2! },
    gicr: { typer: (rTyper! & ~OF_A_PE) >>> 0, iidr: rIidr!, pidr2: rPidr2! },
    its: config.its.map(() => ({
      typer: hex(values[6]!),
      iidr: iIidr!,
      pidr2: iPidr2!,
      baser: values.slice(9, 17).map((value) => hex(value & FIXED_OF_BASER)),
    })),
  };
  return { config: known, release: version };
}
