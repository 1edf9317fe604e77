// Every suite says at its head what it is for, and a command runs it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const read = (path) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
const SUITES = readdirSync(fileURLToPath(new URL('../tests', import.meta.url))).map((name) => name.replace(/\.js$/, ''));
const HEAD = ['Question', 'Model', 'Load', 'Limits', 'Reading'];

/** Whose target is not named after them. */
const TARGETS = { comprehensive: 'perf-journeys' };

for (const suite of SUITES) {
  test(`${suite} has a head, limits, a command and a line in the guide`, () => {
    const lines = read(`../tests/${suite}.js`).split('\n').slice(0, HEAD.length);
    assert.deepEqual(lines.map((line) => /^\/\/ ([A-Z][a-z]+): +\S/.exec(line)[1]), HEAD);
    assert.ok(existsSync(fileURLToPath(new URL(`../limits/${suite}.toml`, import.meta.url))), 'limits');
    const target = TARGETS[suite] || `perf-${suite}`;
    assert.match(read('../../Makefile'), new RegExp(`^${target}:`, 'm'));
    assert.ok(read('../../docs/suites.md').includes(`\`${suite}\``), 'docs/suites.md');
  });
}
