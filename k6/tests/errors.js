// Question: is every mistake of a caller answered with the right error, soon, and in the promised shape?
// Model:    closed; callers make one mistake after the other, and for comparison some none (MODEL=open: arrivals).
// Load:     errortest: up to 75 users for 10 minutes.
// Limits:   wrong answers < 2 %; p95 < 10 s as in the original, which an error should never need.
// Reading:  http_req_failed counts answers that were not the planned error; errors_4xx and errors_5xx are planned.
import { readConfig } from '../lib/config.js';
import { cleanUp, prepare } from '../lib/dataset.js';
import { suiteOptions } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';
import { CATALOGUE_PER_MINUTE } from '../lib/users.js';
import { visitWrongly } from '../lib/wrong-calls.js';

const config = readConfig({ scenario: 'errortest', traceSample: 0.01 });

export const options = suiteOptions(config, {
  presets: ['errortest'],
  routeClasses: ['catalogue', 'ops'],
  perMinute: CATALOGUE_PER_MINUTE,
  failures: 'error_answer_wrong',
  thresholds: {
    errors_4xx: ['count>0'],
    // An error is made at once: it may not take longer than a right answer under this load.
    error_response_time: ['p(95)<1000'],
  },
});

export const handleSummary = summaryOf(config);

export function setup() {
  return prepare(config);
}

/** @param {import('../lib/dataset.js').Dataset} dataset */
export default function (dataset) {
  visitWrongly(config, dataset);
}

export function teardown() {
  cleanUp(config);
}
