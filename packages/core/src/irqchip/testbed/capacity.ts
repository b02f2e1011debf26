// How many vectors a design can allocate, found by allocating more and more.
import type { Design } from '../driver.ts';
import { Translation } from './run.ts';

/** More vectors than any design has. */
const MOST = 2 ** 17;
const known = new Map<string, number>();

/**
 * The number of vectors that a design grants before it refuses: in devices of 1,024 vectors, then of half as many, and so
 * on down to one. For designs that serve vPEs, the number of doorbells. Infinity if the design never refuses.
 */
export function capacityOf(design: Design, pes: number): number {
  const key = `${design.name} ${pes}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const run = new Translation(design, pes);
  let granted = 0;
  let id = 1;
  let refused = 0;
  for (let count = 1024; count >= 1 && granted < MOST; ) {
    run.take(
      design.serves === 'devices'
        ? { op: 'alloc', device: id, count }
        : { op: 'vm.alloc', vpe: granted, count },
    );
    id++;
    const { exhausted, unsupported } = run.run;
    const now = [...exhausted.values(), ...unsupported.values()].reduce((sum, n) => sum + n, 0);
    if (now === refused) granted += count;
    else count = Math.floor(count / 2);
    refused = now;
  }
  const capacity = granted < MOST ? granted : Number.POSITIVE_INFINITY;
  known.set(key, capacity);
  return capacity;
}
