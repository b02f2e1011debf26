// The operations of a trace: those that it contains, or those that are lifted from what software did.
import type { GicConfig, Gicv5Config } from '@gictrace/core';
import { type Operation, operationAt } from '@gictrace/core/irqchip';
import type { RecordBatch } from '@gictrace/core/record';
import { Lift } from './lift.ts';

/** A trace whose records can be read more than once. */
export interface TraceOfOperations {
  readonly footer?: { readonly kinds: Readonly<Record<string, number>> } | undefined;
  batches(): Iterable<{ readonly batch: RecordBatch }>;
}

/** The operations that a trace contains. */
export function* operationsIn(trace: Pick<TraceOfOperations, 'batches'>): Generator<Operation> {
  for (const { batch } of trace.batches())
    for (let i = 0; i < batch.count; i++) {
      const operation = operationAt(batch, i);
      if (operation !== undefined) yield operation;
    }
}

/** Whether a trace contains operations. The footer says so; without a footer, the trace is searched. */
export function holdsOperations(trace: TraceOfOperations): boolean {
  if (trace.footer !== undefined)
    return Object.keys(trace.footer.kinds).some((name) => name.startsWith('op.'));
  return !operationsIn(trace).next().done;
}

/** The operations of a trace; lifted if it contains none. Of a GICv5 nothing can be lifted. */
export function operationsOf(trace: TraceOfOperations, config: GicConfig | Gicv5Config): Operation[] {
  if (config.architecture === 5 || holdsOperations(trace)) return [...operationsIn(trace)];
  const operations: Operation[] = [];
  new Lift(config, { operation: (one) => operations.push(one) }).run(() => trace.batches());
  return operations;
}
