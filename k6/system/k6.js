/** Runs k6 and the scripts that call it, as people do. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TESTS = fileURLToPath(new URL('../tests/', import.meta.url));

/** No run of these tests is longer than half of that. */
const DEADLINE_MS = 120000;

/** A setting that test-suites.sh gives. */
export function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: deploy/scripts/test-suites.sh starts what these tests need`);
  return value;
}

/**
 * @typedef {object} Ended
 * @property {number|null} code
 * @property {string} output
 */

/**
 * Runs a suite by k6 alone.
 * @param {string} suite
 * @param {{url?: string, env?: Record<string, string>, options?: string[], version?: 'k6'|'k6-v1'}} how
 * @returns {Promise<Ended & {summary: any}>} summary: that of the suite, null when there is none
 */
export async function runK6(suite, { url = setting('BOOKSTORE_URL'), env = {}, options = [], version = 'k6' }) {
  const directory = await mkdtemp(join(tmpdir(), 'bookstore-suite-'));
  const variables = { BASE_URL: url, TEST_ID: `system-${suite}-${process.pid}-${started++}`, ...env };
  const quiet = ['--quiet', '--no-usage-report', '--address', '127.0.0.1:0'];
  try {
    const ended = await run(k6(version), ['run', ...quiet, ...assigned(variables), ...options, `${TESTS}${suite}.js`], { cwd: directory });
    return { ...ended, summary: await readFile(join(directory, 'summary.json'), 'utf8').then(JSON.parse, () => null) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * The options of a suite, as k6 reads them.
 * @param {string} suite
 * @param {Record<string, string>} env
 * @returns {Promise<any>}
 */
export async function plannedOptions(suite, env) {
  const { output } = await run(k6('k6'), ['inspect', '--no-color', ...assigned(env), `${TESTS}${suite}.js`]);
  return JSON.parse(output.slice(output.indexOf('{\n')));
}

/**
 * The time that k6 plans for the load of a suite, whatever the machine makes of it.
 * @param {string} suite
 * @param {Record<string, string>} env
 * @returns {Promise<number>} seconds; 0 of a suite that ends when its work is done
 */
export async function plannedSeconds(suite, env) {
  const { scenarios } = await plannedOptions(suite, env);
  const plans = Object.values(scenarios).map(({ stages, duration, startTime }) => [{ duration: startTime || '0s' }, ...(stages || [{ duration: duration || '0s' }])]);
  return Math.max(...plans.map((stages) => stages.reduce((sum, stage) => sum + parseInt(stage.duration, 10), 0)));
}

/** Tells the runs of one process apart. */
let started = 0;

function k6(version) {
  return join(setting('BOOKSTORE_TOOLS_DIR'), 'bin', version);
}

function assigned(variables) {
  return Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
}

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} parameters
 * @param {{cwd?: string, env?: Record<string, string>}} [how]
 * @returns {Promise<Ended>}
 */
export function run(program, parameters, { cwd, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { cwd, env: { ...process.env, ...env }, timeout: DEADLINE_MS, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
