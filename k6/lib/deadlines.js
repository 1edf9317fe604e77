/** How long an answer is waited for. What takes longer has failed, and counts so. */

/** Deadlines of the original suites in seconds: a store answers soon, a model may take longer. */
const SECONDS = Object.freeze({ ai: 30 });
const OTHERS = 10;

/**
 * @param {string} routeClass
 * @returns {number} seconds
 */
export function deadlineSeconds(routeClass) {
  return SECONDS[routeClass] || OTHERS;
}
