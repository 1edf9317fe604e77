/**
 * The settings of a run, read once from the environment and checked before any
 * load starts: a wrong value ends the run with its name and the rule it broke.
 */

/** Providers by their names in the API. @type {readonly string[]} */
const PROVIDERS = ['claude', 'openai', 'ollama', 'bedrock', 'lmstudio'];

/** Ten bulk requests of a thousand books: more would make setup a load test of its own. */
const MAX_COUNT = 10000;

/** The largest seed of the 32-bit generator in random.js. */
const MAX_SEED = 4294967295;

/**
 * @typedef {object} Config
 * @property {string} baseUrl address of the API, without a slash at the end
 * @property {string} scenario name of a preset (presets.js), lower case
 * @property {string} testId id of the run; travels as baggage into spans and logs
 * @property {'closed'|'open'} model closed: users who wait for their answers; open: arrivals that do not
 * @property {number} scale 0 < scale <= 1, multiplies the time and the load of the preset
 * @property {string} provider LLM provider, '' for the server's default
 * @property {number} count books of the data set
 * @property {number} seed seed of the data set and of the users' choices
 * @property {number} traceSample share of requests marked as sampled, 0 to 1
 */

/**
 * @typedef {object} Defaults
 * @property {string} scenario preset when SCENARIO is not given
 * @property {number} traceSample share when TRACE_SAMPLE is not given
 * @property {'closed'|'open'} [model] when MODEL is not given; closed without
 */

/**
 * @param {Defaults} defaults of the suite
 * @param {Record<string, string|undefined>} env the environment; k6's own unless a test says otherwise
 * @returns {Config}
 * @throws {Error} naming the variable and its rule
 */
export function readConfig(defaults, env = __ENV) {
  const model = oneOf(env, 'MODEL', defaults.model || 'closed', ['closed', 'open']);
  return {
    baseUrl: baseUrl(env),
    scenario: matching(env, 'SCENARIO', defaults.scenario, /^[A-Za-z0-9-]{1,32}$/, 'the name of a preset').toLowerCase(),
    testId: matching(env, 'TEST_ID', 'local', /^[A-Za-z0-9._-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 . _ -'),
    model: model === 'open' ? 'open' : 'closed',
    scale: number(env, 'SCALE', 1, (n) => n > 0 && n <= 1, 'a number above 0 up to 1'),
    provider: oneOf(env, 'PROVIDER', '', ['', ...PROVIDERS]),
    count: number(env, 'COUNT', 50, whole(MAX_COUNT), `a whole number from 1 to ${MAX_COUNT}`),
    seed: number(env, 'SEED', 1, whole(MAX_SEED), `a whole number from 1 to ${MAX_SEED}`),
    traceSample: number(env, 'TRACE_SAMPLE', defaults.traceSample, (n) => n >= 0 && n <= 1, 'a number from 0 to 1'),
  };
}

function given(env, name, fallback) {
  const value = env[name];
  return value === undefined || value === '' ? fallback : value;
}

function matching(env, name, fallback, pattern, rule) {
  const value = given(env, name, fallback);
  if (!pattern.test(value)) throw invalid(name, value, rule);
  return value;
}

function oneOf(env, name, fallback, choices) {
  const value = given(env, name, fallback).toLowerCase();
  if (!choices.includes(value)) throw invalid(name, value, `one of ${choices.filter((c) => c !== '').join(', ')}`);
  return value;
}

function number(env, name, fallback, accepts, rule) {
  const value = Number(given(env, name, fallback));
  if (!accepts(value)) throw invalid(name, env[name], rule);
  return value;
}

function whole(max) {
  return (n) => Number.isInteger(n) && n >= 1 && n <= max;
}

/** A user and password in the address would end up in k6's output, so they are refused. */
function baseUrl(env) {
  const value = given(env, 'BASE_URL', 'http://127.0.0.1:7002').replace(/\/+$/, '');
  if (!/^https?:\/\/[A-Za-z0-9.:[\]-]+(\/[A-Za-z0-9._~/-]*)?$/.test(value)) {
    throw invalid('BASE_URL', value.replace(/\/\/.*@/, '//***@'), 'http(s)://host[:port][/path] without user, query or fragment');
  }
  return value;
}

function invalid(name, value, rule) {
  return new Error(`${name}=${value} is not valid: it must be ${rule}`);
}
