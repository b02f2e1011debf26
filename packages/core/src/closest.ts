// What a person may have meant by a name that does not exist.

/** The most that a name may differ: a slip or two in a short name, a few in a long one. */
const distanceMax = (name: string): number => (name.length < 4 ? 1 : Math.min(3, Math.ceil(name.length / 4)));

/** The number of characters to insert, delete, replace or swap (with their neighbour) that make `a` of `b`. */
function distance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, k) => k)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let k = 1; k <= b.length; k++) {
      const isSame = a[i - 1] === b[k - 1];
      row[k] = Math.min(last[k]! + 1, row[k - 1]! + 1, last[k - 1]! + (isSame ? 0 : 1));
      if (i > 1 && k > 1 && a[i - 1] === b[k - 2] && a[i - 2] === b[k - 1])
        row[k] = Math.min(row[k]!, before[k - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}

/** `did you mean 'its'? ` for the name that is nearest to `name`, without regard to case; empty if none is near. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const wanted = name.toLowerCase();
  let [best, least] = ['', distanceMax(name) + 1];
  for (const one of names) {
    const far = distance(wanted, one.toLowerCase());
    if (far < least) [best, least] = [one, far];
  }
  return best === '' ? '' : `did you mean '${best}'? `;
}
