// Question: at which rate do the catalogue's limits break? The run looks for it and ends there.
// Model:    open; arrivals increase steadily, whether or not the server keeps up (MODEL=closed: users).
// Load:     breakpoint: from nothing to 2,000 requests a second within 10 minutes, or 1,000 users who click fast.
// Limits:   catalogue p95 < 2 s, failed requests < 1 %, no dropped arrivals; the first one that breaks ends the run.
// Reading:  the rate of the last seconds is the breaking point, also when arrivals were dropped (INVALID); a run that passes found none.
import { catalogueSuite } from '../lib/catalogue-suite.js';

/** A short slow moment is no breaking point. */
const WAIT = '10s';

const suite = catalogueSuite({
  presets: ['breakpoint'],
  model: 'open',
  more: {
    // 1,000 users of the preset who click twice a second are 2,000 arrivals a second. At a quarter of
    // a second each, 500 users serve them; k6 may add as many again, then it drops arrivals.
    perMinute: 120,
    slowSeconds: 0.25,
    thresholds: {
      'http_req_duration{route_class:catalogue}': ['p(99)<5000', ends('p(95)<2000')],
      http_req_failed: [ends('rate<0.01')],
    },
  },
});
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;

function ends(threshold) {
  return { threshold, abortOnFail: true, delayAbortEval: WAIT };
}
