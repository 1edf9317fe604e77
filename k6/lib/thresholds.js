/**
 * What k6 itself judges. Latencies are judged per route class, because one percentile over a book
 * read and a model call says nothing about either.
 */
import { deadlineSeconds } from './deadlines.js';
import { limits } from './presets.js';

/** What prepares and cleans up: its part is known by its name, and not judged. */
export const SETUP_REQUESTS = 'http_reqs{route_class:setup}';

/**
 * Thresholds of a suite. k6 passes a trend or rate without samples, so each class that is judged
 * must also have been asked at least once.
 * @param {string} preset
 * @param {readonly string[]} routeClasses classes that the suite loads
 * @returns {Record<string, string[]>} k6's `thresholds`
 */
export function thresholds(preset, routeClasses) {
  const { failed } = limits(preset);
  /** @type {Record<string, string[]>} */
  const result = {
    checks: [`rate>${1 - failed}`],
    http_req_failed: [`rate<${failed}`],
  };
  for (const routeClass of routeClasses) {
    result[`http_reqs{route_class:${routeClass}}`] = ['count>0'];
    result[`http_req_duration{route_class:${routeClass}}`] = latencies(preset, routeClass);
  }
  return result;
}

/** A limit beyond the deadline of a request cannot be crossed: what is late is among the failed ones. */
function latencies(preset, routeClass) {
  const { p95, p99 } = limits(preset, routeClass);
  /** @type {[string, number][]} */
  const bounds = [['p(95)', p95], ['p(99)', p99]];
  const deadline = deadlineSeconds(routeClass) * 1000;
  return bounds.filter(([, limit]) => limit < deadline).map(([stat, limit]) => `${stat}<${limit}`);
}
