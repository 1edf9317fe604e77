// Asks for summaries, each of which costs money.
import http from 'k6/http';
import { check, sleep } from 'k6';

export const options = { vus: 1, duration: '2s', thresholds: { http_reqs: ['count>0'] } };

const params = { headers: { baggage: `test.id=${__ENV.TEST_ID}` }, tags: { name: 'summary' } };

export function setup() {
  http.post(`${__ENV.BASE_URL}/seed-data`);
  const page = http.get(`${__ENV.BASE_URL}/api/v1/books`).json();
  return page.books.map((book) => book.id);
}

export default function (ids) {
  const book = ids[__ITER % ids.length];
  const query = 'provider=claude&refresh=true';
  const reply = http.post(`${__ENV.BASE_URL}/api/v1/books/${book}/generate-summary?${query}`, null, params);
  check(reply, { 'status is 200': (r) => r.status === 200 });
  sleep(0.1);
}
