// Somebody changes things while others watch them
// Without a push channel those who watch ask again and again. Writers change one title of their own, watchers read the
// newest ones: what a write costs those who read.
// Model:   closed; up to 10 users, for 90 s.
// Values:  live-updates.json beside this file has every value that is sent.
// Written: from a description; change that one, not this file.
import { check, sleep } from 'k6';
import { randomBytes } from 'k6/crypto';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import http from 'k6/http';

const BASE_URL = setting(
  'BASE_URL',
  'http://127.0.0.1:7002',
  (url) => /^https?:\/\/[A-Za-z0-9.:[\]-]+(\/[A-Za-z0-9._~/-]*)?$/.test(url),
).replace(/\/+$/, '');
const TEST_ID = setting('TEST_ID', 'local', (id) => /^[A-Za-z0-9._-]{1,64}$/.test(id));
const SCENARIO = setting('SCENARIO', 'load', (name) => /^[A-Za-z]{1,32}$/.test(name)).toLowerCase();
/** Shrinks the time and the load of each stage. */
const SCALE = Number(setting('SCALE', '1', (n) => Number(n) > 0 && Number(n) <= 1));
/** Where journeys and rows begin. */
const SEED = Number(setting('SEED', '1', (n) => Number.isInteger(Number(n)) && Number(n) >= 1 && Number(n) < 2 ** 32));
/** Share of requests that are traced. */
const TRACE_SAMPLE = Number(setting('TRACE_SAMPLE', '0.1', (n) => Number(n) >= 0 && Number(n) <= 1));

const DATA_FILE = import.meta.resolve('./live-updates.json');
/** Kept once for all users: headers, bodies and values of the steps, and the rows of the iterations. */
const STEPS = new SharedArray('steps', () => dataFile().steps);
const ROWS = new SharedArray('rows', () => dataFile().rows);

export const options = {
  scenarios: {
    journeys: {
      executor: 'ramping-vus',
      startVUs: 1,
      gracefulRampDown: '30s',
      stages: stages([[20, 10], [60, 10], [10, 0]]),
    },
  },
  thresholds: {
    http_reqs: ['count>0'],
    'http_reqs{scenario:journeys}': ['count>0'],
    'http_reqs{journey:watcher}': ['count>0'],
    'http_reqs{journey:writer}': ['count>0'],
    iterations: ['count>0'],
    checks: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
    'http_reqs{name:ask for news}': ['count>0'],
    'http_req_duration{name:ask for news}': ['p(95)<300'],
    'http_reqs{name:sell one}': ['count>0'],
    'http_req_duration{name:sell one}': ['p(95)<800'],
  },
  tags: { test_id: TEST_ID },
  summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(50)', 'p(90)', 'p(95)', 'p(99)', 'count'],
  systemTags: ['scenario', 'name', 'method', 'status', 'expected_response', 'error_code', 'check', 'group'],
  userAgent: 'bookstore-k6',
};

/** What users do, and how often. */
const JOURNEYS = [
  { weight: 5, walk: walkWatcher },
  { weight: 1, walk: walkWriter },
];

export default function () {
  nextJourney().walk();
}

function walkWatcher() {
  const user = begin('watcher', {});
  send(user, {
    name: 'ask for news',
    method: 'GET',
    path: '/api/v1/books?sort=newest&pageSize=10',
    status: 200,
  });
  sleep(1 + Math.random());

  send(user, {
    name: 'ask for news',
    method: 'GET',
    path: '/api/v1/books?sort=newest&pageSize=10',
    status: 200,
  });
  sleep(1 + Math.random());
}

function walkWriter() {
  const user = begin('writer', { author: unique(), isbn: isbn13() });
  send(user, {
    name: 'announce',
    method: 'POST',
    path: '/api/v1/books',
    data: 0,
    fill: { '/author': 'author', '/isbn': 'isbn' },
    save: { bookId: '/id' },
    status: 201,
  });
  sleep(0.5 + Math.random() * 0.5);

  send(user, {
    name: 'sell one',
    method: 'PATCH',
    path: '/api/v1/books/{bookId}',
    data: 1,
    status: 200,
    check: [{ at: '/stockQuantity', same: true }],
  });
  sleep(0.5 + Math.random() * 0.5);

  send(user, {
    name: 'see the change',
    method: 'GET',
    path: '/api/v1/books/{bookId}',
    data: 2,
    status: 200,
    check: [{ at: '/stockQuantity', same: true }],
  });
  sleep(0.5 + Math.random() * 0.5);

  send(user, {
    name: 'take it away',
    method: 'DELETE',
    path: '/api/v1/books/{bookId}',
    status: 204,
  });
  sleep(0.5 + Math.random() * 0.5);
}

/** A target that is slower than this has failed. */
const TIMEOUT = '30s';

/** Multiples of the golden ratio spread evenly, so that each journey has its share in short runs too. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** Enough to see what is wrong; a broken target would otherwise fill the log. */
const LOGGED_FAILURES_PER_USER = 5;
let logged = 0;

/** The journey that an iteration walks. */
function nextJourney() {
  const total = JOURNEYS.reduce((sum, { weight }) => sum + weight, 0);
  let rest = (((exec.scenario.iterationInTest + SEED) * GOLDEN_RATIO) % 1) * total;
  return JOURNEYS.find(({ weight }) => (rest -= weight) < 0) || JOURNEYS[0];
}

