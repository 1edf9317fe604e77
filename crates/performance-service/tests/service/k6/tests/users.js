// Two users who wait for their answers, and are given no time when theirs is over.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    load: { executor: 'constant-vus', vus: 2, duration: '15s', gracefulStop: '0s' },
  },
};

export default function () {
  http.get(`${__ENV.BASE_URL}/work`, { tags: { name: 'GET /work' } });
  sleep(0.05);
}
