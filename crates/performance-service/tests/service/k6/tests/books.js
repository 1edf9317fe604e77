// Asks a real API for books, or for summaries that its model must write.
import http from 'k6/http';
import exec from 'k6/execution';
import { check, sleep } from 'k6';

export const options = { vus: 1, duration: '10s' };

/** Books of each user: two users who ask for the same summary at once would share its answer. */
const BOOKS_PER_USER = 4;
const MOST_USERS = 8;

export function setup() {
  const ids = [];
  for (let number = 0; number < MOST_USERS * BOOKS_PER_USER; number += 1) {
    const body = JSON.stringify({ title: `Book ${number}`, author: 'An Author' });
    const made = http.post(`${__ENV.BASE_URL}/api/v1/books`, body, { headers: { 'Content-Type': 'application/json' } });
    ids.push(made.json('id'));
  }
  return ids;
}

export default function (ids) {
  const id = ids[(__VU - 1) * BOOKS_PER_USER + (exec.vu.iterationInScenario % BOOKS_PER_USER)];
  const book = `${__ENV.BASE_URL}/api/v1/books/${id}`;
  const reply = __ENV.PROVIDER
    ? http.post(`${book}/generate-summary?refresh=true&provider=${__ENV.PROVIDER}`)
    : http.get(book);
  check(reply, { 'status is 200': (r) => r.status === 200 });
  // Enough to see where the time goes, and little enough that processors are not where.
  if (!__ENV.PROVIDER) sleep(0.1);
}
