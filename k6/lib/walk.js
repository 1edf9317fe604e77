/** A walk through every route: each is asked once, and what is written is read back. */
import { sleep } from 'k6';
import exec from 'k6/execution';
import { Rate } from 'k6/metrics';
import { client, ROUTES } from './api.js';
import { newAuthor, newBook, SEARCH_WORDS } from './books.js';
import { runAuthor, seedAuthor } from './dataset.js';
import { pick } from './random.js';

const journeyFailed = new Rate('journey_failed');

/** Twenty requests of a few milliseconds and a second of waiting. */
export const WALKS_PER_MINUTE = 50;

/**
 * One user walks through every route, then waits a second.
 * @param {import('./config.js').Config} config
 * @param {import('./dataset.js').Dataset} dataset
 */
export function walk(config, dataset) {
  journey(config, 'operations', [health, metrics, providers]);
  journey(config, 'reader', [
    (send) => send(ROUTES.listBooks, { query: { page: 1, pageSize: 10 } }),
    (send) => send(ROUTES.getBook, { id: turn(dataset.books).id }),
    (send) => send(ROUTES.searchBooks, { query: { query: pick(Math.random, SEARCH_WORDS) } }),
    (send) => send(ROUTES.listAuthors, { query: { page: 1, pageSize: 10 } }),
    (send) => send(ROUTES.getAuthor, { id: turn(dataset.authorIds) }),
  ]);
  journey(config, 'librarian', [(send) => editShared(send, config, turn(dataset.books)), (send) => twoBooks(send, config)]);
  journey(config, 'manager', [(send) => wholeBook(send, config), (send) => wholeAuthor(send, config)]);
  sleep(exec.scenario.executor.endsWith('arrival-rate') ? 0 : 1);
}

function journey(config, name, steps) {
  const send = client(config, name);
  for (const step of steps) journeyFailed.add(!step(send).ok, { journey: name });
}

const health = (send) => send(ROUTES.health);
const metrics = (send) => send(ROUTES.metrics);
const providers = (send) => send(ROUTES.listProviders);

/** Each iteration takes the next one, so that a long run visits the whole data set. */
function turn(items) {
  return items[exec.scenario.iterationInTest % items.length];
}

function editShared(send, config, { id, isbn }) {
  const replaced = send(ROUTES.replaceBook, { id, json: { ...newBook(Math.random, seedAuthor(config)), isbn } });
  const patched = send(ROUTES.patchBook, { id, json: { stockQuantity: exec.scenario.iterationInTest % 100 } });
  return { ok: replaced.ok && patched.ok };
}

/** Both are removed at once, so that a long walk does not fill the store. */
function twoBooks(send, config) {
  const json = [newBook(Math.random, runAuthor(config)), newBook(Math.random, runAuthor(config))];
  const created = send(ROUTES.createBooks, { json });
  if (!created.ok) return created;
  const removed = created.body.books.map(({ id }) => send(ROUTES.deleteBook, { id }).ok);
  return { ok: removed.length === 2 && !removed.includes(false) };
}

/** From its creation to its removal, with what was written read back in between. */
function wholeBook(send, config) {
  const created = send(ROUTES.createBook, { json: newBook(Math.random, runAuthor(config)) });
  if (!created.ok) return created;
  const { id, title } = created.body;
  const read = send(ROUTES.getBook, { id });
  const removed = send(ROUTES.deleteBook, { id });
  return { ok: read.ok && read.body.title === title && removed.ok };
}

function wholeAuthor(send, config) {
  const name = runAuthor(config);
  const created = send(ROUTES.createAuthor, { json: newAuthor(Math.random, name) });
  if (!created.ok) return created;
  const { id } = created.body;
  const replaced = send(ROUTES.replaceAuthor, { id, json: newAuthor(Math.random, name) });
  const patched = send(ROUTES.patchAuthor, { id, json: { nationality: 'Welsh' } });
  const read = send(ROUTES.getAuthor, { id });
  const removed = send(ROUTES.deleteAuthor, { id });
  return { ok: [replaced, patched, read, removed].every((answer) => answer.ok) && read.body.nationality === 'Welsh' };
}
