/**
 * Faults, and the thresholds of each suite that must see them: `metric statistic`. Together they are
 * all thresholds of all suites; faults.test.js compares the two.
 */

/** Enough users for some samples of every operation within a few seconds; what is slow is waited for. */
export const LOAD = ['--vus', '6', '--duration', '8s'];
/** A share of the load in which nobody comes: what counts must count to something. */
const NOBODY = ['--vus', '1', '--duration', '1s', '--execution-segment', '1/2:1'];

/** The reads that no setup needs. */
const READS = /^GET \/api\/v1\/books\/(search|[0-9a-f]{24})/;
const SUMMARIES = /generate-summary/;
const LAB = /errortest/;
/** All but what setup and clean-up ask for. */
const LOADED = /^(?!DELETE|.*(seed-data|author=Load|pageSize=100|\/health$))/;

/** A first token after nine seconds. */
const LATE = Object.freeze({ 'server-timing': 'ttft;dur=9000, total;dur=9000' });

/** A summary of another book, by another provider, of no tokens, and out of a cache. */
const ANOTHER = Object.freeze([
  /** @type {const} */ ([/"bookId":"[0-9a-f]+"/, '"bookId":"000000000000000000000000"']),
  /** @type {const} */ ([/"provider":"claude"/, '"provider":"openai"']),
  /** @type {const} */ ([/"outputTokens":\d+/, '"outputTokens":0']),
  /** @type {const} */ ([/"cached":false/, '"cached":true']),
]);

/** A refusal by an open circuit. */
const REFUSAL = Object.freeze({
  status: 503,
  body: { type: '/problems/circuit-open', title: 'Service unavailable', status: 503, message: 'claude has failed too often' },
});

const CLAUDE = { PROVIDER: 'claude' };
const ONE_USER = { SCALE: '0.03', ...CLAUDE };
const TWO_USERS = { SCALE: '0.085', ...CLAUDE };

/**
 * @typedef {object} Run
 * @property {string} suite
 * @property {string[]} sees thresholds that must be crossed; none of a run that must pass
 * @property {import('./faulty-api.js').Fault[]} faults
 * @property {string[]} [options] of k6; LOAD without
 * @property {Record<string, string>} [env]
 * @property {'BOOKSTORE_URL'|'GUARDED_URL'|'relay'} [target] the API without
 */

const duration = (routeClass, ...stats) => stats.map((stat) => `http_req_duration{route_class:${routeClass}} ${stat}`);
const requests = (routeClass) => `http_reqs{route_class:${routeClass}} count`;
const P95 = 'p(95)';
const P99 = 'p(99)';

/** @returns {Run} */
const run = (suite, sees, faults, more = {}) => ({ suite, sees, faults: [faults].flat(), ...more });
const nobody = (suite, sees, more = {}) => run(suite, sees, [], { options: NOBODY, ...more });

/**
 * Suites of catalogue users.
 * @param {string} suite
 * @param {number} slowMs beyond its limits
 * @param {string[]} stats that have one; beyond the deadline of a request there is none
 */
function catalogue(suite, slowMs, stats) {
  return [
    run(suite, ['checks rate', 'operation_failed rate'], { route: READS, rename: 'price' }),
    run(suite, ['checks rate', 'http_req_failed rate', 'operation_failed rate'], { route: READS, status: 500 }),
    run(suite, duration('catalogue', ...stats), { route: READS, delayMs: slowMs }),
    nobody(suite, [requests('catalogue')]),
  ];
}

function ai(suite) {
  return [
    run(suite, ['checks rate', 'ai_operation_failed rate'], { route: SUMMARIES, rename: 'picoUsd' }),
    run(suite, ['checks rate', 'http_req_failed rate', 'ai_operation_failed rate', 'ai_tokens_output count'], { route: SUMMARIES, status: 500 }),
    run(suite, [...duration('ai', P95, P99), 'ai_ttft p(95)'], { route: SUMMARIES, delayMs: 12200, headers: LATE }),
    nobody(suite, [requests('ai'), 'ai_tokens_output count']),
  ];
}

