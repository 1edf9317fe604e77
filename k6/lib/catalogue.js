/** What people do in the catalogue: readers, librarians and managers, one request after the other. */
import { sleep } from 'k6';
import exec from 'k6/execution';
import { Rate } from 'k6/metrics';
import { client, ROUTES } from './api.js';
import { newBook, SEARCH_WORDS } from './books.js';
import { runAuthor, seedAuthor } from './dataset.js';
import { generator, pick, pickWeighted, zipf } from './random.js';
import { thinkSeconds } from './users.js';

/** Pages of ten that readers leaf through; a data set of the default size has five. */
const PAGES = 5;

const operationFailed = new Rate('operation_failed');

/** What each kind of user does, with weights: those of the original suites. */
const OPERATIONS = {
  reader: [[list, 5], [read, 4], [search, 3], [authors, 2]],
  librarian: [[list, 3], [create, 2], [replace, 2], [patch, 3], [read, 2]],
  manager: [[list, 3], [createAndDelete, 1], [replace, 2], [create, 2], [search, 2]],
};

/**
 * Of ten visits seven read, two keep the catalogue, one runs the shop: k6's users take turns in these parts.
 * @type {ReadonlyArray<readonly [string, number]>}
 */
const USERS = [['reader', 7], ['librarian', 2], ['manager', 1]];

/**
 * @typedef {object} Visit what an operation works with
 * @property {import('./config.js').Config} config
 * @property {import('./dataset.js').Dataset} dataset
 * @property {() => number} random
 * @property {import('./api.js').Send} send
 */

/** Made at a user's first visit, since its number is not known earlier. */
let random;
let popular;

/**
 * One user comes, asks for one thing, and thinks.
 * @param {import('./config.js').Config} config
 * @param {import('./dataset.js').Dataset} dataset
 * @param {{temper?: string, tidy?: boolean}} [how] of which temper all users are; tidy: who makes a
 *   book takes it away at once, for loads that would otherwise leave more than a clean-up can remove
 */
export function visitCatalogue(config, dataset, { temper, tidy = false } = {}) {
  random = random || generator(config.seed, exec.vu.idInTest);
  popular = popular || zipf(dataset.books.length);
  const journey = pickWeighted(random, USERS);
  const operation = pickWeighted(random, OPERATIONS[journey]);
  const { ok } = (tidy && operation === create ? createAndDelete : operation)({ config, dataset, random, send: client(config, journey) });
  operationFailed.add(!ok, { journey });
  sleep(thinkSeconds(random, temper));
}

function list({ send, random: draw }) {
  return send(ROUTES.listBooks, { query: { page: 1 + Math.floor(draw() * PAGES), pageSize: 10 } });
}

function read({ send, random: draw, dataset }) {
  return send(ROUTES.getBook, { id: dataset.books[popular(draw)].id });
}

function search({ send, random: draw }) {
  return send(ROUTES.searchBooks, { query: { query: pick(draw, SEARCH_WORDS) } });
}

function authors({ send }) {
  return send(ROUTES.listAuthors, { query: { page: 1, pageSize: 10 } });
}

/** Not from the seeded generator: a run that was killed leaves its books, and their ISBNs must not come again. */
function create({ send, config }) {
  return send(ROUTES.createBook, { json: newBook(Math.random, runAuthor(config)) });
}

function replace({ send, config, random: draw, dataset }) {
  const { id, isbn } = pick(draw, dataset.books);
  return send(ROUTES.replaceBook, { id, json: { ...newBook(draw, seedAuthor(config)), isbn } });
}

function patch({ send, random: draw, dataset }) {
  const change = { price: Math.round(1000 + draw() * 4000) / 100, stockQuantity: Math.floor(draw() * 200) };
  return send(ROUTES.patchBook, { id: pick(draw, dataset.books).id, json: change });
}

/** Only a book that nobody else reads is deleted, so that no other user meets a 404. */
function createAndDelete(visit) {
  const created = create(visit);
  return created.ok ? visit.send(ROUTES.deleteBook, { id: created.body.id }) : created;
}
