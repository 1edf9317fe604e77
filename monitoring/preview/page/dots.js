/** Which of a panel's exemplars are drawn, and where. */

/** Columns of a chart that have a dot each: what is more cannot be told apart, let alone hit. */
export const MAX_DOTS = 150;

/**
 * The highest of each column, by time: a spike is looked for by its slowest or dearest call.
 * @param {{trace: string, at: number, value: number}[]} exemplars of all series, in any order
 * @param {number} from seconds since the epoch
 * @param {number} to
 * @returns {{trace: string, at: number, value: number}[]}
 */
export function highest(exemplars, from, to) {
  const columns = new Map();
  for (const one of exemplars) {
    if (one.at < from || one.at > to) continue;
    const column = Math.floor(((one.at - from) / (to - from)) * (MAX_DOTS - 1));
    if (!columns.has(column) || columns.get(column).value < one.value) columns.set(column, one);
  }
  return [...columns.entries()].sort(([one], [other]) => one - other).map(([, one]) => one);
}

/**
 * Of the highest values, a trace each: what a click on a dot opens, for those who do not click.
 * @param {{trace: string, at: number, value: number}[]} exemplars
 * @param {number} count
 */
export function top(exemplars, count) {
  const seen = new Set();
  return exemplars.toSorted((one, other) => other.value - one.value)
    .filter(({ trace }) => !seen.has(trace) && seen.add(trace)).slice(0, count);
}

/** A dot beyond the lines stays at the edge, where it can be seen and hit. */
export function clamped(y, top, bottom) {
  return Math.min(Math.max(y, top), bottom);
}
