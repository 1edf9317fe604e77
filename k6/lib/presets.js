/**
 * Loads by name: how many users for how long, and what the answers must keep to. MODEL=open turns
 * the same stages into arrivals (profiles.js). A suite names those that fit it.
 */

/**
 * @typedef {object} Limits
 * @property {number} p95 milliseconds
 * @property {number} p99 milliseconds
 * @property {number} failed share of requests that may fail
 */

/**
 * @typedef {object} Preset
 * @property {ReadonlyArray<readonly [number, number]>} stages [seconds, users at the end of the stage]
 * @property {Limits} limits
 * @property {Record<string, Limits>} [classes] limits of a route class in the place of them
 * @property {string} [grace] what requests get at the end of a ramp; 30s as in the original suites
 * @property {boolean} [steady] begins with the load of its first stage, without a ramp
 */

/** The base thresholds of the original suites. */
const BASE = { p95: 2000, p99: 5000, failed: 0.01 };
const SMOKE = { p95: 3000, p99: 8000, failed: 0.02 };
const STRESS = { p95: 5000, p99: 10000, failed: 0.05 };
const SPIKE = { p95: 8000, p99: 15000, failed: 0.1 };

/** Every load of model calls has these: the model sets the pace, not the number of users. */
const AI = { p95: 8000, p99: 12000, failed: 0.05 };

/** Of the generated load tests of a platform with peak seasons: p95 3 s, 1 % errors. */
const SEASON = { p95: 3000, p99: 6000, failed: 0.01 };

/** An error answer is made at once; what is slow is the way to it. */
const ERRORS = { p95: 10000, p99: 20000, failed: 0.02 };

/** @type {ReadonlyArray<readonly [number, number]>} */
const MIXED_STAGES = [[60, 5], [180, 10], [600, 10], [120, 15], [300, 15], [120, 0]];
const CATALOGUE_BESIDE_AI = { p95: 1000, p99: 2000, failed: 0.01 };

