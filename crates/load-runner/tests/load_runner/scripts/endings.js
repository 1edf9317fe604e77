// Ends in the way that SCENARIO names.
import http from 'k6/http';
import exec from 'k6/execution';
import { fail, sleep } from 'k6';

if (__ENV.SCENARIO === 'throw-at-init') throw new Error('thrown at init');

export const options = { vus: 1, duration: '30s' };
if (__ENV.SCENARIO === 'unknown-metric') options.thresholds = { nothing: ['count>0'] };
if (__ENV.SCENARIO === 'crossed') Object.assign(options, { duration: '1s', thresholds: { http_reqs: ['count<0'] } });
if (__ENV.SCENARIO === 'silent') options.duration = '1s';
if (__ENV.SCENARIO === 'throw-always') options.duration = '1s';
if (__ENV.SCENARIO === 'too-slow') {
  delete options.vus;
  delete options.duration;
  options.scenarios = { asked: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', preAllocatedVUs: 1, duration: '2s' } };
}
if (__ENV.SCENARIO === 'too-many') options.vus = 1001;
if (__ENV.SCENARIO === 'too-long') options.duration = '5h';
if (__ENV.SCENARIO === 'hang-at-init') for (;;) { /* until k6 is killed */ }

export function setup() {
  if (__ENV.SCENARIO === 'throw-in-setup') fail('thrown in setup');
}

export default function () {
  if (__ENV.SCENARIO === 'abort') exec.test.abort('aborted by the script');
  if (__ENV.SCENARIO !== 'silent') http.get(`${__ENV.BASE_URL}/ok`);
  sleep(0.05);
  if (__ENV.SCENARIO === 'throw-always') throw new Error('thrown always');
}

export function teardown() {
  if (__ENV.SCENARIO === 'slow-teardown') sleep(60);
}
