// What the preview makes of values, macros and names: node --test monitoring/preview
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { EVENTS } from './page/chart.js';
import { clamped, highest, MAX_DOTS, top } from './page/dots.js';
import { format, legendOf } from './page/format.js';
import { filled, Span } from './page/prometheus.js';

test('values have the unit that fits', () => {
  for (const [value, unit, text] of [
    [0.00042, 's', '420 µs'], [0.0123, 's', '12.3 ms'], [1, 's', '1 s'], [90, 's', '1.5 min'], [0, 's', '0 s'],
    [0.9987, 'percentunit', '99.9 %'], [0, 'percentunit', '0 %'], [0.0000123, 'currencyUSD', '$0.0000123'], [12.5, 'currencyUSD', '$12.5'],
    [12.34, 'reqps', '12.3 req/s'], [1536, 'bytes', '1.5 KiB'], [1536, 'Bps', '1.5 KiB/s'], [12_345, 'short', '12.3k'], [7, 'short', '7'],
    [0.05, 'ops', '0.05 ops/s'], [2_500_000, 'reqps', '2.5M req/s'], [-0.004, 's', '-4 ms'],
  ]) {
    assert.equal(format(value, unit), text, `${value} ${unit}`);
  }
  assert.equal(format(0.9987, 'percentunit', 3), '99.870 %');
  assert.deepEqual([null, Number.NaN, Infinity].map((value) => format(value, 's')), ['–', '–', '∞']);
});

test('a series has the name of its legend', () => {
  assert.equal(legendOf('p95 {{gen_ai_provider_name}}', { gen_ai_provider_name: 'claude' }), 'p95 claude');
  assert.equal(legendOf('{{absent}}', {}), 'value');
});

test('points lie at the same instants for every query', () => {
  const span = new Span(1003.2, 2801.7, 15);
  assert.equal(span.step, 5);
  assert.deepEqual([span.from, span.to, span.times.at(-1)], [1000, 2805, 2805]);
  assert.equal(span.times.length, 362);
  // Four scrapes, so that a rate has two samples whatever is lost.
  assert.equal(span.rate, 60);
  assert.equal(new Span(0, 7 * 86400, 15).rate, 1512 + 15);
});

test('macros and variables are filled in, other dollars stay', () => {
  const span = new Span(0, 300, 2);
  const values = { provider: '.*', jaeger: 'http://jaeger' };
  assert.equal(filled('rate(x{p=~"$provider"}[$__rate_interval])', values, span), 'rate(x{p=~".*"}[8s])');
  assert.equal(filled('${jaeger}/search?start=${__from}000', values, span), 'http://jaeger/search?start=0000');
  assert.equal(filled('${performance}/x', values, span), '${performance}/x');
});

test('of many dots the highest of each moment stay, whatever series they are of', () => {
  const dot = (at, value, trace = `${at}-${value}`) => ({ at, value, trace });
  // Two series, one after the other, as Prometheus tells them: the spike is in the first.
  const first = Array.from({ length: 400 }, (_, n) => dot(n, n === 7 ? 9 : 0.1));
  const second = Array.from({ length: 400 }, (_, n) => dot(n, 0.2));
  const shown = highest([...first, ...second, dot(-1, 99), dot(401, 99)], 0, 400);
  assert.ok(shown.length <= MAX_DOTS);
  assert.equal(Math.max(...shown.map(({ value }) => value)), 9);
  assert.deepEqual(shown.map(({ at }) => at), shown.map(({ at }) => at).sort((one, other) => one - other));
  assert.deepEqual(highest([dot(5, 1), dot(1, 2)], 0, 10).map(({ at }) => at), [1, 5]);
});

test('a dot beyond the lines stays at the edge', () => {
  assert.deepEqual([-40, 12, 300].map((y) => clamped(y, 0, 190)), [0, 12, 190]);
});

test('the highest values are told once for each trace', () => {
  const dots = [['a', 1], ['b', 3], ['b', 2], ['c', 5]].map(([trace, value]) => ({ trace, value, at: 0 }));
  assert.deepEqual(top(dots, 2).map(({ trace }) => trace), ['c', 'b']);
});

test('each kind of event has a bar of its own', () => {
  const dashboard = JSON.parse(readFileSync(new URL('../grafana/dashboards/overview.json', import.meta.url)));
  assert.deepEqual(dashboard.annotations.list.map(({ iconColor }) => iconColor), Object.keys(EVENTS));
});
