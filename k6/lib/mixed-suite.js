/** A suite of catalogue users and readers of summaries side by side. */
import exec from 'k6/execution';
import { visitCatalogue } from './catalogue.js';
import { readConfig } from './config.js';
import { cleanUp, prepare } from './dataset.js';
import { limits, presetName } from './presets.js';
import { evenly } from './random.js';
import { requireProvider, summaryThresholds, visitSummaries } from './summaries.js';
import { suiteOptions } from './suite.js';
import { summaryOf } from './summary.js';
import { mixedPerMinute } from './users.js';

/**
 * @param {object} suite
 * @param {readonly string[]} suite.presets names that SCENARIO may have, the usual one first
 * @param {number} suite.share of the visits that ask for a summary, 0 to 1
 * @returns what k6 wants a script to export; `visit` is its default function
 */
export function mixedSuite({ presets, share }) {
  const config = readConfig({ scenario: presets[0], traceSample: 0.05 });
  const { p95, failed } = limits(presetName(config.scenario, presets), 'ai');
  return {
    options: suiteOptions(config, {
      presets,
      routeClasses: ['catalogue', 'ai'],
      perMinute: mixedPerMinute(share),
      failures: 'operation_failed',
      thresholds: { ...summaryThresholds(p95), ai_operation_failed: [`rate<${failed}`] },
    }),
    setup: () => {
      requireProvider(config);
      return prepare(config);
    },
    visit: (/** @type {import('./dataset.js').Dataset} */ dataset) => {
      if (evenly(exec.scenario.iterationInTest) < share) visitSummaries(config, dataset);
      else visitCatalogue(config, dataset);
    },
    teardown: () => cleanUp(config),
    handleSummary: summaryOf(config),
  };
}