/** Begins a journey with the iteration's row and what is made up for it. */
function begin(journey, made) {
  const row = ROWS.length > 0 ? ROWS[(exec.scenario.iterationInTest + SEED - 1) % ROWS.length] : {};
  return { journey, known: Object.assign(Object.create(null), row, made) };
}

/**
 * Sends a step of a user's journey, checks the reply and keeps what later steps need of it. What
 * it sends is the entry `data` of STEPS; in the path, {name} is a value.
 * A step is left out when an earlier reply did not tell what it needs; that reply's own check tells.
 */
function send(user, step) {
  const { values, headers, body, text, equals } = step.data === undefined ? {} : STEPS[step.data];
  const known = Object.assign(Object.create(null), user.known, values);
  if (!needs(step).every((name) => name in known)) return;
  const trace = newTrace();
  const tags = { name: step.name, journey: user.journey };
  const content = body === undefined ? text : JSON.stringify(filled(body, step.fill, known));
  const response = http.request(step.method, BASE_URL + addressed(step.path, known), content, {
    headers: Object.assign({}, headers, trace.headers),
    redirects: 0,
    tags,
    timeout: TIMEOUT,
  });
  const reply = replyOf(response);
  const checks = { [`${step.name}: status ${step.status}`]: () => response.status === step.status };
  for (const [name, pointer] of Object.entries(step.save || {})) {
    keep(user, name, at(reply, pointer));
    checks[`${step.name}: has ${pointer}`] = () => at(reply, pointer) !== undefined;
  }
  for (const [name, pointer] of Object.entries(step.find || {})) keep(user, name, at(reply, pointer));
  (step.check || []).forEach(({ at: pointer, value, same }, index) => {
    const found = at(reply, pointer);
    const wanted = value === undefined ? (equals || {})[index] : known[value];
    checks[`${step.name}: right ${pointer}`] = () =>
      same ? JSON.stringify(found) === JSON.stringify(wanted) : found !== undefined;
  });
  if (!check(response, checks, tags) && logged < LOGGED_FAILURES_PER_USER) {
    logged += 1;
    const seen = response.error || String(response.body || '').slice(0, 200);
    console.warn(`${step.name}: wrong answer, status ${response.status}, trace ${trace.traceId}: ${seen}`);
  }
}

/** The names that the path and the body want. */
function needs(step) {
  const inPath = (step.path.match(/\{\w+\}/g) || []).map((name) => name.slice(1, -1));
  return inPath.concat(Object.values(step.fill || {}));
}

function keep(user, name, value) {
  if (value !== undefined && value !== null) user.known[name] = value;
}

function addressed(path, known) {
  return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(known[name]));
}

/** A body of its own with values at the places that `fill` names. */
function filled(body, fill, known) {
  if (fill === undefined) return body;
  const own = JSON.parse(JSON.stringify(body));
  for (const [pointer, name] of Object.entries(fill)) {
    const end = pointer.lastIndexOf('/');
    at(own, pointer.slice(0, end))[keysOf(pointer.slice(end))[0]] = known[name];
  }
  return own;
}

/** What a JSON Pointer (RFC 6901) leads to; undefined when it leads nowhere. */
function at(value, pointer) {
  return keysOf(pointer).reduce((inside, key) => (inside === null || inside === undefined ? undefined : inside[key]), value);
}

function keysOf(pointer) {
  return pointer.split('/').slice(1).map((key) => key.replace(/~1/g, '/').replace(/~0/g, '~'));
}

/** The parsed JSON of a reply; undefined for anything else. */
function replyOf(response) {
  if (!/^application\/([a-z.]+\+)?json\b/.test(response.headers['Content-Type'] || '')) return undefined;
  try {
    return JSON.parse(response.body);
  } catch (_) {
    return undefined;
  }
}

/** W3C trace context and baggage, so that each request of a run can be found in the traces. */
function newTrace() {
  const digits = Array.from(new Uint8Array(randomBytes(24)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const sampled = Math.random() < TRACE_SAMPLE ? '01' : '00';
  return {
    traceId: digits.slice(0, 32),
    headers: {
      traceparent: `00-${digits.slice(0, 32)}-${digits.slice(32)}-${sampled}`,
      baggage: `test.id=${TEST_ID},test.scenario=${SCENARIO}`,
    },
  };
}

/** Stages as [seconds, target], made smaller by SCALE; one with load keeps some. */
function stages(whole) {
  return whole.map(([seconds, target]) => ({
    duration: `${Math.max(1, Math.round(seconds * SCALE))}s`,
    target: target === 0 ? 0 : Math.max(1, Math.round(target * SCALE)),
  }));
}

function setting(name, fallback, accepts) {
  const value = __ENV[name] || fallback;
  // A user and password in an address must not end up in the log.
  if (!accepts(value)) throw new Error(`${name}=${value.replace(/\/\/.*@/, '//***@')} is not valid`);
  return value;
}

function dataFile() {
  return JSON.parse(open(DATA_FILE));
}

/** A valid ISBN-13 of prefix 979 that no seed data has. */
function isbn13() {
  const digits = [9, 7, 9];
  while (digits.length < 12) digits.push(Math.floor(Math.random() * 10));
  const sum = digits.reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0);
  return digits.concat((10 - (sum % 10)) % 10).join('');
}

/** A text that no other iteration has, and that names the run. */
function unique() {
  return `${TEST_ID}-${exec.vu.idInTest}-${exec.vu.iterationInInstance}`;
}
