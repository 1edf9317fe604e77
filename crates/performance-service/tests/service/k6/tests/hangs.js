// Hangs in its teardown.
import http from 'k6/http';

export const options = { vus: 1, iterations: 1, teardownTimeout: '10m' };

export default function () {
  http.get(`${__ENV.BASE_URL}/work`);
}

export function teardown() {
  http.get(`${__ENV.BASE_URL}/work?teardown`);
  for (;;) { /* until k6 is killed */ }
}