function mixed(suite, slowMs, slowAiMs) {
  const slow = [{ route: READS, delayMs: slowMs }, { route: SUMMARIES, delayMs: slowAiMs, headers: LATE }];
  return [
    run(suite, ['checks rate', 'http_req_failed rate', 'operation_failed rate'], { route: READS, status: 500 }),
    run(suite, ['ai_operation_failed rate'], { route: SUMMARIES, rename: 'outputTokens' }),
    run(suite, [...duration('catalogue', P95, P99), ...duration('ai', P95, P99), 'ai_ttft p(95)'], slow),
    nobody(suite, [requests('catalogue'), requests('ai'), 'ai_tokens_output count']),
  ];
}

/** Each route of the walk answers wrongly, in two runs: without what it writes it goes no further. */
const SMOKE = [
  run('smoke', ['checks rate', 'journey_failed rate'], { route: READS, rename: 'title' }),
  run('smoke', ['checks rate', 'http_req_failed rate', 'journey_failed rate'], [
    { route: /\/health$/, skip: 1, status: 418 },
    { route: LOADED, status: 418, body: [] },
  ]),
  run('smoke', ['http_req_failed rate'], [{ route: /^POST/, skip: Infinity }, { route: /^DELETE/, status: 418 }, { route: LOADED, status: 418 }]),
  run('smoke', [...duration('catalogue', P95, P99), ...duration('ops', P95, P99)], [
    { route: /search/, delayMs: 8200 },
    { route: READS, delayMs: 3200 },
    { route: /\/metrics$/, delayMs: 8200 },
  ]),
  nobody('smoke', [requests('catalogue'), requests('ops')]),
];

/** Its own load ends at the first arrival that finds no user. */
const BREAKPOINT = [
  run('breakpoint', ['checks rate', 'http_req_failed rate', 'operation_failed rate'], { route: READS, status: 500 }, { env: ONE_USER, options: [] }),
  run('breakpoint', duration('catalogue', P95, P99), { route: READS, delayMs: 5200 }),
  run('breakpoint', ['dropped_iterations count'], { route: LOADED, delayMs: 9900 }, { env: { SCALE: '0.016' }, options: [] }),
  nobody('breakpoint', [requests('catalogue')]),
];

const COMPREHENSIVE = [
  run('comprehensive', ['checks rate', 'http_req_failed rate', 'operation_failed rate', 'error_answer_wrong rate', 'journey_failed rate'],
    [{ route: READS, status: 500 }, { route: LAB, status: 200 }], { options: ['--vus', '10', '--duration', '10s'] }),
  run('comprehensive', ['ai_operation_failed rate'], { route: SUMMARIES, rename: 'outputTokens' }),
  run('comprehensive', [...duration('catalogue', P95, P99), ...duration('ops', P95, P99), ...duration('ai', P95, P99), 'ai_ttft p(95)'], [
    { route: READS, delayMs: 5200 },
    { route: /errortest|llm-providers|\/metrics$/, delayMs: 5200 },
    { route: SUMMARIES, delayMs: 12200, headers: LATE },
  ], { options: ['--vus', '10', '--duration', '10s'] }),
  nobody('comprehensive', [requests('catalogue'), requests('ops'), requests('ai'), 'ai_tokens_output count']),
];

const ERRORS = [
  run('errors', ['checks rate', 'error_answer_wrong rate'], { route: LAB, rename: 'message' }),
  run('errors', ['http_req_failed rate', 'error_answer_wrong rate'], { route: LAB, status: 200 }),
  run('errors', ['error_response_time p(95)'], { route: LAB, delayMs: 1200 }),
  nobody('errors', [requests('catalogue'), requests('ops'), 'errors_4xx count']),
];

const TENTH = { options: [], env: { SCALE: '0.1' } };
const COMBINATIONS = [
  run('combinations', ['checks rate', 'combination_wrong rate'], { route: /^PATCH/, rename: 'genre' }, TENTH),
  run('combinations', ['http_req_failed rate', 'combination_wrong rate'], [{ route: /search/, status: 500 }, { route: LAB, status: 500 }], TENTH),
  run('combinations', ['combinations count'], [], { ...TENTH, options: ['--execution-segment', '0:1/2'] }),
];

