// A suite tells the truth: what it reports is what the server saw, and the load is the one asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logNormalMean } from '../lib/random.js';
import { startFaultyApi } from './faulty-api.js';
import { runK6, setting } from './k6.js';

const SUMMARIES = /^http_server_request_duration_seconds_(bucket|sum|count)\{.*generate-summary.*status_code="200".*\} (\S+)$/gm;

/** What k6 sees beside the server: the way there and back, of 16 users at once on a busy machine. */
const WAY_SECONDS = 0.15;

/** As lib/users.js has it, which only k6 can read: an answer, and the thoughts of three tempers. */
const CATALOGUE_PER_MINUTE = 60 / (0.05 + (7 * logNormalMean(1, 3) + logNormalMean(5, 15) + 2 * logNormalMean(0.5, 1)) / 10);

/** Every answer takes as long as the other ones: 300 ms to its first token, then 50 times 10 ms. */
const EVEN = { name: 'even', timeToFirstTokenMs: { p50: 300, p95: 301 }, interTokenGapMs: { p50: 10, p95: 10.1 }, outputTokens: { min: 50, max: 50 }, prefillTokensPerSecond: null };

test('the percentiles of k6 are those of the server', async () => {
  const before = await control('profile');
  await control('profile', EVEN);
  try {
    const start = await seen();
    const { code, output, summary } = await runK6('ai-load', { env: { PROVIDER: 'claude' }, options: ['--vus', '16', '--duration', '8s'] });
    assert.equal(code, 0, output);
    const server = difference(await seen(), start);
    const { values } = summary.metrics['http_req_duration{route_class:ai}'];
    assert.equal(server.count, values.count);
    const mean = server.sum / server.count;
    assert.ok(values.avg / 1000 >= mean && values.avg / 1000 - mean < WAY_SECONDS, `${values.avg} ms, ${mean} s by the server`);
    for (const [stat, share] of [['p(50)', 0.5], ['p(95)', 0.95]]) {
      const [from, to] = bucketOf(server, Number(share));
      const seconds = values[stat] / 1000;
      assert.ok(seconds >= from && seconds <= to + WAY_SECONDS, `${stat} is ${seconds} s, by the server between ${from} and ${to}`);
    }
  } finally {
    await control('profile', before);
  }
});

test('the tokens and the money of calls that several share are counted once', async () => {
  const before = await booked();
  // One book for all: they share its calls.
  const { code, output, summary } = await runK6('ai-load', { env: { PROVIDER: 'claude', COUNT: '1' }, options: ['--vus', '6', '--duration', '6s'] });
  assert.equal(code, 0, output);
  const after = await booked();
  const { metrics } = summary;
  const count = (name) => metrics[name].values.count;
  assert.ok(count('ai_shared_answers') > 0, output);
  for (const type of ['input', 'output']) {
    const [told, known] = [count(`ai_tokens_${type}`), after[type] - before[type]];
    assert.ok(Math.abs(told - known) < 0.5, `${told} ${type} tokens, ${known} by the server`);
  }
});

test('a breaking point is told, and that none was found', async () => {
  const found = await runK6('breakpoint', { env: { SCALE: '0.015' } });
  assert.match(found.output, /^breaking point: not reached up to 30\/s$/m);
  const api = await startFaultyApi(setting('BOOKSTORE_URL'), [{ route: /^GET .*books\/[0-9a-f]{24}/, skip: 60, status: 500 }]);
  try {
    const { code, output, summary } = await runK6('breakpoint', { url: api.url, env: { SCALE: '0.05' } });
    assert.equal(code, 99, output);
    const [, rate] = /^breaking point: (\d+)\/s$/m.exec(output) || assert.fail(output);
    assert.ok(Number(rate) > 10 && Number(rate) < 90, `${rate}/s of 99`);
    assert.equal(summary.metrics.breakpoint_unbroken_per_second.values.max, 0);
    assert.equal(await books(summary.run.testId), 0, 'it leaves no books behind');
  } finally {
    await api.close();
  }
});

test('what prepares a run is in none of its figures', async () => {
  const { code, summary } = await runK6('smoke', { options: ['--vus', '1', '--iterations', '1'] });
  assert.equal(code, 0);
  const { metrics } = summary;
  const part = (name) => metrics[`http_reqs{route_class:${name}}`].values.count;
  assert.ok(part('setup') > 0);
  assert.equal(part('catalogue') + part('ops'), 21);
  assert.equal(metrics.http_req_failed.values.fails, 21);
  assert.equal(metrics.checks.values.passes, 42);
});

test('arrivals are as many as were asked for', async () => {
  const { code, output, summary } = await runK6('regression', { env: { SCALE: '0.2' } });
  assert.equal(code, 0, output);
  // A fifth of a minute with a fifth of 40 users.
  const asked = (12 / 60) * 8 * CATALOGUE_PER_MINUTE;
  const { count } = summary.metrics.iterations.values;
  assert.ok(Math.abs(count - asked) <= 2, `${count} of ${asked}`);
  assert.equal(summary.metrics.dropped_iterations ? summary.metrics.dropped_iterations.values.count : 0, 0);
});

/** Asks the simulator, or tells it. */
async function control(what, body) {
  const how = body === undefined ? {} : { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${setting('SIMULATOR_URL')}/control/${what}`, how);
  assert.ok(response.ok, `${what}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}

/** Tokens that the API's models were paid, by their type. */
async function booked() {
  const text = await (await fetch(`${setting('BOOKSTORE_URL')}/metrics`)).text();
  const sums = { input: 0, output: 0 };
  for (const [, type, value] of text.matchAll(/^gen_ai_client_token_usage_sum\{.*gen_ai_token_type="(input|output)".*\} (\S+)$/gm)) sums[type] += Number(value);
  return sums;
}

/** Books that a run made and did not take away. */
async function books(testId) {
  const list = await fetch(`${setting('BOOKSTORE_URL')}/api/v1/books?author=${encodeURIComponent(`Load run ${testId}`)}`);
  const page = /** @type {{totalCount: number}} */ (await list.json());
  return page.totalCount;
}

/** The API's histogram of right summaries. */
async function seen() {
  const text = await (await fetch(`${setting('BOOKSTORE_URL')}/metrics`)).text();
  const histogram = { sum: 0, count: 0, buckets: new Map() };
  for (const [line, kind, value] of text.matchAll(SUMMARIES)) {
    if (kind === 'bucket') histogram.buckets.set(Number(/le="([^"]*)"/.exec(line)[1].replace('+Inf', 'Infinity')), Number(value));
    else histogram[kind] = Number(value);
  }
  return histogram;
}

function difference(after, before) {
  const buckets = [...after.buckets].map(([bound, count]) => [bound, count - (before.buckets.get(bound) || 0)]);
  return { sum: after.sum - before.sum, count: after.count - before.count, buckets: buckets.sort(([one], [other]) => one - other) };
}

/** Between which bounds a percentile lies. */
function bucketOf({ count, buckets }, share) {
  const at = buckets.findIndex(([, below]) => below >= share * count);
  return [at === 0 ? 0 : buckets[at - 1][0], buckets[at][0]];
}
