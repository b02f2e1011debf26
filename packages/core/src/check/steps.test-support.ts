// Counts the steps that code takes through arrays, maps and sets, so that a test can say how work grows without a clock.

const METHODS = [
  'concat',
  'every',
  'filter',
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'flatMap',
  'forEach',
  'includes',
  'indexOf',
  'map',
  'reduce',
  'shift',
  'slice',
  'some',
  'splice',
  'unshift',
] as const;

/** The elements that `act` passes in loops, spreads and methods of arrays, maps and sets. */
export function steps(act: () => void): number {
  let count = 0;
  const undo: (() => void)[] = [];
  const wrap = (prototype: object, name: string, cost: (self: unknown) => number) => {
    const owner = prototype as Record<string, (...args: unknown[]) => unknown>;
    const original = owner[name]!;
    owner[name] = function (this: unknown, ...args: unknown[]) {
      count += cost(this);
      return original.apply(this, args);
    };
    undo.push(() => {
      owner[name] = original;
    });
  };
  for (const iterable of [[], new Map(), new Set()])
    wrap(Object.getPrototypeOf(iterable[Symbol.iterator]()), 'next', () => 1);
  for (const name of METHODS) wrap(Array.prototype, name, (self) => (self as readonly unknown[]).length);
  try {
    act();
  } finally {
    for (const one of undo) one();
  }
  return count;
}
