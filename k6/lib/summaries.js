/** Readers of summaries: what they ask for, and what it took in time, tokens and money. */
import { check, fail, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { client, ROUTES, setupClient } from './api.js';
import { logWrong } from './checks.js';
import { generator } from './random.js';
import { refusalOf, REFUSALS } from './refusals.js';
import { serverTiming } from './server-timing.js';
import { readEvents } from './summary-events.js';
import { readingSeconds } from './users.js';

/** A call slower than this is named with its trace id, as in the original suite. */
const SLOW_MS = 10000;

const operationFailed = new Rate('ai_operation_failed');
/** By who refused: `ai_refused_by_provider` and so on. @type {Record<string, Counter>} */
const refused = Object.fromEntries(REFUSALS.map((by) => [by, new Counter(`ai_refused_by_${by}`)]));
// Answers of a model's call that several shared, and answers that were there already.
const shared = new Counter('ai_shared_answers');
const cached = new Counter('ai_cached_answers');
const queueTime = new Trend('ai_queue', true);
const firstToken = new Trend('ai_ttft', true);
// The mean time of an answer's tokens after its first one.
const interToken = new Trend('ai_inter_token', true);
const inputTokens = new Counter('ai_tokens_input');
const outputTokens = new Counter('ai_tokens_output');
const outputLength = new Trend('ai_tokens_output_per_call');
// Integers of 10^-12 USD; real and simulated money have no common sum.
const realCost = new Counter('ai_cost_real_pico_usd');
const simulatedCost = new Counter('ai_cost_simulated_pico_usd');
// What one answer cost: of a call that several shared their part.
const costPerCall = new Trend('ai_cost_per_call_pico_usd');
const unpriced = new Counter('ai_unpriced_calls');

/**
 * Thresholds on these metrics. k6 passes a trend without samples, so tokens must have come.
 * @param {number} p95 limit of the whole call in milliseconds
 * @returns {Record<string, string[]>}
 */
export function summaryThresholds(p95) {
  // The first token may take half of the time of the whole call.
  return { ai_ttft: [`p(95)<${p95 / 2}`], ai_tokens_output: ['count>0'] };
}

/** Made at a user's first visit, since its number is not known earlier. */
let random;

/** A counter that never counted would be missing in the results, and nobody could tell it from none. */
function begin(config) {
  for (const counter of [shared, cached, ...Object.values(refused)]) counter.add(0);
  return generator(config.seed, exec.vu.idInTest);
}

/**
 * One reader asks for one summary, always from the model, and reads it.
 * @param {import('./config.js').Config} config
 * @param {import('./dataset.js').Dataset} dataset
 * @param {{stream?: boolean}} [how] stream: as server-sent events
 */
export function visitSummaries(config, dataset, { stream = false } = {}) {
  random = random || begin(config);
  // Neighbouring iterations take different books: the same one would share a call of the model.
  const { id } = dataset.books[exec.scenario.iterationInTest % dataset.books.length];
  const answer = askForSummary(config, id, stream);
  const by = refusalOf(answer.response.status, answer.problem || answer.body);
  if (by) refused[by].add(1);
  operationFailed.add(!(answer.ok && record(config, answer, id)));
  const { duration } = answer.response.timings;
  if (duration > SLOW_MS) console.warn(`slow summary: ${Math.round(duration)} ms, trace ${answer.traceId}`);
  sleep(readingSeconds(random));
}

/**
 * Refuses to begin when each call would fail, and warns when each would be paid for.
 * @param {import('./config.js').Config} config
 * @returns {{name: string, simulated: boolean, circuit: string}}
 */
export function requireProvider(config) {
  const { ok, body, response } = setupClient(config)(ROUTES.listProviders);
  if (!ok) fail(`setup: ${ROUTES.listProviders.path} at ${config.baseUrl} failed: ${response.error || `status ${response.status}`}`);
  const name = config.provider || body.defaultProvider;
  const provider = body.providers.find((known) => known.name === name);
  if (!provider || !provider.configured) fail(`setup: provider ${name} is not configured at ${config.baseUrl}`);
  if (!provider.simulated) console.warn(`provider ${name} is not simulated: each call is paid for`);
  return provider;
}

/**
 * The answer with the reply as its body, whichever way it came.
 * @returns {import('./api.js').Answer & {problem?: any}}
 */
function askForSummary(config, id, stream) {
  const provider = config.provider && { provider: config.provider };
  const call = { id, query: { ...provider, refresh: true } };
  if (!stream) return client(config, 'ai-reader')(ROUTES.generateSummary, call);
  const headers = { Accept: 'text/event-stream' };
  const answer = client(config, 'ai-stream-reader')(ROUTES.streamSummary, { ...call, headers });
  if (!answer.ok) return answer;
  const { reply, fault, problem } = readEvents(answer.body);
  const right = check(answer, { 'stream of events is whole': () => fault === '' });
  if (!right) logWrong(`stream, trace ${answer.traceId}: ${fault}`);
  return { ...answer, ok: right, body: reply, problem };
}

/** Counts tokens, money and the first token of one summary, and checks what makes the figures true. */
function record(config, { body, response }, id) {
  const timing = serverTiming(response.headers['Server-Timing']);
  const tags = { provider: body.provider };
  const ok = check(body, {
    'summary is of the asked book': () => body.bookId === id,
    'summary comes from the model, not from a cache': () => body.cached === false,
    'summary comes from the asked provider': () => !config.provider || body.provider === config.provider,
    'model was paid in tokens': () => body.usage.inputTokens > 0 && body.usage.outputTokens > 0,
    'Server-Timing has the first token': () => timing.ttft !== undefined,
  });
  if (body.cached) {
    cached.add(1);
    return ok;
  }
  // The reply tells the whole call's tokens and this request's part of its money.
  const sharers = body.sharedBy > 1 ? body.sharedBy : 1;
  shared.add(sharers > 1 ? 1 : 0);
  inputTokens.add(body.usage.inputTokens / sharers, tags);
  outputTokens.add(body.usage.outputTokens / sharers, tags);
  outputLength.add(body.usage.outputTokens, tags);
  if (timing.queue !== undefined) queueTime.add(timing.queue, tags);
  if (timing.ttft !== undefined) firstToken.add(timing.ttft, tags);
  const later = body.usage.outputTokens - (body.usage.reasoningTokens || 0) - 1;
  const decode = body.latency ? body.latency.decodeMs : null;
  if (later > 0 && typeof decode === 'number') interToken.add(decode / later, tags);
  unpriced.add(body.cost.picoUsd === null ? 1 : 0, tags);
  if (body.cost.picoUsd !== null) {
    (body.simulated ? simulatedCost : realCost).add(body.cost.picoUsd, tags);
    costPerCall.add(body.cost.picoUsd, { ...tags, simulated: String(body.simulated) });
  }
  return ok;
}
