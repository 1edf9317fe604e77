/** A suite of catalogue users: they differ in their load only. */
import { visitCatalogue } from './catalogue.js';
import { readConfig } from './config.js';
import { cleanUp, prepare } from './dataset.js';
import { suiteOptions } from './suite.js';
import { summaryOf } from './summary.js';
import { CATALOGUE_PER_MINUTE } from './users.js';

/**
 * @param {object} suite
 * @param {readonly string[]} suite.presets names that SCENARIO may have, the usual one first
 * @param {'closed'|'open'} [suite.model] when MODEL is not given
 * @param {{temper?: string, tidy?: boolean}} [suite.how] how its users visit
 * @param {Partial<import('./suite.js').Suite>} [suite.more]
 * @returns what k6 wants a script to export; `visit` is its default function
 */
export function catalogueSuite({ presets, model, how, more }) {
  const config = readConfig({ scenario: presets[0], traceSample: 0.01, model });
  return {
    config,
    options: suiteOptions(config, {
      presets,
      routeClasses: ['catalogue'],
      perMinute: CATALOGUE_PER_MINUTE,
      failures: 'operation_failed',
      ...more,
    }),
    setup: () => prepare(config),
    visit: (/** @type {import('./dataset.js').Dataset} */ dataset) => visitCatalogue(config, dataset, how),
    teardown: () => cleanUp(config),
    handleSummary: summaryOf(config),
  };
}
