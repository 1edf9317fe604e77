// Question: how fast do summaries come, how soon their first token, and what do they cost?
// Model:    closed; each user asks for one summary, reads it for 3 to 8 s, asks again (MODEL=open: arrivals).
// Load:     SCENARIO=smoke: up to 2 users for 3 minutes; load, stress and spike as in profiles.js. PROVIDER picks the model's side.
// Limits:   AI routes p95 < 8 s, p99 < 12 s; failed < 5 %; first token p95 < 4 s; every answer from the model, none from a cache.
// Reading:  ai_ttft is the model's wait, the rest its length; ai_cost_real is money, ai_cost_simulated what it would have been.
import { check, fail, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { client, ROUTES, setupClient } from '../lib/api.js';
import { readConfig } from '../lib/config.js';
import { cleanUp, prepare } from '../lib/dataset.js';
import { generator } from '../lib/random.js';
import { serverTiming } from '../lib/server-timing.js';
import { suiteOptions, thinkSeconds } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';

/** A call slower than this is named with its trace id, as in the original suite. */
const SLOW_MS = 10000;

const config = readConfig({ scenario: 'smoke', traceSample: 1 });

const operationFailed = new Rate('ai_operation_failed');
const rateLimited = new Counter('ai_rate_limited');
const firstToken = new Trend('ai_ttft', true);
const inputTokens = new Counter('ai_tokens_input');
const outputTokens = new Counter('ai_tokens_output');
const outputLength = new Trend('ai_tokens_output_per_call');
// Integers of 10^-12 USD; real and simulated money have no common sum.
const realCost = new Counter('ai_cost_real_pico_usd');
const simulatedCost = new Counter('ai_cost_simulated_pico_usd');
const costPerCall = new Trend('ai_cost_per_call_pico_usd');
const unpriced = new Counter('ai_unpriced_calls');

export const options = suiteOptions(config, {
  routeClasses: ['ai'],
  // One call of about two seconds and five and a half of reading.
  perMinute: 8,
  failures: 'ai_operation_failed',
  thresholds: {
    // Half of the limit of the whole call.
    ai_ttft: ['p(95)<4000'],
    ai_tokens_output: ['count>0'],
  },
});

export const handleSummary = summaryOf(config);

let random;

export function setup() {
  requireProvider();
  return prepare(config);
}

/** @param {import('../lib/dataset.js').Dataset} dataset */
export default function (dataset) {
  random = random || generator(config.seed, exec.vu.idInTest);
  // Neighbouring iterations take different books: the same one would share a call of the model.
  const { id } = dataset.books[exec.scenario.iterationInTest % dataset.books.length];
  const provider = config.provider && { provider: config.provider };
  const answer = client(config, 'ai-reader')(ROUTES.generateSummary, { id, query: { ...provider, refresh: true } });
  rateLimited.add(answer.response.status === 429 ? 1 : 0);
  operationFailed.add(!(answer.ok && record(answer, id)));
  const { duration } = answer.response.timings;
  if (duration > SLOW_MS) console.warn(`slow summary: ${Math.round(duration)} ms, trace ${answer.traceId}`);
  sleep(thinkSeconds(config, random, 3, 8));
}

export function teardown() {
  cleanUp(config);
}

/** A provider that is not configured would make each call fail; a real one spends money. */
function requireProvider() {
  const { ok, body, response } = setupClient(config)(ROUTES.listProviders);
  if (!ok) fail(`setup: ${ROUTES.listProviders.path} at ${config.baseUrl} failed: ${response.error || `status ${response.status}`}`);
  const name = config.provider || body.defaultProvider;
  const provider = body.providers.find((known) => known.name === name);
  if (!provider || !provider.configured) fail(`setup: provider ${name} is not configured at ${config.baseUrl}`);
  if (!provider.simulated) console.warn(`provider ${name} is not simulated: each call is paid for`);
}

/** Counts tokens, money and the first token of one summary, and checks what makes the figures true. */
function record({ body, response }, id) {
  const timing = serverTiming(response.headers['Server-Timing']);
  const tags = { provider: body.provider };
  const ok = check(body, {
    'summary is of the asked book': () => body.bookId === id,
    'summary comes from the model, not from a cache': () => body.cached === false,
    'summary comes from the asked provider': () => !config.provider || body.provider === config.provider,
    'model was paid in tokens': () => body.usage.inputTokens > 0 && body.usage.outputTokens > 0,
    'Server-Timing has the first token': () => timing.ttft !== undefined,
  });
  inputTokens.add(body.usage.inputTokens, tags);
  outputTokens.add(body.usage.outputTokens, tags);
  outputLength.add(body.usage.outputTokens, tags);
  if (timing.ttft !== undefined) firstToken.add(timing.ttft, tags);
  unpriced.add(body.cost.picoUsd === null ? 1 : 0, tags);
  if (body.cost.picoUsd !== null) {
    (body.simulated ? simulatedCost : realCost).add(body.cost.picoUsd, tags);
    costPerCall.add(body.cost.picoUsd, { ...tags, simulated: String(body.simulated) });
  }
  return ok;
}
