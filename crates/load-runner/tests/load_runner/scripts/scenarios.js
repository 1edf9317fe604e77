// A suite of two scenarios and no default function.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    first: { executor: 'constant-vus', vus: 20, duration: '10m', exec: 'first' },
    second: { executor: 'constant-arrival-rate', rate: 5, timeUnit: '1s', preAllocatedVUs: 5, duration: '10m', exec: 'second' },
  },
  thresholds: { 'http_reqs{scenario:first}': ['count>100000'], http_req_duration: ['p(95)<60000'] },
};

export function first() {
  http.post(`${__ENV.BASE_URL}/report`, JSON.stringify({ environment: __ENV, vu: __VU, ran: 'first' }));
  sleep(0.1);
}

export function second() {
  http.post(`${__ENV.BASE_URL}/report`, JSON.stringify({ environment: __ENV, vu: __VU, ran: 'second' }));
  sleep(0.1);
}
