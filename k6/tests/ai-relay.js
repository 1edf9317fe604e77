// Question: how soon does a foreign model say its first token, how evenly the others, and at what cost?
// Model:    closed; each user asks, reads for half a second to a second, asks again.
// Load:     2 users for 3 minutes, SCALE of the time; BASE_URL is the model's server, PROVIDER=ollama (the default), openai or claude its protocol; a run needs options.relay.
// Limits:   first token p95 < 4 s; failed < 5 %; limits/ai-relay.toml has the rest.
// Reading:  ai_ttft, ai_inter_token and ai_model_total are the model's own; ai_relay_overhead is what measuring them added to each call.
import { check, fail, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { readConfig } from '../lib/config.js';
import { generator } from '../lib/random.js';
import { askModel, RELAYED_PROVIDERS } from '../lib/relay.js';
import { runOptions } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';

const config = readConfig({ scenario: 'smoke', traceSample: 0 });
const provider = config.provider || 'ollama';

const operationFailed = new Rate('ai_operation_failed');
const firstToken = new Trend('ai_ttft', true);
const interToken = new Trend('ai_inter_token', true);
const modelTotal = new Trend('ai_model_total', true);
const overhead = new Trend('ai_relay_overhead', true);
const inputTokens = new Counter('ai_tokens_input');
const outputTokens = new Counter('ai_tokens_output');
const costPerCall = new Trend('ai_cost_per_call_pico_usd');
const unpriced = new Counter('ai_unpriced_calls');

export const options = {
  scenarios: { relay: { executor: 'constant-vus', vus: 2, duration: `${Math.ceil(180 * config.scale)}s` } },
  thresholds: {
    ai_ttft: ['p(95)<4000'],
    ai_tokens_output: ['count>0'],
    ai_operation_failed: ['rate<0.05'],
  },
  ...runOptions(config),
};

export const handleSummary = summaryOf(config);

let random;

export function setup() {
  if (!__ENV.LLM_RELAY_URL) fail('setup: LLM_RELAY_URL is missing: start the run with "options": {"relay": true}');
  if (!RELAYED_PROVIDERS.includes(provider)) fail(`setup: PROVIDER must be one of ${RELAYED_PROVIDERS.join(', ')}`);
}

export default function () {
  random = random || generator(config.seed, exec.vu.idInTest);
  const prompt = `Tell the story of book number ${exec.scenario.iterationInTest} in some sentences.`;
  const { response, timing, ...told } = askModel(__ENV.LLM_RELAY_URL, provider, prompt);
  const tags = { provider };
  const ok = check(response, {
    'answer: status 200': (reply) => reply.status === 200,
    'answer: has a first token': () => timing.ttft !== undefined,
    'answer: tells its tokens': () => told.inputTokens > 0 && told.outputTokens > 0,
  });
  operationFailed.add(!ok);
  if (ok) record(timing, told, tags);
  sleep(0.5 + random() / 2);
}

function record(timing, told, tags) {
  firstToken.add(timing.ttft, tags);
  if (timing.inter_token !== undefined) interToken.add(timing.inter_token, tags);
  modelTotal.add(timing.total, tags);
  overhead.add(told.overhead, tags);
  inputTokens.add(told.inputTokens, tags);
  outputTokens.add(told.outputTokens, tags);
  unpriced.add(told.picoUsd === undefined ? 1 : 0, tags);
  if (told.picoUsd !== undefined) costPerCall.add(told.picoUsd, tags);
}
