/** What the suites have in common: their k6 options. */
import { limits, presetName } from './presets.js';
import { droppedLimit, scenarios } from './profiles.js';
import { SETUP_REQUESTS, thresholds } from './thresholds.js';

/** p99 and count are missing in k6's own list; p(50) is med under the name that reports use. */
const TREND_STATISTICS = ['avg', 'min', 'med', 'max', 'p(50)', 'p(90)', 'p(95)', 'p(99)', 'count'];

/** Without url, proto, ip and the rest: nobody reads them and each makes every sample larger. */
const SYSTEM_TAGS = ['scenario', 'name', 'method', 'status', 'expected_response', 'error_code', 'check', 'group'];

/**
 * @typedef {object} Suite
 * @property {readonly string[]} presets names that SCENARIO may have, the usual one first
 * @property {readonly string[]} routeClasses classes that the suite loads and judges, that of its operations first
 * @property {number} perMinute iterations of one user in a minute, see Pace in profiles.js
 * @property {string} failures name of the suite's rate of failed operations; it has its class's limit
 * @property {number} [mostUsers] of an open run, see Pace
 * @property {any} [dropped] threshold on arrivals that found no free user; one in a thousand without
 * @property {Record<string, any[]>} [thresholds] on the suite's other metrics
 */

/**
 * @param {import('./config.js').Config} config
 * @param {Suite} suite
 * @returns {Record<string, any>} k6's options
 */
export function suiteOptions(config, suite) {
  const preset = presetName(config.scenario, suite.presets);
  const { failed } = limits(preset, suite.routeClasses[0]);
  const slowest = Math.max(...suite.routeClasses.map((routeClass) => limits(preset, routeClass).p95));
  const pace = { perMinute: suite.perMinute, slowSeconds: slowest / 1000, mostUsers: suite.mostUsers };
  /** @type {Record<string, any[]>} */
  const judged = {
    [SETUP_REQUESTS]: [],
    ...thresholds(preset, suite.routeClasses),
    [suite.failures]: [`rate<${failed}`],
    ...suite.thresholds,
  };
  if (config.model === 'open') judged.dropped_iterations = [suite.dropped || `count<=${droppedLimit(config, preset, pace)}`];
  return { ...runOptions(config), scenarios: scenarios(config, preset, pace), thresholds: judged };
}

/**
 * Options of every run, whatever its load.
 * @param {import('./config.js').Config} config
 * @returns {Record<string, any>}
 */
export function runOptions(config) {
  return {
    tags: { test_id: config.testId },
    summaryTrendStats: TREND_STATISTICS,
    systemTags: SYSTEM_TAGS,
    userAgent: 'bookstore-k6',
    setupTimeout: '60s',
    teardownTimeout: '60s',
  };
}
