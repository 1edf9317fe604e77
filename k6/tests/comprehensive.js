// Question: does everything hold at once: catalogue, models, operations, and callers who make mistakes?
// Model:    closed; of 100 visits 60 use the catalogue, 15 ask for a summary, 15 make mistakes, 10 walk through all (MODEL=open: arrivals).
// Load:     comprehensive: up to 20 users for 7 minutes; chaos: up to 443 for 3; extreme: up to 1,307 for 5.
// Limits:   catalogue and ops p95 < 2 s, p99 < 5 s; AI p95 < 8 s; failed requests < 1 %, planned errors not counted.
// Reading:  read each journey by itself; one that is worse than in its own suite suffers from another.
import exec from 'k6/execution';
import { visitCatalogue } from '../lib/catalogue.js';
import { readConfig } from '../lib/config.js';
import { cleanUp, prepare } from '../lib/dataset.js';
import { limits, presetName } from '../lib/presets.js';
import { evenly, pickWeighted } from '../lib/random.js';
import { requireProvider, summaryThresholds, visitSummaries } from '../lib/summaries.js';
import { suiteOptions } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';
import { mixedPerMinute } from '../lib/users.js';
import { walk } from '../lib/walk.js';
import { visitWrongly } from '../lib/wrong-calls.js';

const config = readConfig({ scenario: 'comprehensive', traceSample: 0.05 });
const presets = ['comprehensive', 'chaos', 'extreme'];
const ai = limits(presetName(config.scenario, presets), 'ai');

/**
 * In this order the first four visits are one of each kind, so that also a short run loads every class.
 * @type {ReadonlyArray<readonly [(config: any, dataset: any) => void, number]>}
 */
const VISITS = [[walk, 10], [visitCatalogue, 50], [visitSummaries, 15], [visitCatalogue, 10], [visitWrongly, 15]];

export const options = suiteOptions(config, {
  presets,
  routeClasses: ['catalogue', 'ai', 'ops'],
  perMinute: mixedPerMinute(0.15),
  failures: 'operation_failed',
  thresholds: {
    ...summaryThresholds(ai.p95),
    ai_operation_failed: [`rate<${ai.failed}`],
    error_answer_wrong: ['rate<0.01'],
    journey_failed: ['rate<0.01'],
  },
});

export const handleSummary = summaryOf(config);

export function setup() {
  requireProvider(config);
  return prepare(config);
}

/** @param {import('../lib/dataset.js').Dataset} dataset */
export default function (dataset) {
  pickWeighted(() => evenly(exec.scenario.iterationInTest), VISITS)(config, dataset);
}

export function teardown() {
  cleanUp(config);
}
