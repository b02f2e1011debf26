// Operations: what an operating system asks of its irqchip driver, and what devices, PEs and schedulers do meanwhile. They
// are the same for every design, so that one list of operations can be run on each. Plain data; record/operations has
// them as records.
import {
  type ALLOCATIONS,
  type Concern,
  type DEVICE_KINDS,
  fieldOffsets,
  type MIGRATED_PARTS,
  NO_PE,
  OPERATION_KINDS,
  type OperationKind,
  RECORD_WORDS,
  type RecordBatch,
} from '../record/index.ts';

/** An interrupt of a device. */
export interface Vector {
  /** The DeviceID that the device's messages have on the bus. */
  readonly device: number;
  /** 0-based. */
  readonly vector: number;
}
interface OfPe {
  readonly pe: number;
}
interface OfVpe {
  readonly vpe: number;
}
export type DeviceKind = (typeof DEVICE_KINDS)[number];
export type Allocation = (typeof ALLOCATIONS)[number];
export type MigratedPart = (typeof MIGRATED_PARTS)[number];

export type Operation =
  | ({ readonly op: 'pe.online' } & OfPe)
  | ({ readonly op: 'pe.offline' } & OfPe)
  | ({ readonly op: 'pe.busy'; readonly steps: number } & OfPe)
  /** With `reset`, the machine is reset first, as by a reboot, and the driver is set up again. */
  | { readonly op: 'probe'; readonly reset?: boolean }
  /** `count` is the number of vectors requested, before the driver rounds it. */
  | {
      readonly op: 'alloc';
      readonly device: number;
      readonly count: number;
      /** `msi-x` if absent. */
      readonly msi?: DeviceKind;
      /** The block through which its messages go; 0 if absent. */
      readonly block?: number;
    }
  /**
   * `managed`: when it is started, an SPI is routed before it is enabled, as Linux does with managed interrupts; otherwise after
   * it has been enabled (irq_startup).
   */
  | ({ readonly op: 'activate'; readonly managed?: boolean } & Vector & OfPe)
  | ({ readonly op: 'mask' | 'unmask' | 'reconfigure' | 'deactivate' | 'fire' } & Vector)
  | ({ readonly op: 'set_affinity' } & Vector & OfPe)
  | ({ readonly op: 'set_pending'; readonly pending: boolean } & Vector)
  | { readonly op: 'free'; readonly device: number }
  /**
   * A MultiMSI function raises one of its `count` vectors. It has the message of vector 0, and may change only the low
   * log2(count) bits of the data (PCI Local Bus Specification 3.0, "Message Address/Data").
   */
  | ({ readonly op: 'fire.multi'; readonly count: number } & Vector)
  | ({ readonly op: 'forge'; readonly by: number } & Vector)
  | { readonly op: 'fail'; readonly what: Allocation; readonly nth: number }
  | { readonly op: 'migrate'; readonly without: MigratedPart }
  | ({ readonly op: 'vm.alloc'; readonly count: number } & OfVpe)
  | ({ readonly op: 'vpe.map' | 'vpe.schedule' | 'vpe.deschedule' | 'vpe.move' } & OfVpe & OfPe)
  | ({
      readonly op:
        | 'vpe.unmap'
        | 'vpe.invalidate'
        | 'doorbell.invalidate'
        | 'doorbell.mask'
        | 'doorbell.unmask'
        | 'doorbell.clear'
        | 'doorbell.set'
        | 'doorbell.release';
    } & OfVpe)
  | ({ readonly op: 'vlpi.map' } & Vector & OfVpe);

export type OperationName = Operation['op'];

const PREFIX = 'op.';
/** It is a compile error here if an operation has no record kind, or a record kind has no operation. */
const KINDS: { readonly [Name in OperationName as `op.${Name}`]: OperationKind } = OPERATION_KINDS;
OPERATION_KINDS satisfies { readonly [Name in keyof typeof OPERATION_KINDS]: (typeof KINDS)[Name] };
const kinds = Object.entries(KINDS);

export const OPERATION_NAMES = kinds.map(([name]) => name.slice(PREFIX.length)) as readonly OperationName[];

/** What an operation concerns, by its declaration. */
export function concernOf(name: OperationName): Concern {
  return KINDS[`${PREFIX}${name}`].concerns;
}

/** Whether a design runs an operation, by what the design serves. A design that serves vPEs serves devices, too. */
export function isServed(name: OperationName, serves: 'devices' | 'vpes'): boolean {
  return serves === 'vpes' || concernOf(name) !== 'vpes';
}

const byName = new Map(
  kinds.map(([name, kind]) => [
    name.slice(PREFIX.length),
    { kind, fields: kind.fields, offsets: fieldOffsets(kind) },
  ]),
);
const nameById = new Map(kinds.map(([name, kind]) => [kind.id, name.slice(PREFIX.length) as OperationName]));

/** Appends the record of an operation and returns its index. */
export function pushOperation(batch: RecordBatch, operation: Operation): number {
  const { kind, fields, offsets } = byName.get(operation.op)!;
  const values = operation as unknown as Readonly<Record<string, number | boolean | string | undefined>>;
  const i = batch.push(kind.id, kind.pe === 'none' ? NO_PE : (values.pe as number), Number.NaN);
  fields.forEach(({ name, values: names }, n) => {
    const value = values[name];
    const word = typeof value === 'string' ? names!.indexOf(value) : Number(value ?? 0);
    batch.words[i * RECORD_WORDS + offsets[n]!] = word;
  });
  return i;
}

/** Fields that an operation has only if they are not 0. */
const LEFT_OUT: ReadonlySet<string> = new Set(['msi', 'block', 'reset', 'managed']);

/** The operation that a record contains; undefined for a record of another class. */
export function operationAt(batch: RecordBatch, i: number): Operation | undefined {
  const op = nameById.get(batch.kind[i]!);
  if (op === undefined) return undefined;
  const { kind, fields, offsets } = byName.get(op)!;
  const operation: Record<string, unknown> = { op };
  fields.forEach(({ name, type, values }, n) => {
    const word = batch.words[i * RECORD_WORDS + offsets[n]!]!;
    if (word === 0 && LEFT_OUT.has(name)) return;
    operation[name] = type === 'enum' ? values![word] : type === 'bool' ? word !== 0 : word;
  });
  if (kind.pe !== 'none') operation.pe = batch.pe[i];
  return operation as unknown as Operation;
}
