// A steady small load with a setup, long enough to be watched.
import http from 'k6/http';
import { check, sleep } from 'k6';

export const options = { vus: 2, duration: '12s' };

export function setup() {
  http.get(`${__ENV.BASE_URL}/health/ready`, { tags: { name: 'setup' } });
  sleep(1.5);
}

export default function () {
  const reply = http.get(`${__ENV.BASE_URL}/health/live`, { tags: { name: 'GET /health/live' } });
  check(reply, { 'status is 200': ({ status }) => status === 200 });
  sleep(0.05);
}
