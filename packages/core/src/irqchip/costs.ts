// The costs that are counted for a driver: what it did to hardware.
export const COSTS = [
  'mmio_writes',
  'mmio_reads',
  'polls',
  'commands',
  'syncs',
  'queue_bytes',
  'table_bytes',
  'message_rewrites',
  'hypercalls',
  'vmbus_messages',
  'device_writes',
  'stalls',
  'instructions',
  'barriers',
] as const;

export type Cost = (typeof COSTS)[number];
export type Costs = Record<Cost, number>;

export function noCosts(): Costs {
  return Object.fromEntries(COSTS.map((name) => [name, 0])) as Costs;
}
