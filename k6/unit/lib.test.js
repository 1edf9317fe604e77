// The parts of lib/ that need no k6: run by `node --test`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isbn13, newBook } from '../lib/books.js';
import { readConfig } from '../lib/config.js';
import { droppedLimit, profileName, scenarios } from '../lib/profiles.js';
import { generator, pickWeighted } from '../lib/random.js';
import { serverTiming } from '../lib/server-timing.js';
import { thresholds } from '../lib/thresholds.js';

const DEFAULTS = { scenario: 'smoke', traceSample: 1 };
const PACE = { perMinute: 30, slowSeconds: 2 };

test('config takes the defaults of the suite and overrides them by the environment', () => {
  const config = readConfig(DEFAULTS, { SCENARIO: 'Load', SCALE: '0.5', BASE_URL: 'https://host:1/base/', COUNT: '' });
  assert.deepEqual(
    [config.scenario, config.scale, config.baseUrl, config.count, config.traceSample],
    ['load', 0.5, 'https://host:1/base', 50, 1],
  );
});

for (const [name, value] of [
  ['BASE_URL', 'ftp://host'],
  ['BASE_URL', 'http://host?x=1'],
  ['TEST_ID', 'a,b=c'],
  ['MODEL', 'half'],
  ['SCALE', '0'],
  ['SCALE', 'NaN'],
  ['COUNT', '1.5'],
  ['SEED', '4294967296'],
  ['TRACE_SAMPLE', '1.01'],
  ['PROVIDER', 'nobody'],
]) {
  test(`config refuses ${name}=${value} and names it`, () => {
    assert.throws(() => readConfig(DEFAULTS, { [name]: value }), new RegExp(`^Error: ${name}=`));
  });
}

test('a password in BASE_URL is refused and not repeated', () => {
  assert.throws(() => readConfig(DEFAULTS, { BASE_URL: 'http://me:secret@host' }), (error) => !String(error).includes('secret'));
});

test('check digits of generated ISBNs are right', () => {
  const random = generator(1);
  for (let i = 0; i < 1000; i += 1) {
    const isbn = isbn13(random);
    assert.match(isbn, /^979\d{10}$/);
    const sum = [...isbn].reduce((total, digit, index) => total + Number(digit) * (index % 2 ? 3 : 1), 0);
    assert.equal(sum % 10, 0, isbn);
  }
});

test('one seed gives one book, another seed or stream another', () => {
  const first = newBook(generator(7), 'a');
  assert.deepEqual(newBook(generator(7), 'a'), first);
  assert.notDeepEqual(newBook(generator(8), 'a'), first);
  assert.notDeepEqual(newBook(generator(7, 1), 'a'), first);
});

test('random numbers are spread evenly', () => {
  const random = generator(3);
  const counts = new Array(10).fill(0);
  for (let i = 0; i < 10000; i += 1) counts[Math.floor(random() * 10)] += 1;
  // Ten standard deviations of a fair count of 1,000 are 300.
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 300, String(counts));
});

test('choices follow their weights', () => {
  const random = generator(5);
  let heavy = 0;
  for (let i = 0; i < 10000; i += 1) heavy += pickWeighted(random, [['heavy', 9], ['light', 1]]) === 'heavy' ? 1 : 0;
  assert.ok(heavy > 8700 && heavy < 9300, String(heavy));
});

test('an AI suite runs the AI shape of a scenario; an unknown one is refused', () => {
  assert.equal(profileName('smoke', true), 'llmsmoke');
  assert.equal(profileName('smoke', false), 'smoke');
  assert.throws(() => profileName('smok', false), /SCENARIO=smok.*smoke, load/);
});

test('scale shrinks time and load and keeps the shape', () => {
  const config = readConfig(DEFAULTS, { SCENARIO: 'load', SCALE: '0.1' });
  assert.deepEqual(scenarios(config, 'load', PACE).load.stages, [
    { duration: '6s', target: 1 },
    { duration: '18s', target: 1 },
    { duration: '30s', target: 1 },
    { duration: '6s', target: 0 },
  ]);
});

test('the open model asks as often as the users of the closed one', () => {
  const config = readConfig(DEFAULTS, { SCENARIO: 'load', MODEL: 'open' });
  const { load } = scenarios(config, 'load', PACE);
  assert.equal(load.executor, 'ramping-arrival-rate');
  assert.equal(Math.max(...load.stages.map((stage) => stage.target)), 300);
  // 5 arrivals a second of at most 2 s each.
  assert.equal(load.preAllocatedVUs, 10);
  // 4,800 user seconds at 30 a minute are 2,400 arrivals.
  assert.equal(droppedLimit(config, 'load', PACE), 2);
});

test('thresholds ask for at least one request of each judged class', () => {
  const limits = thresholds('smoke', ['catalogue', 'ops']);
  assert.deepEqual(limits['http_reqs{route_class:ops}'], ['count>0']);
  assert.deepEqual(limits['http_req_duration{route_class:catalogue}'], ['p(95)<3000', 'p(99)<8000']);
  assert.deepEqual(thresholds('llmload', ['ai']).http_req_failed, ['rate<0.05']);
});

test('Server-Timing durations are read by name', () => {
  assert.deepEqual(serverTiming('queue;dur=0.1, cache;desc="hit", ttft;desc=x;dur="182.4"'), { queue: 0.1, ttft: 182.4 });
  assert.deepEqual(serverTiming(undefined), {});
});
