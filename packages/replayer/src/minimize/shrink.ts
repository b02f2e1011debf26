// Delta debugging: finds a small part of a list that still fails like the whole list. It knows nothing of GICs.

export interface ShrinkOptions<T> {
  /** At most this many tests are made. */
  readonly testsMax: number;
  /** The length of the runs that are left out first; half of the list if absent. */
  readonly first?: number;
  /** A pass that shortens nothing is followed by one with runs shorter by this factor; 2 if absent. */
  readonly divisor?: number;
  /** Called before each pass, which leaves out runs of `length` from `list`, ending at its end. */
  readonly pass?: (list: readonly T[], length: number) => Promise<void> | void;
}

/**
 * Shrinks a list as long as `fails` holds for it, by leaving out shorter and shorter runs. `fails` must hold for the
 * whole list; it is also given how many of the first elements are those of the shortest list so far. If `testsMax` is not
 * reached, no single element of the result can be left out (`isMinimal`).
 */
export async function shrink<T>(
  list: readonly T[],
  fails: (list: readonly T[], unchanged: number) => Promise<boolean>,
  { testsMax, first, divisor = 2, pass }: ShrinkOptions<T>,
): Promise<{ readonly list: readonly T[]; readonly tests: number; readonly isMinimal: boolean }> {
  let best = list;
  let tests = 0;
  let length = Math.max(1, Math.min(first ?? Math.ceil(best.length / 2), best.length));
  let isMinimal = false;
  while (tests < testsMax) {
    let shorter = false;
    await pass?.(best, length);
    // From the end, because nothing later depends on what is left out there.
    for (let to = best.length; to > 0 && tests < testsMax; to -= length) {
      const from = Math.max(0, to - length);
      const candidate = [...best.slice(0, from), ...best.slice(to)];
      if (candidate.length === 0) continue;
      tests++;
      if (await fails(candidate, from)) {
        best = candidate;
        shorter = true;
      }
    }
    if (length === 1 && !shorter) {
      isMinimal = tests < testsMax;
      break;
    }
    const shorterLength = Math.max(1, Math.floor(length / divisor));
    length = Math.min(shorter && divisor === 2 ? length : shorterLength, Math.ceil(best.length / 2));
  }
  return { list: best, tests, isMinimal };
}
