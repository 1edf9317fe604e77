// Every kind of metric, with values of both signs, checks that fail, a group, setup and teardown.
import http from 'k6/http';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const numbers = new Trend('numbers');
const times = new Trend('times', true);
const bytes = new Counter('bytes');
const level = new Gauge('level');
const odd = new Rate('odd');
const start = JSON.parse(open('./data/start.json')).start;

export const options = {
  vus: 2,
  iterations: 2000,
  thresholds: {
    http_reqs: ['count>0'],
    numbers: ['p(95)<1000000'],
    'http_req_duration{name:even}': ['p(99)<5000', { threshold: 'avg<5000', abortOnFail: true }],
    'times{half:lower}': ['max<600'],
  },
};

export function setup() {
  http.get(`${__ENV.BASE_URL}/ok`);
}

export default function () {
  const turn = start + __ITER;
  const name = turn % 2 === 0 ? 'even' : 'odd';
  group(name, () => {
    const response = http.get(`${__ENV.BASE_URL}/ok?turn=${turn}`, { tags: { name, route_class: 'catalogue', journey: 'reader' } });
    check(response, { 'status is 200': (r) => r.status === 200, 'turn is even': () => name === 'even' });
  });
  numbers.add((turn - 100) * 1.37);
  times.add(turn * 7.001, { half: turn < 80 ? 'lower' : 'upper' });
  bytes.add(turn);
  level.add(turn % 17);
  odd.add(name === 'odd');
}

export function teardown() {
  http.get(`${__ENV.BASE_URL}/ok`);
}
