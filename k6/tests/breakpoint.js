// Question: at which rate do the catalogue's limits break? The run looks for it and ends there.
// Model:    open; arrivals increase steadily, whether or not the server keeps up (MODEL=closed: users, who ask less when it is slow).
// Load:     breakpoint: from nothing to 2,000 requests a second within 10 minutes, or 1,000 users who click twice a second.
// Limits:   catalogue p95 < 2 s, failed requests < 1 %, a free user (of 1,000) for each arrival; the first one that breaks ends the run.
// Reading:  FAIL: breakpoint_per_second is where it broke. WARNING: breakpoint_unbroken_per_second is the rate up to which nothing did. There is no PASS.
import exec from 'k6/execution';
import { Gauge } from 'k6/metrics';
import { catalogueSuite } from '../lib/catalogue-suite.js';
import { presetSeconds, rateAt } from '../lib/profiles.js';
import { RESTLESS_PER_MINUTE } from '../lib/users.js';

/** A short slow moment is no breaking point. */
const WAIT = '10s';

/** After the load: k6 looks at its thresholds every two seconds, and one may break at its very end. */
const LAST_LOOK_SECONDS = 3;

const PRESET = 'breakpoint';

/** As many as a run may have, but for the one that tells its end. */
const USERS = 999;

const reached = new Gauge('breakpoint_per_second');
const unbroken = new Gauge('breakpoint_unbroken_per_second');

const suite = catalogueSuite({
  presets: [PRESET],
  model: 'open',
  how: { temper: 'restless', tidy: true },
  more: {
    perMinute: RESTLESS_PER_MINUTE,
    mostUsers: USERS,
    // Some may be dropped in a moment in which the machine of k6 does something else.
    dropped: ends('count<10'),
    thresholds: {
      'http_req_duration{route_class:catalogue}': [ends('p(95)<2000', WAIT), ends('p(99)<5000', WAIT)],
      http_req_failed: [ends('rate<0.01', WAIT)],
      operation_failed: [ends('rate<0.01', WAIT)],
      checks: [ends('rate>0.99', WAIT)],
    },
  },
});
const { config, visit } = suite;
const seconds = presetSeconds(PRESET, config.scale);
/** Of the same model as the load, so that the run is of one. */
const once = config.model === 'open'
  ? { executor: 'ramping-arrival-rate', startRate: 0, stages: [{ duration: '1s', target: 4 }], preAllocatedVUs: 1 }
  : { executor: 'per-vu-iterations', vus: 1, iterations: 1 };
const unbrokenEnd = { ...once, startTime: `${seconds + LAST_LOOK_SECONDS}s`, exec: 'tellUnbroken' };
export const options = { ...suite.options, scenarios: { ...suite.options.scenarios, unbroken: unbrokenEnd } };
export const { setup, teardown } = suite;

let isNew = true;

/** @param {import('../lib/dataset.js').Dataset} dataset */
export default function (dataset) {
  if (isNew) unbroken.add(0);
  isNew = false;
  const { name, startTime } = exec.scenario;
  // Users of another load (VUS) are no rate.
  if (name === PRESET) reached.add(rateAt(config, PRESET, RESTLESS_PER_MINUTE, (Date.now() - startTime) / 1000));
  visit(dataset);
}

/** The load is over, and nothing ended it. */
export function tellUnbroken() {
  unbroken.add(rateAt(config, PRESET, RESTLESS_PER_MINUTE, seconds));
}

/** @param {any} data */
export function handleSummary(data) {
  const { stdout, ...files } = suite.handleSummary(data);
  return { ...files, stdout: `${stdout.trimEnd()}\n${found(data.metrics)}\n\n` };
}

/** What the run was for, in a line. */
function found(metrics) {
  const most = (name) => Math.round(metrics[name] ? metrics[name].values.max : 0);
  const held = most('breakpoint_unbroken_per_second');
  return held > 0 ? `breaking point: not reached up to ${held}/s` : `breaking point: ${most('breakpoint_per_second')}/s`;
}

function ends(threshold, delayAbortEval = '0s') {
  return { threshold, abortOnFail: true, delayAbortEval };
}
