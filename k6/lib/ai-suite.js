/** A suite of readers of summaries: they differ in their load, and in how the summary comes. */
import { readConfig } from './config.js';
import { cleanUp, prepare } from './dataset.js';
import { limits, presetName } from './presets.js';
import { requireProvider, summaryThresholds, visitSummaries } from './summaries.js';
import { suiteOptions } from './suite.js';
import { summaryOf } from './summary.js';
import { SUMMARIES_PER_MINUTE } from './users.js';

/**
 * @param {object} suite
 * @param {readonly string[]} suite.presets names that SCENARIO may have, the usual one first
 * @param {'closed'|'open'} [suite.model] when MODEL is not given
 * @param {boolean} [suite.stream] summaries come as server-sent events
 * @returns what k6 wants a script to export; `visit` is its default function
 */
export function aiSuite({ presets, model, stream = false }) {
  const config = readConfig({ scenario: presets[0], traceSample: 1, model });
  const { p95 } = limits(presetName(config.scenario, presets), 'ai');
  return {
    options: suiteOptions(config, {
      presets,
      routeClasses: ['ai'],
      perMinute: SUMMARIES_PER_MINUTE,
      failures: 'ai_operation_failed',
      thresholds: summaryThresholds(p95),
    }),
    setup: () => {
      requireProvider(config);
      return prepare(config);
    },
    visit: (/** @type {import('./dataset.js').Dataset} */ dataset) => visitSummaries(config, dataset, { stream }),
    teardown: () => cleanUp(config),
    handleSummary: summaryOf(config),
  };
}
