// Requests of the models: summaries, what they cost, experiments; and the error lab.
import { expects, has, header, keeps, members, problem } from './collection.mjs';

const REASONS = {
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 409: 'Conflict', 410: 'Gone',
  415: 'Unsupported Media Type', 422: 'Unprocessable Entity', 429: 'Too Many Requests', 500: 'Internal Server Error', 502: 'Bad Gateway',
  503: 'Service Unavailable', 504: 'Gateway Timeout',
};
const COMPANIONS = { 401: 'WWW-Authenticate', 405: 'Allow', 429: 'Retry-After', 503: 'Retry-After' };
const PROVIDERS = ['claude', 'openai', 'ollama', 'bedrock', 'lmstudio'];
const SUMMARY = ['bookId', 'title', 'author', 'provider', 'aiGeneratedSummary', 'model', 'cached', 'simulated', 'usage', 'cost', 'latency'];
const GENERATE = '/api/v1/books/{{bookId}}/generate-summary';

export const summaries = [
  { name: 'Providers', method: 'GET', path: '/api/v1/books/llm-providers', status: 200, tests: [
    expects('knows five', `pm.expect(body.availableProviders).to.have.members(${JSON.stringify(PROVIDERS)})`),
    expects('tells of each circuit', "body.providers.forEach((one) => pm.expect(one.circuit).to.be.oneOf(['closed', 'half_open', 'open']))")] },
  ...PROVIDERS.map((provider) => ({ name: `A summary by ${provider}`, method: 'POST', path: `${GENERATE}?provider=${provider}`, status: 200, tests: [
    members(...SUMMARY), has('provider', provider), has('cached', false),
    expects('was paid in tokens', 'pm.expect(body.usage.inputTokens).to.be.above(0); pm.expect(body.usage.outputTokens).to.be.above(0)'),
    header('Server-Timing', '/ttft;dur=[0-9.]+/'),
    ...(provider === 'claude' ? [keeps('summaryId', 'body.summaryId')] : [])] })),
  // Postman asks for no cache unless it is told otherwise.
  { name: 'The same summary again', method: 'POST', path: `${GENERATE}?provider=claude`, headers: { 'Cache-Control': 'max-age=600' }, status: 200, tests: [has('cached', true), expects('costs nothing', 'pm.expect(body.cost.picoUsd).to.eql(0)')] },
  { name: 'A new summary', method: 'POST', path: `${GENERATE}?provider=claude&refresh=true`, status: 200, tests: [has('cached', false)] },
  { name: 'A summary as a stream', method: 'POST', path: `${GENERATE}?provider=claude&refresh=true`, headers: { Accept: 'text/event-stream' }, status: 200, tests: [
    header('Content-Type', '/^text\\/event-stream/'),
    'pm.test("begins and ends", () => { const text = pm.response.text(); pm.expect(text).to.match(/event: ?summary.start/); pm.expect(text).to.match(/event: ?summary.done/); });'] },
  { name: 'A summary by nobody', method: 'POST', path: `${GENERATE}?provider=nobody`, status: 400, tests: [expects('lists who there is', 'pm.expect(body.message).to.include("Available providers:")')] },
  { name: 'A summary of no book', method: 'POST', path: '/api/v1/books/000000000000000000000000/generate-summary', status: 404, tests: [problem()] },
  { name: 'What a reader thinks of it', method: 'POST', path: '/api/v1/books/{{bookId}}/summary/feedback', json: { rating: 'up' }, headers: { 'X-User-Id': 'postman' }, status: 200, tests: [has('rating', 5)] },
  { name: 'A rating that is none', method: 'POST', path: '/api/v1/books/{{bookId}}/summary/feedback', json: { rating: 9 }, status: 400, tests: [problem('rating')] },
];

export const money = [
  { name: 'Ledger', method: 'GET', path: '/api/v1/llm/ledger?pageSize=5', status: 200, tests: [expects('has rows', 'pm.expect(body.attempts.length).to.be.within(1, 5)')] },
  { name: 'Costs by provider', method: 'GET', path: '/api/v1/llm/costs?by=provider', status: 200, tests: [has('by', 'provider'), members('groups', 'totals')] },
  { name: 'Costs by nothing', method: 'GET', path: '/api/v1/llm/costs?by=colour', status: 400, tests: [problem('by')] },
  { name: 'What it would have cost', method: 'POST', path: '/api/v1/llm/recost', json: { by: 'model' }, status: 200, tests: [members('priceVersion', 'groups', 'totals')] },
  { name: 'Budgets', method: 'GET', path: '/api/v1/llm/budgets', status: 200, tests: [expects('is a list', 'pm.expect(body.budgets).to.be.an("array")')] },
  { name: 'A budget', method: 'GET', path: '/api/v1/llm/budgets/default', status: 200, tests: [has('tenant', 'default'), members('rates', 'real', 'simulated')] },
  { name: 'A budget with a wrong amount', method: 'PUT', path: '/api/v1/llm/budgets/default', json: { dayUsd: -1 }, status: 400, tests: [problem('dayUsd')] },
  { name: 'Start an experiment', method: 'POST', path: '/api/v1/llm/experiments', json: { name: '{{experiment}}', stickyBy: 'book', decideBy: 'checks', variants: [{ name: 'summary', provider: 'claude', prompt: 'book-summary-2' }, { name: 'pitch', provider: 'claude', prompt: 'book-pitch-1' }] }, status: 201, tests: [has('state', 'running'), expects('has two variants', 'pm.expect(body.variants).to.have.lengthOf(2)')] },
  { name: 'Experiments', method: 'GET', path: '/api/v1/llm/experiments', status: 200, tests: [expects('has ours', 'pm.expect(body.experiments.map((one) => one.name)).to.include(pm.variables.get("experiment"))')] },
  { name: 'Results of an experiment', method: 'GET', path: '/api/v1/llm/experiments/{{experiment}}', status: 200, tests: [expects('is ours', 'pm.expect(JSON.stringify(body)).to.include(pm.variables.get("experiment"))')] },
  { name: 'Stop an experiment', method: 'POST', path: '/api/v1/llm/experiments/{{experiment}}/stop', status: 200, tests: [has('state', 'stopped')] },
];

export const errors = [
  ...Object.entries(REASONS).map(([code, reason]) => ({ name: `Error ${code}`, method: 'GET', path: `/api/v1/errortest/${code}`, status: Number(code), tests: [
    has('error', reason), ...(COMPANIONS[code] ? [header(COMPANIONS[code], '/./')] : [])] })),
  { name: 'Any error', method: 'GET', path: '/api/v1/errortest/random', status: Object.keys(REASONS).map(Number), tests: [expects('names its code', 'pm.expect(body.error).to.eql(`Random Error ${pm.response.code}`)')] },
  { name: 'An error that is none', method: 'GET', path: '/api/v1/errortest/418', status: 404, tests: [problem()] },
];
