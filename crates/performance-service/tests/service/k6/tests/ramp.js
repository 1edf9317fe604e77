// Ramps up, stays, and ramps down.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    load: {
      executor: 'ramping-vus',
      startVUs: 1,
      gracefulRampDown: '0s',
      stages: [
        { duration: '2s', target: 3 },
        { duration: '3s', target: 3 },
        { duration: '1s', target: 0 },
      ],
    },
  },
};

export default function () {
  http.get(`${__ENV.BASE_URL}/work`, { tags: { name: 'GET /work' } });
  sleep(0.05);
}
