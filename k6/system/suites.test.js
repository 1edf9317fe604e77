// Each suite runs, scaled down, against a real API: by k6 alone with both versions, and through the
// performance service, which must come to a verdict.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { plannedSeconds, run, runK6, setting } from './k6.js';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
/** Of a model's server and not of the API: the tests of the performance service run it. */
const ELSEWHERE = ['ai-relay'];
const SUITES = readdirSync(folder('../tests'))
  .filter((name) => name.endsWith('.js'))
  .map((name) => name.slice(0, -3))
  .filter((name) => !ELSEWHERE.includes(name));

/** What scales the load of a suite to about ten seconds; each may take twenty. */
const SCALES = {
  smoke: 0.08, load: 0.015, stress: 0.008, spike: 0.02, soak: 0.005, breakpoint: 0.015, regression: 0.15, errors: 0.015, comprehensive: 0.025,
  'ai-summary': 0.05, 'ai-smoke': 0.05, 'ai-load': 0.012, 'ai-stress': 0.009, 'ai-spike': 0.02, 'ai-stream': 0.05,
  mixed: 0.007, 'mixed-heavy': 0.01, auth: 0.05, 'circuit-breaker': 0.085, combinations: 0.25,
};
const MOST_SECONDS = 20;

/** @type {ReadonlyArray<{version: 'k6'|'k6-v1', model: string}>} */
const HOW = [{ version: 'k6', model: 'closed' }, { version: 'k6-v1', model: 'open' }];

/** Those whose target or fault somebody else must make have scripts of their own. */
const SCRIPTS = { auth: 'perf-auth.sh', 'circuit-breaker': 'perf-circuit-breaker.sh' };

/**
 * By the service: as many users as make some samples of everything within some seconds; but
 * arrivals where users read for long, and the preset where it belongs to the suite.
 */
function shortLoad(suite) {
  if (suite.startsWith('ai-')) return { SCALE: String(SCALES[suite]), MODEL: 'open' };
  const shaped = ['breakpoint', 'combinations', 'circuit-breaker'].includes(suite);
  return shaped ? { SCALE: String(SCALES[suite]) } : { VUS: '6', DURATION: '6s' };
}

test('every suite has a scale here', () => {
  assert.deepEqual(Object.keys(SCALES).sort(), [...SUITES].sort());
});

describe('k6 alone', { concurrency: 4 }, () => {
  for (const suite of SUITES.filter((name) => name !== 'circuit-breaker')) {
    for (const { version, model } of HOW) {
      test(`${version} runs ${suite}, ${model}`, async () => {
        const url = setting(suite === 'auth' ? 'GUARDED_URL' : 'BOOKSTORE_URL');
        const env = { SCALE: String(SCALES[suite]), MODEL: model, PROVIDER: 'claude' };
        const planned = await plannedSeconds(suite, env);
        assert.ok(planned <= MOST_SECONDS, `${planned} s`);
        const { code, output } = await runK6(suite, { url, env, version });
        assert.equal(code, 0, output);
      });
    }
  }
});

test('arrivals come as often as the users of the closed model ask', async () => {
  const [closed, open] = await Promise.all(['closed', 'open'].map(async (model) => {
    const { output } = await runK6('regression', { env: { MODEL: model, SCALE: '0.25' } });
    return Number(/^requests (\d+)/m.exec(output)[1]);
  }));
  assert.ok(Math.abs(closed / open - 1) < 0.25, `${closed} by users, ${open} by arrivals`);
});

describe('the performance service', () => {
  for (const suite of SUITES) {
    test(`judges ${suite}`, async () => {
      const script = folder(`../../deploy/scripts/${SCRIPTS[suite] || 'perf.sh'}`);
      const parameters = SCRIPTS[suite] ? [] : [`tests/${suite}.js`];
      // A model's name sends each call to the simulator.
      const { code, output } = await run(script, parameters, { env: { ...shortLoad(suite), PROVIDER: 'claude' } });
      assert.equal(code, 0, output);
      assert.match(output, /^#\d+ .*: (PASS|WARNING|INCONCLUSIVE)$/m);
    });
  }
});
