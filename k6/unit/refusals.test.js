// Who refused to make a summary.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf, REFUSALS } from '../lib/refusals.js';

/** @type {[number, any, string|null][]} */
const ANSWERS = [
  [503, { type: '/problems/provider-rate-limited' }, 'provider'],
  [503, { type: '/problems/overloaded' }, 'queue'],
  [503, { type: '/problems/ledger-full' }, 'queue'],
  [429, { type: '/problems/budget-exceeded' }, 'budget'],
  [429, { type: '/problems/rate-limit-exceeded' }, 'budget'],
  [503, { type: '/problems/circuit-open' }, 'circuit'],
  [200, { type: '/problems/budget-exceeded' }, 'budget'],
  [429, null, 'nobody_known'],
  [429, 'slow down', 'nobody_known'],
  [429, { type: 7 }, 'nobody_known'],
  [502, { type: '/problems/bad-gateway' }, null],
  [200, { title: 'A summary' }, null],
  [0, null, null],
];
for (const [status, problem, by] of ANSWERS) {
  test(`${status} ${JSON.stringify(problem)} is refused by ${by}`, () => assert.equal(refusalOf(status, problem), by));
}

test('who refuses has a counter whose name is one', () => {
  for (const by of REFUSALS) assert.match(`ai_refused_by_${by}`, /^[a-z_]+$/);
  assert.equal(new Set(REFUSALS).size, 5);
});