/** @type {Readonly<Record<string, Preset>>} */
export const PRESETS = {
  // The original suites.
  smoke: of([[30, 1], [60, 1], [30, 0]], SMOKE),
  load: of([[60, 5], [180, 10], [300, 10], [60, 0]], BASE),
  stress: of([[120, 10], [300, 20], [300, 30], [300, 30], [120, 0]], STRESS),
  spike: of([[10, 5], [60, 5], [10, 50], [180, 50], [10, 5], [180, 5], [10, 0]], SPIKE, { grace: '10s' }),
  errortest: of([[30, 10], [120, 30], [300, 50], [120, 75], [60, 0]], ERRORS),
  llmsmoke: of([[30, 1], [120, 2], [30, 0]], AI),
  llmload: of([[60, 3], [300, 5], [300, 5], [60, 0]], AI),
  llmstress: of([[120, 5], [300, 10], [300, 15], [180, 15], [120, 0]], AI),
  llmspike: of([[30, 2], [60, 2], [20, 20], [180, 20], [20, 2], [120, 2], [30, 0]], AI, { grace: '20s' }),
  mixed: of(MIXED_STAGES, { p95: 5000, p99: 10000, failed: 0.02 }, {
    classes: { catalogue: CATALOGUE_BESIDE_AI, ai: AI },
  }),
  mixedheavy: of(MIXED_STAGES, { p95: 8000, p99: 15000, failed: 0.03 }, {
    classes: { catalogue: CATALOGUE_BESIDE_AI, ai: { p95: 12000, p99: 18000, failed: 0.08 } },
  }),

  // The original suites over generated data.
  'gen-smoke': of([[1, 2], [119, 2]], SMOKE),
  'gen-load': of([[120, 10], [300, 10], [120, 20], [300, 20], [120, 0]], BASE),
  'gen-stress': of([[120, 10], [180, 20], [240, 30], [240, 40], [120, 30], [120, 0]], STRESS),
  'gen-spike': of([[60, 5], [60, 5], [10, 50], [120, 50], [10, 5], [150, 5], [10, 0]], SPIKE, { grace: '10s' }),

  // The original's two attacks, each of eight scenarios, drawn as one curve of all their users.
  chaos: of([[10, 60], [10, 300], [10, 360], [8, 443], [12, 390], [8, 420], [10, 400], [5, 430], [15, 250], [60, 60], [30, 0]],
    { p95: 45000, p99: 60000, failed: 0.6 }, { grace: '10s' }),
  extreme: of([[10, 100], [8, 600], [8, 800], [6, 1000], [10, 900], [6, 1200], [8, 1000], [5, 1307], [10, 1100], [60, 700], [120, 140], [30, 0]],
    { p95: 120000, p99: 120000, failed: 0.8 }, { grace: '10s' }),

  // What the original names and has no script for.
  soak: of([[60, 10], [1680, 10], [60, 0]], BASE),
  volume: of([[30, 10], [240, 10], [30, 0]], BASE),
  // One of the thousand users that a run may have watches for the end.
  breakpoint: of([[600, 999]], BASE),
  regression: of([[60, 40]], BASE, { steady: true }),
  season: of([[60, 60], [60, 150], [240, 150], [60, 60], [30, 0]], SEASON),
  comprehensive: of([[60, 10], [300, 20], [60, 0]], BASE, { classes: { ai: AI } }),
  auth: of([[30, 5], [120, 10], [30, 0]], BASE),

  // A platform's second phase of load tests: 30 s, 13 min, 27 min and 3.5 min, up to 150 users.
  'connect-smoke': of([[2, 1], [26, 1], [2, 0]], { p95: 500, p99: 1000, failed: 0.01 }),
  'connect-ai': of([[60, 100], [120, 150], [540, 150], [60, 0]], { p95: 5000, p99: 10000, failed: 0.01 }),
  'connect-mixed': of([[240, 50], [360, 120], [480, 150], [360, 120], [180, 0]], { p95: 2000, p99: 5000, failed: 0.01 }, {
    classes: { ai: { p95: 5000, p99: 10000, failed: 0.01 } },
  }),
  'connect-breaker': of([[15, 20], [180, 20], [15, 0]], AI),

  // The five scenarios of a suite for service level objectives: 1, 14, 27, 4 and 30 minutes.
  'p015-smoke': of([[10, 1], [40, 1], [10, 0]], BASE),
  'p015-load': of([[120, 10], [300, 10], [120, 20], [240, 20], [60, 0]], BASE),
  'p015-stress': of([[120, 20], [300, 20], [120, 50], [300, 50], [120, 80], [300, 80], [120, 100], [180, 100], [60, 0]], STRESS),
  'p015-spike': of([[30, 5], [30, 5], [10, 60], [80, 60], [10, 5], [60, 5], [20, 0]], SPIKE),
  'p015-soak': of([[120, 15], [1560, 15], [120, 0]], BASE),
};

/**
 * The words by which the performance service names its scenarios. It always sends one of them, so
 * a suite of one shape takes each as its own.
 */
const SERVICE_SCENARIOS = ['smoke', 'load', 'stress', 'spike', 'soak', 'volume'];

/**
 * The preset that a run takes: the one that SCENARIO names, if the suite has it. An AI suite asked
 * for `smoke` takes `llmsmoke`.
 * @param {string} scenario lower case
 * @param {readonly string[]} accepted the suite's presets, its usual one first
 * @returns {string}
 * @throws {Error} listing the names
 */
export function presetName(scenario, accepted) {
  for (const name of [scenario, `llm${scenario}`]) {
    if (accepted.includes(name)) return name;
  }
  if (SERVICE_SCENARIOS.includes(scenario)) return accepted[0];
  throw new Error(`SCENARIO=${scenario} is not known here: it must be one of ${accepted.join(', ')}`);
}

/**
 * @param {string} preset
 * @param {string} [routeClass] whose limits they are; those of the whole without
 * @returns {Limits}
 */
export function limits(preset, routeClass) {
  const { classes, limits: whole } = PRESETS[preset];
  return (routeClass && classes && classes[routeClass]) || whole;
}

/**
 * @param {ReadonlyArray<readonly [number, number]>} stages
 * @param {Limits} judged
 * @param {Partial<Preset>} [more]
 * @returns {Preset}
 */
function of(stages, judged, more = {}) {
  return { stages, limits: judged, ...more };
}