const BREAKER = [
  // The circuit stays closed unless somebody makes the provider fail.
  run('circuit-breaker', ['breaker_opened count', 'breaker_closed_again count', 'breaker_answered_again count', 'breaker_refused count'], [],
    { options: [], env: ONE_USER }),
  run('circuit-breaker', ['breaker_answered count', 'breaker_answer_wrong rate'], { route: SUMMARIES, status: 500 }, { options: [], env: ONE_USER }),
  run('circuit-breaker', [...duration('catalogue', P95, P99), 'breaker_refusal_time p(50)', 'breaker_refusal_time p(90)'], [
    { route: SUMMARIES, ...REFUSAL, headers: { 'retry-after': '1' }, delayMs: 2200 },
    { route: LOADED, delayMs: 5200 },
  ], { options: [], env: TWO_USERS }),
  run('circuit-breaker', ['checks rate', 'http_req_failed rate', 'operation_failed rate'], [
    { route: SUMMARIES, ...REFUSAL },
    { route: READS, status: 500 },
  ], { options: [], env: TWO_USERS }),
  run('circuit-breaker', [requests('catalogue')], [], { options: ['--execution-segment', '1/2:1'], env: ONE_USER }),
];

const GUARDED = { target: 'GUARDED_URL' };
const AUTH = [
  run('auth', ['checks rate', 'auth_decision_wrong rate'], { route: READS, status: 200 }, GUARDED),
  run('auth', ['auth_decision_wrong rate'], { route: READS, dropHeader: 'www-authenticate' }, GUARDED),
  run('auth', ['http_req_failed rate'], { route: READS, status: 500 }, GUARDED),
  run('auth', [...duration('catalogue', P95, P99), ...duration('refused', P95)], { route: READS, delayMs: 5200 }, GUARDED),
  nobody('auth', [requests('catalogue'), 'auth_unauthorized count', 'auth_forbidden count', 'auth_hidden count'], GUARDED),
];

const RELAYED = { options: [], env: { SCALE: '0.02' }, target: 'relay' };
const RELAY = [
  run('ai-relay', [], [], RELAYED),
  run('ai-relay', ['ai_operation_failed rate', 'ai_tokens_output count'], { route: /api\/chat/, status: 500 }, RELAYED),
  run('ai-relay', ['ai_ttft p(95)'], { route: /api\/chat/, headers: LATE }, RELAYED),
];

/** @type {readonly Run[]} */
export const RUNS = [
  ...catalogue('load', 5200, [P95, P99]),
  ...catalogue('soak', 5200, [P95, P99]),
  ...catalogue('regression', 5200, [P95, P99]),
  ...catalogue('stress', 5200, [P95]),
  ...catalogue('spike', 8200, [P95]),
  run('regression', ['dropped_iterations count'], { route: LOADED, delayMs: 5200 }, { options: [], env: { SCALE: '0.15' } }),
  ...['ai-summary', 'ai-smoke', 'ai-load', 'ai-stress', 'ai-spike', 'ai-stream'].flatMap(ai),
  run('ai-load', ['checks rate'], { route: SUMMARIES, dropHeader: 'server-timing' }),
  run('ai-load', ['ai_operation_failed rate', 'ai_tokens_output count'], { route: SUMMARIES, replace: ANOTHER }, { env: CLAUDE }),
  ...mixed('mixed', 2200, 12200),
  ...mixed('mixed-heavy', 2200, 18200),
  ...SMOKE, ...BREAKPOINT, ...COMPREHENSIVE, ...ERRORS, ...COMBINATIONS, ...BREAKER, ...AUTH, ...RELAY,
];

/**
 * Arrivals that find no user are shown by `regression` and `breakpoint`: the others have users enough
 * for answers as slow as a deadline allows, so that no answer makes them short, only a machine that
 * is too small for k6.
 */
export const SHOWN_ELSEWHERE = ['stress', 'spike', 'ai-stress', 'ai-spike'].map((suite) => `${suite}: dropped_iterations count`);
