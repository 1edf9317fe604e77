// Question: does each route of the API answer, rightly, when next to nobody asks?
// Model:    closed; one user walks through every route, then waits a second (MODEL=open: arrivals).
// Load:     smoke: 1 user for 2 minutes; gen-smoke, connect-smoke, p015-smoke. SCALE=0.1 makes 12 seconds of it.
// Limits:   per route class p95 < 3 s, p99 < 8 s; failed requests < 2 %; right answers > 98 %.
// Reading:  a crossed check rate names the route and whether its status or its shape is wrong.
import { readConfig } from '../lib/config.js';
import { cleanUp, prepare } from '../lib/dataset.js';
import { suiteOptions } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';
import { walk, WALKS_PER_MINUTE } from '../lib/walk.js';

const config = readConfig({ scenario: 'smoke', traceSample: 1 });

export const options = suiteOptions(config, {
  presets: ['smoke', 'gen-smoke', 'connect-smoke', 'p015-smoke'],
  routeClasses: ['catalogue', 'ops'],
  perMinute: WALKS_PER_MINUTE,
  failures: 'journey_failed',
});

export const handleSummary = summaryOf(config);

export function setup() {
  return prepare(config);
}

/** @param {import('../lib/dataset.js').Dataset} dataset */
export default function (dataset) {
  walk(config, dataset);
}

export function teardown() {
  cleanUp(config);
}
