/** Repeatable random numbers: the same seed gives the same books and the same choices. */

/** Odd constant of the golden ratio; spreads neighbouring seeds over the 32 bits. */
const SPREAD = 0x9e3779b1;

/**
 * A 32-bit xorshift generator (Marsaglia's triple 13, 17, 5).
 * @param {number} seed 1 to 2^32 - 1
 * @param {number} stream tells generators of one seed apart, for example the VU's number
 * @returns {() => number} the next number, 0 <= n < 1
 */
export function generator(seed, stream = 0) {
  let state = (Math.imul(seed, SPREAD) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0;
  if (state === 0) state = SPREAD | 0;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
  // The first numbers of close seeds still resemble each other.
  for (let i = 0; i < 8; i += 1) next();
  return next;
}

/**
 * @template T
 * @param {() => number} random
 * @param {readonly T[]} items not empty
 * @returns {T}
 */
export function pick(random, items) {
  return items[Math.floor(random() * items.length)];
}

/**
 * @template T
 * @param {() => number} random
 * @param {ReadonlyArray<readonly [T, number]>} weighted items with their weights
 * @returns {T}
 */
export function pickWeighted(random, weighted) {
  let rest = random() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [item, weight] of weighted) {
    rest -= weight;
    if (rest < 0) return item;
  }
  return weighted[weighted.length - 1][0];
}
