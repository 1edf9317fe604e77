// The crossed cases, and the values that they are made of.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRICES, TEXT_LIMITS } from '../data/boundaries.js';
import { TEXTS } from '../data/texts.js';
import { combinations } from '../lib/combinations.js';

const cases = combinations();

test('there are hundreds of cases, each with a name of its own', () => {
  assert.ok(cases.length > 2000, String(cases.length));
  const names = cases.map(({ dimension, name }) => `${dimension}: ${name}`);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  assert.deepEqual(twice, []);
});

test('every dimension has right and wrong values, but for those that are all wrong', () => {
  const dimensions = groups(cases);
  for (const name of ['texts', 'searches', 'lengths', 'values', 'pages', 'content types']) {
    const statuses = dimensions.get(name).map(({ status }) => status);
    assert.ok(statuses.some((status) => status < 300) && statuses.some((status) => status >= 400), name);
  }
});

test('a case that is taken says what is kept, in characters', () => {
  const long = cases.find(({ name }) => name === 'POST books title 500 of \u{1D518}');
  assert.equal([...long.json.title].length, TEXT_LIMITS.books.title[1]);
  assert.deepEqual([long.status, long.keeps[1]], [201, long.json.title]);
  const one = cases.find(({ name }) => name === 'PATCH books price "23.45"');
  assert.deepEqual(one.keeps, ['price', 23.45]);
});

test('texts can be sent, and no label stands twice', () => {
  for (const { text, label } of TEXTS) assert.doesNotThrow(() => encodeURIComponent(text), label);
  assert.equal(new Set(TEXTS.map(({ label }) => label)).size, TEXTS.length);
  assert.ok(TEXTS.length >= 60, String(TEXTS.length));
  assert.ok(PRICES.some(({ taken }) => !taken));
});

function groups(list) {
  const found = new Map();
  for (const one of list) found.set(one.dimension, [...(found.get(one.dimension) || []), one]);
  return found;
}
