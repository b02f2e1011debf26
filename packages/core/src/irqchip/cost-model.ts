// What accesses are worth in nanoseconds, to add up costs of different kinds. The counts are measured; these weights are
// assumptions, one order of magnitude each, and users can replace them. Times of a recording replace them where it has any.
import { COSTS, type Cost, type Costs } from './costs.ts';

export interface CostModel {
  readonly name: string;
  readonly doc: string;
  /** Nanoseconds of each. A cost without a weight is part of another one: a poll is a read, and a SYNC is a command. */
  readonly ns: Readonly<Partial<Record<Cost, number>>>;
  /** The weights that were measured in a recording: from how many samples. */
  readonly measured: Readonly<Partial<Record<Cost, number>>>;
}

export const COST_MODELS: Readonly<Record<string, CostModel>> = {
  'bare-metal': {
    name: 'bare-metal',
    doc: 'Real hardware: a write is posted, a read crosses the interconnect and back, an ITS needs time for each command. A GIC instruction is posted, and a GSB waits for it.',
    ns: {
      mmio_writes: 50,
      mmio_reads: 200,
      commands: 300,
      table_bytes: 20,
      message_rewrites: 400,
      hypercalls: 2_000,
      vmbus_messages: 10_000,
      device_writes: 250,
      instructions: 50,
      barriers: 200,
    },
    measured: {},
  },
  guest: {
    name: 'guest',
    doc: 'A virtual machine whose GIC is emulated: each access is an exit, and a command is work of the hypervisor. The CPU interface of a GICv5 is not emulated, so its instructions cost what they cost on real hardware.',
    ns: {
      mmio_writes: 2_000,
      mmio_reads: 2_000,
      commands: 500,
      table_bytes: 20,
      message_rewrites: 6_000,
      hypercalls: 2_000,
      vmbus_messages: 10_000,
      device_writes: 4_000,
      instructions: 50,
      barriers: 200,
    },
    measured: {},
  },
};

/** Nanoseconds that costs are worth; a cost without a weight counts nothing. */
export const nsOf = (costs: Costs, { ns }: CostModel): number =>
  COSTS.reduce((sum, name) => sum + costs[name] * (ns[name] ?? 0), 0);
