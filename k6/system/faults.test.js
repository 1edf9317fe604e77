// Each suite can fail: a fault is planted, and the threshold that should see it must be crossed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startFaultyApi } from './faulty-api.js';
import { runK6, setting } from './k6.js';

/** Enough users for some samples of every operation within a few seconds. */
const LOAD = ['--vus', '6', '--duration', '8s'];
/** A slow answer must be over before the run is. */
const SLOW_LOAD = ['--vus', '6', '--duration', '14s'];

/** The reads that no setup needs. */
const READS = /^GET \/api\/v1\/books\/(search|[0-9a-f]{24})/;
const SUMMARIES = /generate-summary/;
const LAB = /errortest/;

/**
 * Suites of catalogue users, with the p95 of their limits.
 * @type {Record<string, number>}
 */
const CATALOGUE = { load: 2000, stress: 5000, spike: 8000, soak: 2000, regression: 2000 };
const AI = ['ai-summary', 'ai-smoke', 'ai-load', 'ai-stress', 'ai-spike', 'ai-stream'];

const TENTH = { options: [], env: { SCALE: '0.1' } };
const SHORT_SHAPE = { options: [], env: { SCALE: '0.03', PROVIDER: 'claude' } };
const GUARDED = { guarded: true };

const CASES = [
  ...Object.entries(CATALOGUE).flatMap(([suite, p95]) => [
    seenBy('checks', suite, { route: READS, rename: 'price' }),
    seenBy('operation_failed', suite, { route: READS, status: 500 }),
    seenBy('http_req_duration{route_class:catalogue}', suite, { route: READS, delayMs: p95 + 200 }),
  ]),
  seenBy('journey_failed', 'smoke', { route: READS, rename: 'title' }),
  seenBy('http_req_failed', 'smoke', { route: /^GET \/api\/v1\/authors\/./, status: 500 }),
  seenBy('http_req_duration{route_class:catalogue}', 'smoke', { route: READS, delayMs: 3200 }),
  seenBy('http_req_failed', 'breakpoint', { route: READS, status: 500 }, SHORT_SHAPE),
  seenBy('http_req_duration{route_class:catalogue}', 'breakpoint', { route: READS, delayMs: 2200 }),
  ...AI.flatMap((suite) => [
    seenBy('ai_operation_failed', suite, { route: SUMMARIES, rename: 'picoUsd' }),
    seenBy('http_req_failed', suite, { route: SUMMARIES, status: 500 }),
    seenBy('http_req_duration{route_class:ai}', suite, { route: SUMMARIES, delayMs: 8200 }),
    seenBy('checks', suite, { route: SUMMARIES, dropHeader: 'server-timing' }),
  ]),
  ...['mixed', 'mixed-heavy', 'comprehensive'].flatMap((suite) => [
    seenBy('ai_operation_failed', suite, { route: SUMMARIES, rename: 'outputTokens' }),
    seenBy('operation_failed', suite, { route: READS, status: 500 }),
    seenBy('http_req_duration{route_class:catalogue}', suite, { route: READS, delayMs: 2100 }),
  ]),
  seenBy('error_answer_wrong', 'errors', { route: LAB, rename: 'message' }),
  seenBy('error_answer_wrong', 'errors', { route: LAB, status: 200 }),
  seenBy('error_response_time', 'errors', { route: LAB, delayMs: 1200 }),
  seenBy('combination_wrong', 'combinations', { route: /^PATCH/, rename: 'genre' }, TENTH),
  seenBy('checks', 'combinations', { route: /search/, rename: 'title' }, TENTH),
  seenBy('http_req_failed', 'combinations', { route: /search/, status: 500 }, TENTH),
  // The circuit stays closed unless somebody makes the provider fail.
  seenBy('breaker_opened', 'circuit-breaker', { route: /^$/ }, SHORT_SHAPE),
  seenBy('breaker_answer_wrong', 'circuit-breaker', { route: SUMMARIES, status: 500 }, SHORT_SHAPE),
  seenBy('http_req_duration{route_class:catalogue}', 'circuit-breaker', { route: READS, delayMs: 2200 }, SHORT_SHAPE),
  seenBy('auth_decision_wrong', 'auth', { route: READS, status: 200 }, GUARDED),
  seenBy('auth_decision_wrong', 'auth', { route: READS, dropHeader: 'www-authenticate' }, GUARDED),
  seenBy('http_req_duration{route_class:refused}', 'auth', { route: READS, delayMs: 600 }, GUARDED),
];

/**
 * @typedef {object} More
 * @property {string[]} [options]
 * @property {Record<string, string>} [env]
 * @property {boolean} [guarded] the target asks for tokens
 */

/**
 * @param {string} metric that must see it
 * @param {string} suite
 * @param {import('./faulty-api.js').Fault} fault
 * @param {More} [more]
 */
function seenBy(metric, suite, fault, more = {}) {
  return { metric, suite, fault, more };
}

describe('a planted fault crosses the threshold of', { concurrency: 4 }, () => {
  for (const { metric, suite, fault, more } of CASES) {
    const { route, ...planted } = fault;
    test(`${suite}: ${metric} sees ${JSON.stringify(planted)} of ${route}`, async () => {
      const api = await startFaultyApi(setting(more.guarded ? 'GUARDED_URL' : 'BOOKSTORE_URL'), fault);
      try {
        const options = more.options || (fault.delayMs > 1500 ? SLOW_LOAD : LOAD);
        const { code, output } = await runK6(suite, { url: api.url, env: more.env, options });
        assert.equal(code, 99, output);
        assert.ok(output.includes(`threshold crossed: ${metric} `), output);
      } finally {
        await api.close();
      }
    });
  }
});

test('an API that asks nobody is no target of auth', async () => {
  const { code, output } = await runK6('auth', { options: LOAD });
  assert.equal(code, 107, output);
  assert.match(output, /asks nobody who they are/);
});

test('a target that does not answer ends each suite before its load', async () => {
  const { code, output } = await runK6('load', { url: 'http://127.0.0.1:1', options: LOAD });
  assert.equal(code, 107, output);
  assert.match(output, /setup: .* failed/);
});
