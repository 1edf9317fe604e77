// Question: does the API let in whom it knows, refuse everybody else, and keep tenants apart, under load?
// Model:    closed; programs of two tenants and three roles, and some with no right at all (MODEL=open: arrivals).
// Load:     auth: up to 10 users for 3 minutes. The target must ask for tokens: make perf-auth starts such a one.
// Limits:   no wrong decision; those let in p95 < 2 s; refusals p95 < 500 ms.
// Reading:  401, 403 and hidden 404 are the class `refused`: neither failures nor successes, in no latency of the catalogue.
import { check, fail, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate } from 'k6/metrics';
import { client, expecting, ROUTES, setupClient } from '../lib/api.js';
import { newBook } from '../lib/books.js';
import { readConfig } from '../lib/config.js';
import { cleanUp, prepare, runAuthor } from '../lib/dataset.js';
import { evenly, generator, pick, pickWeighted } from '../lib/random.js';
import { isProblem } from '../lib/shapes.js';
import { suiteOptions } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';
import { bearer, readTokens } from '../lib/tokens.js';
import { IMPATIENT_PER_MINUTE, thinkSeconds } from '../lib/users.js';

const config = readConfig({ scenario: 'auth', traceSample: 0.01 });
const tokens = readTokens();
const names = tokens ? Object.keys(tokens.tenants) : [];

const decisionWrong = new Rate('auth_decision_wrong');
const unauthorized = new Counter('auth_unauthorized');
const forbidden = new Counter('auth_forbidden');
const hidden = new Counter('auth_hidden');

export const options = suiteOptions(config, {
  presets: ['auth'],
  routeClasses: ['catalogue'],
  perMinute: IMPATIENT_PER_MINUTE,
  failures: 'auth_decision_wrong',
  thresholds: {
    auth_unauthorized: ['count>0'],
    auth_forbidden: ['count>0'],
    auth_hidden: ['count>0'],
    'http_req_duration{route_class:refused}': ['p(95)<500'],
  },
});

export const handleSummary = summaryOf(config);

/** @type {ReadonlyArray<readonly [(data: any) => boolean, number]>} */
const CALLERS = [[stranger, 2], [letIn, 12], [unknownCaller, 5], [withoutRight, 4]];

let random;

export function setup() {
  if (!tokens) fail('setup: there is no k6/private/tokens.json: make perf-auth makes one, and a target that knows its tokens');
  const open = setupClient(config)(expecting(ROUTES.listBooks, 401, isProblem, { uncounted: true }));
  if (open.response.status === 200) fail(`setup: ${config.baseUrl} asks nobody who they are: its BOOKSTORE_AUTH_MODE must be tokens`);
  return Object.fromEntries(names.map((name) => [name, prepare(config, bearer(tokens.tenants[name].engineer))]));
}

/** @param {Record<string, import('../lib/dataset.js').Dataset>} data of each tenant */
export default function (data) {
  random = random || generator(config.seed, exec.vu.idInTest);
  decisionWrong.add(!pickWeighted(() => evenly(exec.scenario.iterationInTest), CALLERS)(data));
  sleep(thinkSeconds(random, 'burst'));
}

export function teardown() {
  for (const name of names) cleanUp(config, bearer(tokens.tenants[name].admin));
}

/** What each role may do. */
function letIn(data) {
  const name = pick(random, names);
  const { viewer, engineer, admin } = tokens.tenants[name];
  const { id } = pick(random, data[name].books);
  const as = (role, token) => client(config, role, bearer(token));
  const read = as('viewer', viewer)(ROUTES.getBook, { id });
  if (random() < 0.7) return read.ok;
  const created = as('engineer', engineer)(ROUTES.createBook, { json: newBook(Math.random, runAuthor(config)) });
  if (!created.ok) return false;
  return as('admin', admin)(ROUTES.deleteBook, { id: created.body.id }).ok && read.ok;
}

/** Nobody, and those who look like somebody. */
function unknownCaller(data) {
  const name = pick(random, names);
  const { viewer, admin } = tokens.tenants[name];
  const headers = pick(random, [
    {},
    bearer(tokens.revoked),
    bearer(admin.slice(0, -1) + (admin.endsWith('A') ? 'B' : 'A')),
    bearer(''),
    { Authorization: `Basic ${viewer}` },
    { 'X-Tenant-Name': name, 'X-User-Id': `${name}-admin` },
  ]);
  const { ok, response } = client(config, 'unknown-caller', headers)(refused(ROUTES.getBook, 401), { id: data[name].books[0].id });
  unauthorized.add(response.status === 401 ? 1 : 0);
  return check(response, { 'a 401 names its scheme': (res) => /^Bearer/.test(res.headers['Www-Authenticate'] || '') }) && ok;
}

/** Known, and not for this. */
function withoutRight(data) {
  const [name, other] = random() < 0.5 ? names : [names[1], names[0]];
  const { viewer, engineer } = tokens.tenants[name];
  const { id } = pick(random, data[name].books);
  const [token, route, call, claims] = pick(random, [
    [viewer, ROUTES.createBook, { json: newBook(random, runAuthor(config)) }, {}],
    [viewer, ROUTES.generateSummary, { id }, {}],
    [engineer, ROUTES.deleteBook, { id }, {}],
    [engineer, ROUTES.getBook, { id }, { 'X-Tenant-Name': other }],
    [viewer, ROUTES.getBook, { id }, { 'X-User-Id': 'somebody-else' }],
  ]);
  const { ok, response } = client(config, 'without-right', { ...bearer(token), ...claims })(refused(route, 403), call);
  forbidden.add(response.status === 403 ? 1 : 0);
  return ok;
}

/** The books of another tenant are not there, whatever one tries. */
function stranger(data) {
  const [name, other] = random() < 0.5 ? names : [names[1], names[0]];
  const send = client(config, 'stranger', bearer(tokens.tenants[name].admin));
  const route = pick(random, [ROUTES.getBook, ROUTES.deleteBook]);
  const { ok, response } = send(refused(route, 404), { id: pick(random, data[other].books).id });
  hidden.add(response.status === 404 ? 1 : 0);
  return ok;
}

function refused(route, status) {
  return expecting(route, status, isProblem, { routeClass: 'refused', uncounted: true });
}
