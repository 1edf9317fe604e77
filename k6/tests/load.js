// Question: do the catalogue's latencies and errors stay within their limits under the expected load?
// Model:    closed; readers, librarians and managers think 1 to 3 s between requests (MODEL=open: arrivals).
// Load:     SCENARIO=load: up to 10 users for 10 minutes; stress, spike, soak and volume fit too. SCALE shrinks it.
// Limits:   catalogue p95 < 2 s, p99 < 5 s; failed requests < 1 %; right answers > 99 % (other scenarios: thresholds.js).
// Reading:  compare percentiles per route name; a closed run that gets slower also asks less, so read the rate beside them.
import { sleep } from 'k6';
import exec from 'k6/execution';
import { Rate } from 'k6/metrics';
import { client, ROUTES } from '../lib/api.js';
import { newBook, SEARCH_WORDS } from '../lib/books.js';
import { readConfig } from '../lib/config.js';
import { cleanUp, prepare, runAuthor, seedAuthor } from '../lib/dataset.js';
import { generator, pick, pickWeighted } from '../lib/random.js';
import { suiteOptions, thinkSeconds } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';

/** Pages of ten that readers leaf through; a data set of the default size has five. */
const PAGES = 5;

const config = readConfig({ scenario: 'load', traceSample: 0.01 });
const operationFailed = new Rate('operation_failed');

export const options = suiteOptions(config, {
  routeClasses: ['catalogue'],
  // One request and two seconds of thinking.
  perMinute: 30,
  failures: 'operation_failed',
});

export const handleSummary = summaryOf(config);

/** What each kind of user does, with weights. */
const OPERATIONS = {
  reader: [[list, 5], [read, 4], [search, 3], [authors, 2]],
  librarian: [[list, 3], [create, 2], [replace, 2], [patch, 3], [read, 2]],
  manager: [[list, 3], [createAndDelete, 1], [replace, 2], [create, 2], [search, 2]],
};

/**
 * Of ten users seven read, two keep the catalogue, one runs the shop.
 * @type {[string, number][]}
 */
const USERS = [['reader', 7], ['librarian', 2], ['manager', 1]];

/** Made at the user's first iteration, since its number is not known earlier. */
let random;

export function setup() {
  return prepare(config);
}

/** @param {import('../lib/dataset.js').Dataset} dataset */
export default function (dataset) {
  random = random || generator(config.seed, exec.vu.idInTest);
  const journey = pickWeighted(random, USERS);
  const operation = pickWeighted(random, OPERATIONS[journey]);
  const { ok } = operation(client(config, journey), dataset);
  operationFailed.add(!ok, { journey });
  sleep(thinkSeconds(config, random, 1, 3));
}

export function teardown() {
  cleanUp(config);
}

function list(send) {
  return send(ROUTES.listBooks, { query: { page: 1 + Math.floor(random() * PAGES), pageSize: 10 } });
}

function read(send, { books }) {
  return send(ROUTES.getBook, { id: pick(random, books).id });
}

function search(send) {
  return send(ROUTES.searchBooks, { query: { query: pick(random, SEARCH_WORDS) } });
}

function authors(send) {
  return send(ROUTES.listAuthors, { query: { page: 1, pageSize: 10 } });
}

/** Not from the seeded generator: a run that was killed leaves its books, and their ISBNs must not come again. */
function create(send) {
  return send(ROUTES.createBook, { json: newBook(Math.random, runAuthor(config)) });
}

function replace(send, { books }) {
  const { id, isbn } = pick(random, books);
  return send(ROUTES.replaceBook, { id, json: { ...newBook(random, seedAuthor(config)), isbn } });
}

function patch(send, { books }) {
  const change = { price: Math.round(1000 + random() * 4000) / 100, stockQuantity: Math.floor(random() * 200) };
  return send(ROUTES.patchBook, { id: pick(random, books).id, json: change });
}

/** Only a book that nobody else reads is deleted, so that no other user meets a 404. */
function createAndDelete(send) {
  const created = create(send);
  return created.ok ? send(ROUTES.deleteBook, { id: created.body.id }) : created;
}
