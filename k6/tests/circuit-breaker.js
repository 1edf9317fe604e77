// Question: when a provider fails, does its circuit open, refuse at once, spare the catalogue, and close again?
// Model:    closed; readers of summaries, catalogue users, and one who watches the circuit (MODEL=open: arrivals).
// Load:     connect-breaker: 20 users each for 3.5 minutes. make perf-circuit-breaker makes the provider fail those who ask in the second fifth.
// Limits:   the circuit was closed, opened, closed, and let a call through again, in this order; most refusals at once (median < 100 ms), all with Retry-After; catalogue p95 < 2 s, failed < 1 %.
// Reading:  breaker_answered, _failed and _refused are all answers of the provider's route; a refusal is no failure of ours.
import { check, fail, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { client, expecting, ROUTES } from '../lib/api.js';
import { visitCatalogue } from '../lib/catalogue.js';
import { logWrong } from '../lib/checks.js';
import { readConfig } from '../lib/config.js';
import { cleanUp, prepare } from '../lib/dataset.js';
import { presetName } from '../lib/presets.js';
import { presetSeconds, scenarios } from '../lib/profiles.js';
import { generator } from '../lib/random.js';
import { isProblem, isSummary } from '../lib/shapes.js';
import { requireProvider } from '../lib/summaries.js';
import { runOptions } from '../lib/suite.js';
import { summaryOf } from '../lib/summary.js';
import { CATALOGUE_PER_MINUTE, IMPATIENT_PER_MINUTE, thinkSeconds } from '../lib/users.js';

/** How often the watcher looks: a circuit is open for at least a second. */
const LOOK_SECONDS = 0.2;

const config = readConfig({ scenario: 'connect-breaker', traceSample: 0.1 });
const preset = presetName(config.scenario, ['connect-breaker']);
/** Impatient readers, so that a short run makes enough faults to open a circuit. */
const readers = scenarios(config, preset, { perMinute: IMPATIENT_PER_MINUTE, slowSeconds: 8 })[preset];
const users = scenarios(config, preset, { perMinute: CATALOGUE_PER_MINUTE, slowSeconds: 2 })[preset];

const answered = new Counter('breaker_answered');
const failed = new Counter('breaker_failed');
const refused = new Counter('breaker_refused');
const refusalTime = new Trend('breaker_refusal_time', true);
const answerWrong = new Rate('breaker_answer_wrong');
const opened = new Counter('breaker_opened');
const closedAgain = new Counter('breaker_closed_again');
const answeredAgain = new Counter('breaker_answered_again');

export const options = {
  ...runOptions(config),
  scenarios: {
    summaries: { ...readers, exec: 'readSummary' },
    catalogue: { ...users, exec: 'useCatalogue' },
    watch: { executor: 'constant-vus', vus: 1, duration: `${presetSeconds(preset, config.scale)}s`, exec: 'watch' },
  },
  thresholds: {
    breaker_opened: ['count>0'],
    breaker_closed_again: ['count>0'],
    breaker_answered_again: ['count>0'],
    breaker_answered: ['count>0'],
    breaker_refused: ['count>0'],
    // A call whose own attempt opens the circuit is refused as well, later than the others.
    breaker_refusal_time: ['p(50)<100', 'p(90)<2000'],
    breaker_answer_wrong: ['rate<0.01'],
    checks: ['rate>0.99'],
    http_req_failed: ['rate<0.01'],
    'http_reqs{route_class:catalogue}': ['count>0'],
    'http_req_duration{route_class:catalogue}': ['p(95)<2000', 'p(99)<5000'],
    operation_failed: ['rate<0.01'],
  },
};

export const handleSummary = summaryOf(config);

/** Right in their own way: a summary, a failure of the provider that is named, a refusal. */
const ANSWERS = expecting(ROUTES.generateSummary, [200, 502, 503, 504], (body) => isSummary(body) || isProblem(body), { uncounted: true });

/** By this word the simulator knows the calls that it fails, see perf-circuit-breaker.sh. */
const FAILING = 'failing-provider';

let random;

export function setup() {
  const { name, simulated, circuit } = requireProvider(config);
  if (circuit !== 'closed') fail(`setup: the circuit to ${name} is ${circuit} already: what opened it is not this run`);
  if (!simulated) fail(`setup: provider ${name} is real: a circuit is tested with one that can be told to fail`);
  return { ...prepare(config), provider: name };
}

/** @param {import('../lib/dataset.js').Dataset & {provider: string}} dataset */
export function readSummary({ books, provider }) {
  random = random || generator(config.seed, exec.vu.idInTest);
  const { id } = books[exec.scenario.iterationInTest % books.length];
  const call = { id, query: { provider, refresh: true }, headers: isFailing() ? failing() : {} };
  const { ok, body, response } = client(config, 'ai-reader')(ANSWERS, call);
  const isRefusal = response.status === 503 && body !== null && String(body.type).endsWith('circuit-open');
  answered.add(response.status === 200 ? 1 : 0);
  refused.add(isRefusal ? 1 : 0);
  failed.add(response.status !== 200 && !isRefusal ? 1 : 0);
  if (isRefusal) refusalTime.add(response.timings.duration);
  const tellsWhen = !isRefusal || check(response, { 'a refusal says when to come again': (res) => Number(res.headers['Retry-After']) > 0 });
  answerWrong.add(!(ok && tellsWhen));
  sleep(thinkSeconds(random, 'burst'));
}

/** @param {import('../lib/dataset.js').Dataset} dataset */
export function useCatalogue(dataset) {
  visitCatalogue(config, dataset);
}

/** The fault follows the clock of the load, so that it begins and ends within it whenever k6 starts. */
function isFailing() {
  const fifth = Math.floor((Date.now() - exec.scenario.startTime) / (presetSeconds(preset, config.scale) * 200));
  return fifth === 1;
}

function failing() {
  return { baggage: `test.id=${config.testId},test.scenario=${FAILING}` };
}

/** What the watcher has seen so far: nothing counts before what comes before it. */
let seen = 'closed';

/**
 * One user looks at the circuit again and again: it opens, closes, and lets a call through.
 * @param {import('../lib/dataset.js').Dataset & {provider: string}} dataset
 */
export function watch({ books, provider }) {
  const { ok, body } = client(config, 'watcher')(ROUTES.listProviders);
  const known = ok && body.providers.find(({ name }) => name === provider);
  if (known) see(known.circuit);
  else logWrong(`the state of ${provider} is not told`);
  if (seen === 'closed again') ask(books[0].id, provider);
  sleep(LOOK_SECONDS);
}

function see(circuit) {
  if (seen !== 'open' && circuit !== 'closed') {
    opened.add(1);
    seen = 'open';
  } else if (seen === 'open' && circuit === 'closed') {
    closedAgain.add(1);
    seen = 'closed again';
  }
}

function ask(id, provider) {
  const { response } = client(config, 'watcher')(ANSWERS, { id, query: { provider, refresh: true } });
  if (response.status !== 200) return;
  answeredAgain.add(1);
  seen = 'recovered';
}

export function teardown() {
  cleanUp(config);
}
