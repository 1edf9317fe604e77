/**
 * What k6 itself judges. Latencies are judged per route class, because one percentile over a book
 * read and a model call says nothing about either.
 */
import { limits } from './presets.js';

/**
 * Thresholds of a suite. k6 passes a trend or rate without samples, so each class
 * that is judged must also have been asked at least once.
 * @param {string} preset
 * @param {readonly string[]} routeClasses classes that the suite loads
 * @returns {Record<string, string[]>} k6's `thresholds`
 */
export function thresholds(preset, routeClasses) {
  const { failed } = limits(preset);
  /** @type {Record<string, string[]>} */
  const result = {
    http_reqs: ['count>0'],
    iterations: ['count>0'],
    checks: [`rate>${1 - failed}`],
    http_req_failed: [`rate<${failed}`],
  };
  for (const routeClass of routeClasses) {
    const { p95, p99 } = limits(preset, routeClass);
    result[`http_reqs{route_class:${routeClass}}`] = ['count>0'];
    result[`http_req_duration{route_class:${routeClass}}`] = [`p(95)<${p95}`, `p(99)<${p99}`];
  }
  return result;
}
