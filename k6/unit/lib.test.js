// The parts of lib/ that need no k6: run by `node --test`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isbn13, newBook } from '../lib/books.js';
import { readConfig } from '../lib/config.js';
import { PRESETS, presetName } from '../lib/presets.js';
import { droppedLimit, presetSeconds, rateAt, scenarios } from '../lib/profiles.js';
import { evenly, generator, logNormal, logNormalMean, pickWeighted, zipf } from '../lib/random.js';
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
    assert.match(isbn, /^979[1-9]\d{9}$/);
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

test('nine of ten log-normal numbers lie between their bounds, and their mean is known', () => {
  const random = generator(9);
  const numbers = Array.from({ length: 20000 }, () => logNormal(random, 1, 3));
  const within = numbers.filter((number) => number >= 1 && number <= 3).length;
  assert.ok(Math.abs(within / 20000 - 0.9) < 0.01, String(within));
  const mean = numbers.reduce((sum, number) => sum + number, 0) / 20000;
  assert.ok(Math.abs(mean - logNormalMean(1, 3)) < 0.02, String(mean));
  assert.ok(Math.max(...numbers) <= 12);
});

test('the first of the popular is asked for twice as often as the second', () => {
  const random = generator(11);
  const popular = zipf(100);
  const counts = new Array(100).fill(0);
  for (let i = 0; i < 50000; i += 1) counts[popular(random)] += 1;
  assert.ok(Math.abs(counts[0] / counts[1] - 2) < 0.15, `${counts[0]} ${counts[1]}`);
  assert.ok(counts[99] > 0);
  assert.equal(zipf(1)(random), 0);
});

test('SCENARIO picks a preset of the suite; the service may name its own six', () => {
  const ai = ['llmsmoke', 'llmload'];
  assert.equal(presetName('load', ai), 'llmload');
  assert.equal(presetName('llmload', ai), 'llmload');
  assert.equal(presetName('soak', ai), 'llmsmoke');
  assert.equal(presetName('load', ['stress', 'p015-stress']), 'stress');
  assert.equal(presetName('p015-stress', ['stress', 'p015-stress']), 'p015-stress');
  assert.throws(() => presetName('smok', ai), /SCENARIO=smok.*llmsmoke, llmload/);
});

test('presets take the time that their names promise', () => {
  const minutes = { 'p015-smoke': 1, 'p015-load': 14, 'p015-stress': 27, 'p015-spike': 4, 'p015-soak': 30,
    'connect-smoke': 0.5, 'connect-ai': 13, 'connect-mixed': 27, 'connect-breaker': 3.5,
    'gen-smoke': 2, 'gen-stress': 17, 'gen-spike': 7, soak: 30 };
  for (const [name, expected] of Object.entries(minutes)) assert.equal(presetSeconds(name, 1), expected * 60, name);
});

/** Loads that climb to their peak and leave it at once: their report judges all of them, ramps included. */
const WITHOUT_PLATEAU = ['breakpoint', 'chaos', 'extreme', 'errortest', 'llmsmoke', 'gen-stress', 'comprehensive', 'auth', 'connect-mixed'];

test('every other preset stays at its peak for a while', () => {
  for (const [name, { stages, steady }] of Object.entries(PRESETS)) {
    const peak = Math.max(...stages.map(([, users]) => users));
    const stays = stages.some(([, users], index) => users === peak && (index === 0 ? steady : stages[index - 1][1] === peak));
    assert.equal(Boolean(stays), !WITHOUT_PLATEAU.includes(name), name);
  }
});

test('the rate of a preset is known at any time', () => {
  const config = readConfig(DEFAULTS, {});
  const rates = [0, 300, 600, 700].map((seconds) => rateAt(config, 'breakpoint', 120, seconds));
  assert.deepEqual(rates, [0, 999, 1998, 1998]);
  assert.equal(rateAt(config, 'load', 60, 60), 5);
});

test('an open run with a most has all its users from the begin', () => {
  const config = readConfig(DEFAULTS, { MODEL: 'open' });
  const { breakpoint } = scenarios(config, 'breakpoint', { perMinute: 120, slowSeconds: 2, mostUsers: 999 });
  assert.deepEqual([breakpoint.preAllocatedVUs, breakpoint.maxVUs], [999, 999]);
});

test('every preset keeps its shape when it is scaled down', () => {
  for (const [name, { stages }] of Object.entries(PRESETS)) {
    const config = readConfig(DEFAULTS, { SCALE: '0.5' });
    const scaled = scenarios(config, name, PACE)[name].stages;
    assert.equal(scaled.length, stages.length, name);
    for (const [index, [seconds, users]] of stages.entries()) {
      assert.equal(scaled[index].target > 0, users > 0, name);
      assert.ok(Number(scaled[index].duration.slice(0, -1)) <= Math.max(1, seconds), name);
    }
  }
});

test('a steady preset begins with its load, under both models', () => {
  const closed = scenarios(readConfig(DEFAULTS, {}), 'regression', PACE).regression;
  assert.equal(closed.startVUs, closed.stages[0].target);
  const open = readConfig({ ...DEFAULTS, model: 'open' }, {});
  const arrivals = scenarios(open, 'regression', PACE).regression;
  assert.equal(arrivals.startRate, arrivals.stages[0].target);
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

test('a limit that no request can reach before its deadline is no threshold', () => {
  assert.deepEqual(thresholds('spike', ['catalogue'])['http_req_duration{route_class:catalogue}'], ['p(95)<8000']);
  assert.deepEqual(thresholds('mixedheavy', ['ai'])['http_req_duration{route_class:ai}'], ['p(95)<12000', 'p(99)<18000']);
});

test('Server-Timing durations are read by name', () => {
  assert.deepEqual(serverTiming('queue;dur=0.1, cache;desc="hit", ttft;desc=x;dur="182.4"'), { queue: 0.1, ttft: 182.4 });
  assert.deepEqual(serverTiming(undefined), {});
});

test('even choices have their shares from the beginning', () => {
  for (const count of [10, 20, 100]) {
    const chosen = Array.from({ length: count }, (_, index) => evenly(index)).filter((number) => number < 0.2).length;
    assert.ok(Math.abs(chosen - count / 5) <= 1, `${chosen} of ${count}`);
  }
});
