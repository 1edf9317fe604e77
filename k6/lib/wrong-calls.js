/** Calls that must be refused: each has one right answer, which is an error. */
import { sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { client, expecting, ROUTES } from './api.js';
import { runAuthor } from './dataset.js';
import { LAB_STATUSES, NOBODY } from './mistakes.js';
import { generator, pick, pickWeighted } from './random.js';
import { isInvalidField, isLabError, isProblem } from './shapes.js';
import { thinkSeconds } from './users.js';

const answerWrong = new Rate('error_answer_wrong');
const errors4xx = new Counter('errors_4xx');
const errors5xx = new Counter('errors_5xx');
const errorTime = new Trend('error_response_time', true);
const successTime = new Trend('success_response_time', true);

/** Longer than a title may be, as long as the original's. */
const LONG_TITLE = 'x'.repeat(100000);

/** Too short for most answers: the caller leaves. */
const IMPATIENCE = '10ms';

/**
 * What wrong callers do, with the weights of the original suite.
 * @type {ReadonlyArray<readonly [(visit: any) => import('./api.js').Answer, number]>}
 */
const MISTAKES = [[lab, 10], [unknown, 3], [invalid, 3], [model, 2], [impatient, 1], [malformed, 2], [nothing, 4]];

let random;

/**
 * One caller makes one mistake, or for comparison none, and thinks.
 * @param {import('./config.js').Config} config
 * @param {import('./dataset.js').Dataset} dataset
 */
export function visitWrongly(config, dataset) {
  random = random || generator(config.seed, exec.vu.idInTest);
  const mistake = pickWeighted(random, MISTAKES);
  const { ok, response } = mistake({ config, dataset, send: client(config, 'wrong-caller') });
  answerWrong.add(!ok);
  const { status, timings } = response;
  if (status >= 500) errors5xx.add(1);
  else if (status >= 400) errors4xx.add(1);
  if (status >= 400) errorTime.add(timings.duration);
  else if (status > 0) successTime.add(timings.duration);
  sleep(thinkSeconds(random));
}

function lab({ send }) {
  const status = pick(random, LAB_STATUSES);
  return send(expecting(ROUTES.errorLab, status, isLabError), { id: String(status) });
}

function unknown({ send }) {
  const route = pick(random, [ROUTES.getBook, ROUTES.deleteBook, ROUTES.getAuthor, ROUTES.patchBook]);
  const call = route === ROUTES.patchBook ? { json: { price: 1 } } : {};
  return send(expecting(route, 404, isProblem), { ...call, id: NOBODY });
}

function invalid({ send, config }) {
  const author = runAuthor(config);
  const [route, call] = pick(random, [
    [ROUTES.getBook, { id: 'no-id' }],
    [ROUTES.listBooks, { query: { page: 0 } }],
    [ROUTES.searchBooks, {}],
    [ROUTES.createBook, { json: { title: '', author } }],
    [ROUTES.createBook, { json: { title: 'A book', author, price: -1 } }],
    [ROUTES.createBook, { json: { title: LONG_TITLE, author } }],
    [ROUTES.createBooks, { json: [] }],
  ]);
  return send(expecting(route, 400, isInvalidField), call);
}

function model({ send, dataset }) {
  if (random() < 0.5) return send(expecting(ROUTES.generateSummary, 404, isProblem), { id: NOBODY });
  const call = { id: pick(random, dataset.books).id, query: { provider: 'nobody' } };
  return send(expecting(ROUTES.generateSummary, 400, isProblem), call);
}

/** Either is right: the answer came in time, or the caller left. Such a call is no failure of the API. */
function impatient({ send }) {
  const route = expecting(ROUTES.listBooks, [200, 0], (body) => body === null || ROUTES.listBooks.shape(body), { uncounted: true });
  return send(route, { query: { pageSize: 100 }, timeout: IMPATIENCE });
}

function malformed({ send }) {
  const [status, call] = pick(random, [
    [400, { body: '{"title": "half a' }],
    [400, { body: '' , headers: { 'Content-Type': 'application/json' } }],
    [415, { body: 'title=A book', headers: { 'Content-Type': 'text/plain' } }],
  ]);
  return send(expecting(ROUTES.createBook, status, isProblem), call);
}

function nothing({ send, dataset }) {
  return send(ROUTES.getBook, { id: pick(random, dataset.books).id });
}
