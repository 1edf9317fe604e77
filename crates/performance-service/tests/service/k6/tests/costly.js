// Reports what a model would have cost: a tenth of a simulated dollar each time.
import http from 'k6/http';
import { Counter } from 'k6/metrics';

const cost = new Counter('ai_cost_simulated_pico_usd');

export const options = { vus: 1, duration: '1s' };

export default function () {
  http.get(`${__ENV.BASE_URL}/work`, { tags: { name: 'GET /work' } });
  cost.add(1e11);
}
