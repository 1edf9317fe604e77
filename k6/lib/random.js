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

/** The 95th percentile of the standard normal distribution. */
const NORMAL_P95 = 1.6449;

/**
 * A log-normal number, by the method of Box and Muller: nine of ten lie between `from` and `to`.
 * @param {() => number} random
 * @param {number} from above 0; one of twenty is smaller
 * @param {number} to one of twenty is larger, up to four times `to`
 * @returns {number}
 */
export function logNormal(random, from, to) {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(4 * to, Math.sqrt(from * to) * Math.exp(normal * spread(from, to)));
}

/**
 * The mean of logNormal.
 * @param {number} from
 * @param {number} to
 * @returns {number}
 */
export function logNormalMean(from, to) {
  return Math.sqrt(from * to) * Math.exp(spread(from, to) ** 2 / 2);
}

/** The standard deviation of the logarithm. */
function spread(from, to) {
  return Math.log(to / from) / (2 * NORMAL_P95);
}

/**
 * Picks as people pick books: the second is asked for half as often as the first, the third a
 * third as often (Zipf's law).
 * @param {number} count of items, at least 1
 * @returns {(random: () => number) => number} the next index
 */
export function zipf(count) {
  const sums = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank += 1) sums.push((sum += 1 / rank));
  return (random) => {
    const wanted = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** The fractional part of the golden ratio: its multiples never leave a large gap. */
const GOLDEN = 0.6180339887498949;

/**
 * Numbers for choices that also a short run must make in the right shares: any stretch of
 * neighbours is spread evenly.
 * @param {number} index from 0
 * @returns {number} 0 <= n < 1
 */
export function evenly(index) {
  return (index * GOLDEN) % 1;
}
