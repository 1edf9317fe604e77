/**
 * How much load a run makes and for how long. A profile is a list of stages in
 * virtual users; MODEL=open turns the same stages into arrivals per minute.
 */

/** Requests still running at the end of the ramp get this long, as in the original suites. */
const GRACE = '30s';

/** A run shorter than this per stage would be rounded away by k6. */
const MIN_STAGE_SECONDS = 1;

/** Arrivals that may find no free user before the run is not the asked one any more. */
const DROPPED_SHARE = 0.001;

/** Users an open run may add when answers come slower than the p95 limit: twice that slow. */
const SPARE_USERS = 2;

/**
 * Stages as [seconds, users at the end of the stage].
 * @type {Readonly<Record<string, ReadonlyArray<readonly [number, number]>>>}
 */
const STAGES = {
  smoke: [[30, 1], [60, 1], [30, 0]],
  load: [[60, 5], [180, 10], [300, 10], [60, 0]],
  stress: [[120, 10], [300, 20], [300, 30], [300, 30], [120, 0]],
  spike: [[10, 5], [60, 5], [10, 50], [180, 50], [10, 5], [180, 5], [10, 0]],
  soak: [[30, 10], [240, 10], [30, 0]],
  volume: [[30, 10], [240, 10], [30, 0]],
  llmsmoke: [[30, 1], [120, 2], [30, 0]],
  llmload: [[60, 3], [300, 5], [300, 5], [60, 0]],
  llmstress: [[120, 5], [300, 10], [300, 15], [180, 15], [120, 0]],
  llmspike: [[30, 2], [60, 2], [20, 20], [180, 20], [20, 2], [120, 2], [30, 0]],
};

/**
 * @typedef {object} Pace of one user of a suite
 * @property {number} perMinute iterations that one user of the closed model makes in a minute
 * @property {number} slowSeconds the longest that an iteration may take and still be within the limits
 */

/**
 * The name of the profile that a suite runs. An AI suite asked for `smoke` runs `llmsmoke`,
 * so that SCENARIO means the same shape in each suite.
 * @param {string} scenario lower case
 * @param {boolean} ai whether the suite calls models
 * @returns {string}
 * @throws {Error} listing the known names
 */
export function profileName(scenario, ai) {
  const name = ai && STAGES[`llm${scenario}`] ? `llm${scenario}` : scenario;
  if (!STAGES[name]) {
    throw new Error(`SCENARIO=${scenario} is not known: it must be one of ${Object.keys(STAGES).join(', ')}`);
  }
  return name;
}

/**
 * The k6 scenario of a run, under the profile's name.
 * @param {import('./config.js').Config} config
 * @param {string} profile from profileName
 * @param {Pace} pace
 * @returns {Record<string, object>} k6's `scenarios`
 */
export function scenarios(config, profile, pace) {
  const stages = scaledStages(profile, config.scale);
  if (config.model === 'closed') {
    return { [profile]: { executor: 'ramping-vus', startVUs: 1, gracefulRampDown: GRACE, stages: stages.map(toStage) } };
  }
  const arrivals = stages.map(([seconds, users]) => toStage([seconds, Math.round(users * pace.perMinute)]));
  const peak = Math.max(...arrivals.map((stage) => stage.target));
  const users = Math.max(1, Math.ceil((peak / 60) * pace.slowSeconds));
  return {
    [profile]: {
      executor: 'ramping-arrival-rate',
      startRate: 0,
      timeUnit: '1m',
      preAllocatedVUs: users,
      maxVUs: users * SPARE_USERS,
      stages: arrivals,
    },
  };
}

/**
 * Arrivals of an open run that may be dropped, at least one.
 * @param {import('./config.js').Config} config
 * @param {string} profile
 * @param {Pace} pace
 * @returns {number}
 */
export function droppedLimit(config, profile, pace) {
  let before = 0;
  let userSeconds = 0;
  for (const [seconds, users] of scaledStages(profile, config.scale)) {
    userSeconds += (seconds * (before + users)) / 2;
    before = users;
  }
  return Math.max(1, Math.floor((userSeconds / 60) * pace.perMinute * DROPPED_SHARE));
}

/** A stage with load keeps at least one user, so that the smallest scale still asks something. */
function scaledStages(profile, scale) {
  return STAGES[profile].map(([seconds, users]) => [
    Math.max(MIN_STAGE_SECONDS, Math.round(seconds * scale)),
    users === 0 ? 0 : Math.max(1, Math.round(users * scale)),
  ]);
}

function toStage([seconds, target]) {
  return { duration: `${seconds}s`, target };
}
