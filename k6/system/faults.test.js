// Each suite can fail: a fault is planted, and the thresholds that should see it must be crossed. No
// threshold and no check is without its fault.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startFaultyApi } from './faulty-api.js';
import { plannedOptions, runK6, setting } from './k6.js';
import { LOAD, RUNS, SHOWN_ELSEWHERE } from './planted.js';
import { startRelayStub } from './relay-stub.js';

/** Checks of all runs by their names, and how often each failed; of a status whichever it is. */
const failures = new Map();

/** @param {any} summary null when there is none */
function remember(summary) {
  for (const { name, fails } of summary ? summary.root_group.checks : []) {
    const key = name.replace(/: status .*/, ': status');
    failures.set(key, (failures.get(key) || 0) + fails);
  }
}

async function relay() {
  const stub = await startRelayStub();
  return { upstream: stub.url, stop: stub.close };
}

/** `metric statistic` of each threshold that the output names as crossed. */
function crossed(output) {
  return [...output.matchAll(/^threshold crossed: (.+) ([a-z]+(?:\(\d+\))?)[<>=!]+\S+$/gm)].map(([, metric, stat]) => `${metric} ${stat}`);
}

describe('a planted fault crosses the thresholds of', { concurrency: 8 }, () => {
  for (const { suite, sees, faults, options = LOAD, env, target = 'BOOKSTORE_URL' } of RUNS) {
    const what = faults.map(({ route, ...planted }) => `${JSON.stringify(planted)} of ${route}`).join(', ') || options.join(' ');
    test(`${suite}: ${sees.join(', ') || 'none'} by ${what || 'nothing'}`, async () => {
      const { upstream, stop } = target === 'relay' ? await relay() : { upstream: setting(target), stop: async () => {} };
      const api = await startFaultyApi(upstream, faults);
      try {
        const relayed = target === 'relay' ? { LLM_RELAY_URL: api.url } : {};
        const { code, output, summary } = await runK6(suite, { url: api.url, env: { ...env, ...relayed }, options });
        remember(summary);
        assert.equal(code, sees.length > 0 ? 99 : 0, output);
        const missed = sees.filter((one) => !crossed(output).includes(one));
        assert.deepEqual(missed, [], output);
      } finally {
        await api.close();
        await stop();
      }
    });
  }
});

test('every threshold of every suite has a planted fault', async () => {
  const suites = readdirSync(fileURLToPath(new URL('../tests', import.meta.url))).map((name) => name.replace(/\.js$/, ''));
  const planned = await Promise.all(suites.map(async (suite) => {
    const { thresholds } = await plannedOptions(suite, {});
    return Object.entries(thresholds).flatMap(([metric, list]) => list.map((one) => `${suite}: ${metric} ${statistic(one)}`));
  }));
  const shown = RUNS.flatMap(({ suite, sees }) => sees.map((one) => `${suite}: ${one}`));
  assert.deepEqual([...new Set([...shown, ...SHOWN_ELSEWHERE])].sort(), [...new Set(planned.flat())].sort());
});

/** Of an expression, or of one that ends the run. */
function statistic(threshold) {
  const text = typeof threshold === 'string' ? threshold : threshold.threshold;
  return text.replace(/\s*[<>=!].*$/, '');
}

test('every check failed', () => {
  assert.deepEqual([...failures].filter(([, fails]) => fails === 0).map(([name]) => name), []);
  assert.ok(failures.size > 40, `${failures.size} checks`);
});

test('an API that asks nobody is no target of auth', async () => {
  const { code, output } = await runK6('auth', { options: LOAD });
  assert.equal(code, 107, output);
  assert.match(output, /asks nobody who they are/);
});

test('a target that does not answer ends each suite before its load', async () => {
  const { code, output } = await runK6('load', { url: 'http://127.0.0.1:1', options: LOAD });
  assert.equal(code, 107, output);
  assert.match(output, /setup: .* failed/);
});
