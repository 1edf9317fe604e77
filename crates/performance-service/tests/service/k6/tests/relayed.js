// Asks a model through the relay, which says when its tokens came.
import http from 'k6/http';
import { check } from 'k6';
import { Counter, Trend } from 'k6/metrics';

export const options = { vus: 2, duration: '3s' };

const firstToken = new Trend('ai_ttft', true);
const overhead = new Trend('ai_relay_overhead', true);
const direct = new Trend('direct_duration', true);
const output = new Counter('ai_tokens_output');
const cost = new Counter('ai_cost_pico_usd');

const BODY = JSON.stringify({
  model: 'llama3.2',
  messages: [{ role: 'user', content: 'Tell me of a book.' }],
  stream: true,
});
const PARAMS = { headers: { 'Content-Type': 'application/json' } };

export function setup() {
  const outside = http.post(__ENV.LLM_RELAY_URL.replace(/[0-9a-f]{32}$/, '0'.repeat(32)) + '/api/chat', BODY, PARAMS);
  const around = http.get(`${__ENV.LLM_RELAY_URL}/../../etc`);
  console.log(`of another run ${outside.status}, around ${around.status}`);
}

export default function () {
  const reply = http.post(`${__ENV.LLM_RELAY_URL}/api/chat`, BODY, PARAMS);
  const timing = {};
  for (const entry of (reply.headers['Server-Timing'] || '').split(', ')) {
    const [name, duration] = entry.split(';dur=');
    timing[name] = Number(duration);
  }
  check(reply, {
    'status is 200': (r) => r.status === 200,
    'the reply is whole': (r) => r.body.trim().split('\n').pop().includes('"done":true'),
    'the stamps are in order': () => timing.head <= timing.ttft && timing.ttft < timing.total && timing.inter_token > 0,
    'the model is named': (r) => r.headers['X-Relay-Model'] === 'llama3.2',
  });
  firstToken.add(timing.ttft);
  overhead.add(reply.timings.duration - timing.total);
  output.add(Number(reply.headers['X-Relay-Output-Tokens']));
  cost.add(Number(reply.headers['X-Relay-Cost-Pico-Usd']));
  direct.add(http.post(`${__ENV.BASE_URL}/api/chat`, BODY, PARAMS).timings.duration);
}
