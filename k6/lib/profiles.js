/** A preset as k6's scenario: users who wait for their answers, or arrivals that do not. */
import { PRESETS } from './presets.js';

/** Requests still running at the end of the ramp get this long, as in the original suites. */
const GRACE = '30s';

/** A run shorter than this per stage would be rounded away by k6. */
const MIN_STAGE_SECONDS = 1;

/** Arrivals that may find no free user before the run is not the asked one any more. */
const DROPPED_SHARE = 0.001;

/** Users an open run may add when answers come slower than the p95 limit: twice that slow. */
const SPARE_USERS = 2;

/**
 * @typedef {object} Pace of one user of a suite
 * @property {number} perMinute iterations that one user of the closed model makes in a minute
 * @property {number} slowSeconds the longest that an iteration may take and still be within the limits
 * @property {number} [mostUsers] of an open run: all of them are there from its begin
 */

/**
 * The k6 scenario of a run, under the preset's name.
 * @param {import('./config.js').Config} config
 * @param {string} preset from presetName
 * @param {Pace} pace
 * @returns {Record<string, object>} k6's `scenarios`
 */
export function scenarios(config, preset, pace) {
  const { grace = GRACE, steady = false } = PRESETS[preset];
  const stages = scaledStages(preset, config.scale);
  if (config.model === 'closed') {
    const startVUs = steady ? stages[0][1] : 1;
    return { [preset]: { executor: 'ramping-vus', startVUs, gracefulRampDown: grace, stages: stages.map(toStage) } };
  }
  const arrivals = stages.map(([seconds, users]) => toStage([seconds, Math.round(users * pace.perMinute)]));
  const peak = Math.max(...arrivals.map((stage) => stage.target));
  const { ready, most } = usersFor(peak / 60, pace);
  return {
    [preset]: {
      executor: 'ramping-arrival-rate',
      startRate: steady ? arrivals[0].target : 0,
      timeUnit: '1m',
      preAllocatedVUs: ready,
      maxVUs: most,
      stages: arrivals,
    },
  };
}

/**
 * Users who serve arrivals. k6 drops one arrival for each user that it has to add.
 * @param {number} perSecond
 * @param {Pace} pace
 */
function usersFor(perSecond, { slowSeconds, mostUsers }) {
  const ready = Math.max(1, Math.ceil(perSecond * slowSeconds));
  const most = ready * SPARE_USERS;
  return mostUsers ? { ready: Math.min(most, mostUsers), most: Math.min(most, mostUsers) } : { ready, most };
}

/**
 * Arrivals of an open run that may be dropped, at least one.
 * @param {import('./config.js').Config} config
 * @param {string} preset
 * @param {Pace} pace
 * @returns {number}
 */
export function droppedLimit(config, preset, pace) {
  const stages = scaledStages(preset, config.scale);
  let before = PRESETS[preset].steady ? stages[0][1] : 0;
  let userSeconds = 0;
  for (const [seconds, users] of stages) {
    userSeconds += (seconds * (before + users)) / 2;
    before = users;
  }
  return Math.max(1, Math.floor((userSeconds / 60) * pace.perMinute * DROPPED_SHARE));
}

/**
 * The rate that a preset asks for at one time, of users who do not wait for answers.
 * @param {import('./config.js').Config} config
 * @param {string} preset
 * @param {number} perMinute iterations of one user
 * @param {number} seconds since its begin
 * @returns {number} iterations a second
 */
export function rateAt(config, preset, perMinute, seconds) {
  let [before, begin] = [0, 0];
  for (const [length, users] of scaledStages(preset, config.scale)) {
    if (seconds <= begin + length) return ((before + (users - before) * ((seconds - begin) / length)) * perMinute) / 60;
    [before, begin] = [users, begin + length];
  }
  return (before * perMinute) / 60;
}

/**
 * How long a preset takes.
 * @param {string} preset
 * @param {number} scale
 * @returns {number} seconds
 */
export function presetSeconds(preset, scale) {
  return scaledStages(preset, scale).reduce((sum, [seconds]) => sum + seconds, 0);
}

/**
 * A stage with load keeps at least one user, so that the smallest scale still asks something.
 * @returns {[number, number][]}
 */
function scaledStages(preset, scale) {
  return PRESETS[preset].stages.map(([seconds, users]) => [
    Math.max(MIN_STAGE_SECONDS, Math.round(seconds * scale)),
    users === 0 ? 0 : Math.max(1, Math.round(users * scale)),
  ]);
}

function toStage([seconds, target]) {
  return { duration: `${seconds}s`, target };
}
