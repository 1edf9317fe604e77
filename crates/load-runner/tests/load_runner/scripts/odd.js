// Names and tags with everything that a line of JSON or CSV could stumble over.
import http from 'k6/http';
import exec from 'k6/execution';
import { check, group } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const trend = new Trend('odd_trend');
const time = new Trend('odd_time', true);
const counter = new Counter('odd_counter');
const gauge = new Gauge('odd_gauge');
const rate = new Rate('odd_rate');

const names = [
  'plain', '', ' led by a space', 'a, b', 'a "word"', '"', 'two\nlines, "quoted"\n', 'a;b\tc\\n', 'ä \u2028 \u{1f600}',
  "'); throw 1", '</script>', '#hash', '=1+1', 'null',
];

export const options = { vus: 2, iterations: 300, thresholds: { http_reqs: ['count>0'] } };

export default function () {
  const name = names[exec.scenario.iterationInTest % names.length];
  exec.vu.metrics.metadata.trace_id = exec.scenario.iterationInTest.toString(16).padStart(32, '0');
  group(`group ${name}`, () => {
    group('within, it', () => {
      const tags = { name, route_class: name, custom: `${name} & more`, journey: 'reader' };
      const response = http.get(`${__ENV.BASE_URL}/ok?name=${encodeURIComponent(name)}&b=1`, { tags });
      check(response, { [`it ${name} holds`]: (r) => r.status === 200, [`${name} not`]: () => false });
    });
  });
  trend.add(exec.scenario.iterationInTest * 1.25, { name, other: name });
  time.add(exec.scenario.iterationInTest / 8);
  counter.add(3, { name });
  gauge.add(-exec.scenario.iterationInTest);
  rate.add(exec.scenario.iterationInTest % 3 === 0, { custom: name });
}
