// Delta debugging: finds a small part of a list that still fails like the whole list. It knows nothing of GICs.

/**
 * Shrinks a list as long as `fails` holds for it, by leaving out runs of halving length. `fails` must hold for the
 * whole list. At most `testsMax` tests are made; the best list so far is returned.
 */
export async function shrink<T>(
  list: readonly T[],
  fails: (list: readonly T[]) => Promise<boolean>,
  testsMax: number,
): Promise<{ readonly list: readonly T[]; readonly tests: number }> {
  let best = list;
  let tests = 0;
  let length = Math.ceil(best.length / 2);
  while (length >= 1 && tests < testsMax) {
    let shorter = false;
    // From the end, because nothing later depends on what is left out there.
    for (let to = best.length; to > 0 && tests < testsMax; to -= length) {
      const from = Math.max(0, to - length);
      const candidate = [...best.slice(0, from), ...best.slice(to)];
      if (candidate.length === 0) continue;
      tests++;
      if (await fails(candidate)) {
        best = candidate;
        shorter = true;
      }
    }
    if (length === 1 && !shorter) break;
    length = shorter ? Math.min(length, Math.ceil(best.length / 2)) : Math.floor(length / 2);
  }
  return { list: best, tests };
}
