// Takes memory until it is stopped.
import http from 'k6/http';

export const options = { vus: 1, duration: '30s' };

const kept = [];

export default function () {
  http.get(`${__ENV.BASE_URL}/work`);
  for (let count = 0; count < 20; count += 1) kept.push('x'.repeat(1 << 18).split(''));
}
