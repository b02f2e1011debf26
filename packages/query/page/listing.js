// Which accesses and commands a list has, and in which order. Pure.

/** @typedef {import('./model.js').Model} Model */

/**
 * The rows of accesses and commands in the order of the trace: row i of accesses is i, row i of commands is i plus the number
 * of accesses.
 * @param {Model} model
 */
export function logOrder({ accesses, commands }) {
  const [n, m] = [accesses.at.length, commands.at.length];
  const sorted = Uint32Array.from({ length: m }, (_, i) => i).sort(
    (a, b) => commands.at[a] - commands.at[b] || a - b,
  );
  const out = new Uint32Array(n + m);
  let [i, j] = [0, 0];
  for (let k = 0; k < n + m; k++)
    if (j === m || (i < n && accesses.at[i] <= commands.at[sorted[j]])) out[k] = i++;
    else out[k] = n + sorted[j++];
  return out;
}

/**
 * The rows of `order` with all words, from moment `from` to before `to`.
 * @param {Model} model
 * @param {Uint32Array} order
 * @param {string} text
 * @param {number} from
 * @param {number} to
 */
export function filterLog(model, order, text, from, to) {
  const { accesses, commands, facts } = model;
  const n = accesses.at.length;
  const lower = facts.strings.map((one) => one.toLowerCase());
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => ({ word, has: lower.map((one) => one.includes(word)), isHex: word.startsWith('0x') }));
  const isListed = (/** @type {number} */ code) => {
    const i = code < n ? code : code - n;
    const at = code < n ? accesses.at[i] : commands.at[i];
    if (at < from || at >= to) return false;
    return words.every(({ word, has, isHex }) =>
      code < n
        ? has[accesses.register[i]] ||
          has[accesses.how[i]] ||
          has[accesses.frame[i]] ||
          word === `pe${accesses.pe[i]}` ||
          (isHex && model.accessValue(i) === word)
        : has[commands.text[i]] ||
          has[commands.outcome[i]] ||
          'command'.startsWith(word) ||
          word === `its${commands.its[i]}`,
    );
  };
  return order.filter(isListed);
}
