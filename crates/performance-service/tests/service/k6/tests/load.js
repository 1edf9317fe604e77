// Runs for a minute: long enough to be stopped.
import http from 'k6/http';
import { check, sleep } from 'k6';

export const options = {
  vus: 1,
  duration: '60s',
  thresholds: { http_reqs: ['count>0'] },
};

export function setup() {
  console.log(`scenario ${__ENV.SCENARIO}`);
}

export default function () {
  const seen = `vu=${__VU}&scenario=${__ENV.SCENARIO}&count=${__ENV.COUNT || ''}`;
  const reply = http.get(`${__ENV.BASE_URL}/work?${seen}`, { tags: { name: 'GET /work' } });
  check(reply, { 'status is 200': (r) => r.status === 200, '<b>bold</b>': (r) => r.status < 500 });
  sleep(0.05);
}
