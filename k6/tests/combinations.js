// Question: does each of some thousand combinations of data and route get the answer that the contract promises?
// Model:    neither; four users share the cases, each of which is sent once, as fast as answers come.
// Load:     every case once, about half a minute; SCALE=0.1 takes every tenth.
// Limits:   every status, shape and kept value right; no request failed; all cases within 5 minutes.
// Reading:  the log names the wrong cases; the journeys are the crossed dimensions: texts, lengths, values, ids and so on.
import { fail } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate } from 'k6/metrics';
import { client, ROUTES, setupClient } from '../lib/api.js';
import { isbn13 } from '../lib/books.js';
import { logWrong } from '../lib/checks.js';
import { combinations } from '../lib/combinations.js';
import { readConfig } from '../lib/config.js';
import { runAuthor } from '../lib/dataset.js';
import { isAuthor, isBook, isInvalidField, isLabError, isPageOf, isProblem, isSearchResult } from '../lib/shapes.js';
import { runOptions } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';

const USERS = 4;

const config = readConfig({ scenario: 'combinations', traceSample: 0.01 });
const step = Math.round(1 / config.scale);
const cases = combinations().filter((_, index) => index % step === 0);

const combinationWrong = new Rate('combination_wrong');
const tried = new Counter('combinations');

export const options = {
  ...runOptions(config),
  scenarios: {
    combinations: { executor: 'shared-iterations', vus: USERS, iterations: cases.length, maxDuration: '5m' },
  },
  thresholds: {
    combinations: [`count>=${cases.length}`],
    combination_wrong: ['rate==0'],
    checks: ['rate==1'],
    http_req_failed: ['rate==0'],
  },
};

export const handleSummary = summaryOf(config);

const ENTITY = { books: isBook, authors: isAuthor };
const PAGE = { books: isPageOf('books', isBook), authors: isPageOf('authors', isAuthor) };

/**
 * What the shapes of a case mean.
 * @type {Record<string, (one: import('../lib/combinations.js').Case) => (body: any) => boolean>}
 */
const SHAPES = {
  entity: ({ resource }) => ENTITY[resource],
  page: ({ resource }) => PAGE[resource],
  list: () => isSearchResult,
  invalid: () => isInvalidField,
  problem: () => isProblem,
  lab: () => isLabError,
};

/** A book and an author that the writes of all cases change. */
export function setup() {
  const send = setupClient(config);
  const name = runAuthor(config);
  const made = {
    books: send(ROUTES.createBook, { json: { title: 'A combination', author: name } }),
    authors: send(ROUTES.createAuthor, { json: { name } }),
  };
  for (const { ok, response } of Object.values(made)) {
    if (!ok) fail(`setup: nothing can be made at ${config.baseUrl}: ${response.error || `status ${response.status}`}`);
  }
  return { books: made.books.body.id, authors: made.authors.body.id };
}

/** @param {{books: string, authors: string}} ours */
export default function (ours) {
  const one = cases[exec.scenario.iterationInTest % cases.length];
  const send = client(config, one.dimension);
  /** @type {import('../lib/api.js').Route} */
  const route = { method: one.method, path: one.path, routeClass: 'catalogue', status: one.status, shape: SHAPES[one.shape](one) };
  const id = one.id === 'OURS' ? ours[one.resource] : one.id;
  const [json, kept] = filled(one);
  const { ok, body } = send(route, { ...one, id, json });
  const right = ok && (!one.keeps || body[one.keeps[0]] === kept);
  if (!right) logWrong(`${one.name}: expected ${one.status}${one.keeps ? ` with ${JSON.stringify(kept)}` : ''}, got ${JSON.stringify(body)}`);
  combinationWrong.add(!right, { dimension: one.dimension });
  tried.add(1);
  if (one.status === 201 && ok) send(ROUTES[one.resource === 'books' ? 'deleteBook' : 'deleteAuthor'], { id: body.id });
}

export function teardown({ books, authors }) {
  const send = setupClient(config);
  send(ROUTES.deleteBook, { id: books });
  send(ROUTES.deleteAuthor, { id: authors });
}

/**
 * UNIQUE in a case becomes a book number that nobody has.
 * @param {import('../lib/combinations.js').Case} one
 */
function filled({ json, keeps }) {
  const isbn = json && json.isbn === 'UNIQUE' ? isbn13(Math.random) : null;
  return isbn ? [{ ...json, isbn }, isbn] : [json, keeps && keeps[1]];
}
