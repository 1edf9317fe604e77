/** What the suites have in common: their k6 options. */
import { droppedLimit, profileName, scenarios } from './profiles.js';
import { limits, thresholds } from './thresholds.js';

/** p99 and count are missing in k6's own list; p(50) is med under the name that reports use. */
const TREND_STATISTICS = ['avg', 'min', 'med', 'max', 'p(50)', 'p(90)', 'p(95)', 'p(99)', 'count'];

/** Without url, proto, ip and the rest: nobody reads them and each makes every sample larger. */
const SYSTEM_TAGS = ['scenario', 'name', 'method', 'status', 'expected_response', 'error_code', 'check', 'group'];

/**
 * @typedef {object} Suite
 * @property {readonly string[]} routeClasses classes that the suite loads and judges
 * @property {number} perMinute iterations of one user in a minute, see Pace in profiles.js
 * @property {string} failures name of the suite's rate of failed operations; it has the profile's limit
 * @property {Record<string, string[]>} [thresholds] on the suite's other metrics
 */

/**
 * @param {import('./config.js').Config} config
 * @param {Suite} suite
 * @returns {Record<string, any>} k6's options
 */
export function suiteOptions(config, suite) {
  const profile = profileName(config.scenario, suite.routeClasses.includes('ai'));
  const { p95, failed } = limits(profile);
  const pace = { perMinute: suite.perMinute, slowSeconds: p95 / 1000 };
  const judged = {
    ...thresholds(profile, suite.routeClasses),
    [suite.failures]: [`rate<${failed}`],
    ...suite.thresholds,
  };
  if (config.model === 'open') judged.dropped_iterations = [`count<=${droppedLimit(config, profile, pace)}`];
  return {
    scenarios: scenarios(config, profile, pace),
    thresholds: judged,
    tags: { test_id: config.testId },
    summaryTrendStats: TREND_STATISTICS,
    systemTags: SYSTEM_TAGS,
    userAgent: 'bookstore-k6',
    setupTimeout: '60s',
    teardownTimeout: '60s',
  };
}

/**
 * Time between two requests of a person. Arrivals of the open model are spaced by k6.
 * @param {import('./config.js').Config} config
 * @param {() => number} random
 * @param {number} from seconds
 * @param {number} to seconds
 * @returns {number} seconds
 */
export function thinkSeconds(config, random, from, to) {
  return config.model === 'open' ? 0 : from + random() * (to - from);
}
