/**
 * The books that a run works on. A data set belongs to its seed: it is made once and
 * found again by later runs, so repeating a run neither collides with unique ISBNs nor
 * lets the store grow. Books that a run adds carry its test id and are removed at its end.
 */
import { fail } from 'k6';
import { ROUTES, expecting, setupClient } from './api.js';
import { newBook } from './books.js';
import { generator } from './random.js';

/** The largest page of the API. */
const PAGE_SIZE = 100;

/** Well below the API's limits of 1,000 books and 4 MiB. */
const BULK_SIZE = 500;

/** Twice the pages of the largest data set: a list that never ends must not keep setup busy. */
const MAX_PAGES = 200;

/** Looks for books that are missing: one finds none, a second what another run has added meanwhile. */
const LOOKS = 3;

/** Adds books, unless one of them is there already: then none of them. */
const ADD_BOOKS = expecting(ROUTES.createBooks, [200, 409], (body) => (
  body !== null && (body.status === 409 || ROUTES.createBooks.shape(body))
));

/** Pages that a clean-up removes: 5,000 books fit into the teardown's minute, a soak leaves the rest. */
const CLEAN_UP_PAGES = 50;

/**
 * @typedef {object} Dataset
 * @property {{id: string, isbn: string}[]} books that no run deletes
 * @property {string[]} authorIds
 */

/** @param {import('./config.js').Config} config */
export function seedAuthor(config) {
  return `Load seed ${config.seed}`;
}

/** @param {import('./config.js').Config} config */
export function runAuthor(config) {
  return `Load run ${config.testId}`;
}

/**
 * Makes sure that the data set exists and returns its ids.
 * @param {import('./config.js').Config} config
 * @param {Record<string, string>} [headers] of each call, such as who asks
 * @returns {Dataset}
 * @throws when the API does not answer or refuses; k6 ends with code 107
 */
export function prepare(config, headers) {
  const send = setupClient(config, headers);
  const must = (route, call) => {
    const answer = send(route, call);
    if (!answer.ok) {
      const reason = answer.response.error || `status ${answer.response.status}`;
      fail(`setup: ${route.method} ${route.path} at ${config.baseUrl} failed: ${reason}`);
    }
    return answer.body;
  };
  must(ROUTES.health);
  must(ROUTES.seedData);
  const wanted = wantedBooks(config);
  addMissing(config, send, must, wanted);
  const isbns = new Set(wanted.map((book) => book.isbn));
  const books = existing(config, must).filter((book) => isbns.has(book.isbn));
  if (books.length < wanted.length) fail(`setup: ${books.length} of ${wanted.length} books of the data set are in the list`);
  const authors = must(ROUTES.listAuthors, { query: { pageSize: PAGE_SIZE } }).authors;
  return { books, authorIds: authors.filter((author) => !/^Load run /.test(author.name)).map((author) => author.id) };
}

/**
 * Removes the books that this run added.
 * @param {import('./config.js').Config} config
 * @param {Record<string, string>} [headers] of each call, such as who asks
 */
export function cleanUp(config, headers) {
  const send = setupClient(config, headers);
  for (let page = 0; page < CLEAN_UP_PAGES; page += 1) {
    const answer = send(ROUTES.listBooks, { query: { author: runAuthor(config), pageSize: PAGE_SIZE } });
    if (!answer.ok) break;
    if (answer.body.books.length === 0) return;
    const removed = answer.body.books.map((book) => send(ROUTES.deleteBook, { id: book.id }).ok);
    // Stop rather than ask for the same page again and again.
    if (!removed.includes(true)) return;
  }
  console.warn(`teardown: books of ${runAuthor(config)} are left over`);
}

function wantedBooks(config) {
  const random = generator(config.seed);
  const books = new Map();
  while (books.size < config.count) {
    const book = newBook(random, seedAuthor(config));
    books.set(book.isbn, book);
  }
  return [...books.values()];
}

/** Another run of the same seed may add the same books meanwhile: a 409 is settled by looking again. */
function addMissing(config, send, must, wanted) {
  for (let look = 0; look < LOOKS; look += 1) {
    const present = new Set(existing(config, must).map((book) => book.isbn));
    const missing = wanted.filter((book) => !present.has(book.isbn));
    const answers = [];
    for (let from = 0; from < missing.length; from += BULK_SIZE) {
      answers.push(send(ADD_BOOKS, { json: missing.slice(from, from + BULK_SIZE) }));
    }
    const refused = answers.find(({ ok }) => !ok);
    if (refused) fail(`setup: ${ADD_BOOKS.path} failed: status ${refused.response.status} ${refused.response.error}`);
    if (answers.every(({ response }) => response.status === 200)) return;
  }
}

function existing(config, must) {
  const books = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const list = must(ROUTES.listBooks, { query: { author: seedAuthor(config), page, pageSize: PAGE_SIZE } });
    for (const { id, isbn } of list.books) books.push({ id, isbn });
    if (page >= list.totalPages) break;
  }
  return books;
}
