// Reports who runs which part of the script, and what setup gave to it.
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';

const report = (part, value) =>
  http.post(`${__ENV.BASE_URL}/report`, JSON.stringify({ part, value, vu: exec.vu.idInTest }));

export function setup() {
  report('setup');
  return { made: 'by setup "once"' };
}

export default function (value) {
  report('load', value);
  sleep(0.1);
}

export function teardown(value) {
  report('teardown', value);
}
