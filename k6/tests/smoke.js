// Question: does each route of the API answer, rightly, when next to nobody asks?
// Model:    closed; one user walks through every route, then waits a second (MODEL=open: arrivals).
// Load:     SCENARIO=smoke: 1 user for 2 minutes. SCALE=0.1 makes 12 seconds of it.
// Limits:   per route class p95 < 3 s, p99 < 8 s; failed requests < 2 %; right answers > 98 %.
// Reading:  a crossed check rate names the route and whether its status or its shape is wrong.
import { sleep } from 'k6';
import exec from 'k6/execution';
import { Rate } from 'k6/metrics';
import { client, ROUTES } from '../lib/api.js';
import { newAuthor, newBook, SEARCH_WORDS } from '../lib/books.js';
import { readConfig } from '../lib/config.js';
import { cleanUp, prepare, runAuthor, seedAuthor } from '../lib/dataset.js';
import { pick } from '../lib/random.js';
import { suiteOptions, thinkSeconds } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';

const config = readConfig({ scenario: 'smoke', traceSample: 1 });
const journeyFailed = new Rate('journey_failed');

export const options = suiteOptions(config, {
  routeClasses: ['catalogue', 'ops'],
  // Eighteen requests of a few milliseconds and a second of waiting.
  perMinute: 50,
  failures: 'journey_failed',
});

export const handleSummary = summaryOf(config);

export function setup() {
  return prepare(config);
}

/** @param {import('../lib/dataset.js').Dataset} dataset */
export default function (dataset) {
  journey('operations', [health, metrics, providers]);
  journey('reader', [
    (send) => send(ROUTES.listBooks, { query: { page: 1, pageSize: 10 } }),
    (send) => send(ROUTES.getBook, { id: turn(dataset.books).id }),
    (send) => send(ROUTES.searchBooks, { query: { query: pick(Math.random, SEARCH_WORDS) } }),
    (send) => send(ROUTES.listAuthors, { query: { page: 1, pageSize: 10 } }),
    (send) => send(ROUTES.getAuthor, { id: turn(dataset.authorIds) }),
  ]);
  journey('librarian', [(send) => editShared(send, turn(dataset.books))]);
  journey('manager', [wholeBook, wholeAuthor]);
  sleep(thinkSeconds(config, Math.random, 1, 1));
}

export function teardown() {
  cleanUp(config);
}

function journey(name, steps) {
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

function editShared(send, { id, isbn }) {
  const replaced = send(ROUTES.replaceBook, { id, json: { ...newBook(Math.random, seedAuthor(config)), isbn } });
  const patched = send(ROUTES.patchBook, { id, json: { stockQuantity: exec.scenario.iterationInTest % 100 } });
  return { ok: replaced.ok && patched.ok };
}

/** From its creation to its removal, with what was written read back in between. */
function wholeBook(send) {
  const created = send(ROUTES.createBook, { json: newBook(Math.random, runAuthor(config)) });
  if (!created.ok) return created;
  const { id, title } = created.body;
  const read = send(ROUTES.getBook, { id });
  const removed = send(ROUTES.deleteBook, { id });
  return { ok: read.ok && read.body.title === title && removed.ok };
}

function wholeAuthor(send) {
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
