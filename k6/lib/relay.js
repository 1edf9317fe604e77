/** Calls of foreign models through the performance service's relay, which stamps their streams. */
import http from 'k6/http';
import { serverTiming } from './server-timing.js';

/** Models that think take their time before the first token. */
const TIMEOUT = '60s';

/** Servers on one's own machine ask for some key and take any; a secret has no place in a script. */
const NO_SECRET = 'none-needed';

/**
 * How each protocol is asked for a streamed answer.
 * @type {Record<string, {path: string, model: string, headers: Record<string, string>, more: object}>}
 */
const PROTOCOLS = {
  ollama: { path: '/api/chat', model: 'llama3.2', headers: {}, more: {} },
  openai: {
    path: '/v1/chat/completions',
    model: 'gpt-6.1-terra',
    headers: { Authorization: `Bearer ${NO_SECRET}` },
    more: { stream_options: { include_usage: true } },
  },
  claude: {
    path: '/v1/messages',
    model: 'claude-sonnet-5-5',
    headers: { 'x-api-key': NO_SECRET, 'anthropic-version': '2023-06-01' },
    more: { max_tokens: 256 },
  },
};

/** The protocols that are spoken, by the name of their provider. */
export const RELAYED_PROVIDERS = Object.keys(PROTOCOLS);

/**
 * @typedef {object} Stamped
 * @property {import('k6/http').RefinedResponse<'text'>} response
 * @property {Record<string, number>} timing milliseconds at the target; `relay` is the relay's own
 * @property {number} overhead milliseconds that the way through the relay added
 * @property {number|undefined} inputTokens
 * @property {number|undefined} outputTokens
 * @property {number|undefined} picoUsd
 */

/**
 * Asks for one streamed answer.
 * @param {string} relay LLM_RELAY_URL
 * @param {string} provider one of RELAYED_PROVIDERS
 * @param {string} prompt
 * @returns {Stamped}
 */
export function askModel(relay, provider, prompt) {
  const { path, model, headers, more } = PROTOCOLS[provider];
  const body = { model, messages: [{ role: 'user', content: prompt }], stream: true, ...more };
  const response = http.post(relay + path, JSON.stringify(body), {
    headers: { 'Content-Type': 'application/json', ...headers },
    tags: { name: `POST ${path}`, route_class: 'ai', journey: 'model', provider },
    timeout: TIMEOUT,
  });
  const timing = serverTiming(response.headers['Server-Timing']);
  return {
    response,
    timing,
    overhead: response.timings.duration - timing.total,
    inputTokens: count(response, 'X-Relay-Input-Tokens'),
    outputTokens: count(response, 'X-Relay-Output-Tokens'),
    picoUsd: count(response, 'X-Relay-Cost-Pico-Usd'),
  };
}

function count(response, header) {
  const text = response.headers[header];
  return text === undefined ? undefined : Number(text);
}
