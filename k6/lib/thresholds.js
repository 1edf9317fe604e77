/**
 * The limits of each profile. Latencies are judged per route class, because one
 * percentile over a book read and a model call says nothing about either.
 */

/**
 * @typedef {object} Limits
 * @property {number} p95 milliseconds
 * @property {number} p99 milliseconds
 * @property {number} failed share of requests that may fail
 */

/** @type {Readonly<Record<string, Limits>>} */
const LIMITS = {
  smoke: { p95: 3000, p99: 8000, failed: 0.02 },
  load: { p95: 2000, p99: 5000, failed: 0.01 },
  stress: { p95: 5000, p99: 10000, failed: 0.05 },
  spike: { p95: 8000, p99: 15000, failed: 0.1 },
  soak: { p95: 2000, p99: 5000, failed: 0.01 },
  volume: { p95: 2000, p99: 5000, failed: 0.01 },
};

/** Every profile of model calls has these: the model sets the pace, not the number of users. */
const AI_LIMITS = { p95: 8000, p99: 12000, failed: 0.05 };

/**
 * @param {string} profile
 * @returns {Limits}
 */
export function limits(profile) {
  return LIMITS[profile] || AI_LIMITS;
}

/**
 * Thresholds of a suite. k6 passes a trend or rate without samples, so each class
 * that is judged must also have been asked at least once.
 * @param {string} profile
 * @param {readonly string[]} routeClasses classes that the suite loads
 * @returns {Record<string, string[]>} k6's `thresholds`
 */
export function thresholds(profile, routeClasses) {
  const { p95, p99, failed } = limits(profile);
  /** @type {Record<string, string[]>} */
  const result = {
    http_reqs: ['count>0'],
    iterations: ['count>0'],
    checks: [`rate>${1 - failed}`],
    http_req_failed: [`rate<${failed}`],
  };
  for (const routeClass of routeClasses) {
    result[`http_reqs{route_class:${routeClass}}`] = ['count>0'];
    result[`http_req_duration{route_class:${routeClass}}`] = [`p(95)<${p95}`, `p(99)<${p99}`];
  }
  return result;
}
