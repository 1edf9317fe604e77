// Requests of the performance service. The run that is started is ended at once.
import { expects, has, header, keeps, members, problem } from './collection.mjs';

const base = 'performanceUrl';
const ROOT = '/api/v1/performancetest';
const RUN = ['testId', 'testName', 'scenario', 'status'];
const NOBODY = '00000000000000000000000000000000';

export const performance = [
  { name: 'Health of the performance service', method: 'GET', path: '/health', base, status: 200, tests: [] },
  { name: 'Scenarios', method: 'GET', path: `${ROOT}/scenarios`, base, status: 200, tests: [expects('names six', "pm.expect(body.map((one) => one.name)).to.include.members(['Smoke', 'Load', 'Stress', 'Spike', 'Soak', 'Volume'])")] },
  { name: 'Start a run', method: 'POST', path: `${ROOT}/start`, base, json: { testName: 'postman', scenario: 'Smoke', options: { virtualUsers: 1, duration: '30s' } }, status: 201, tests: [members(...RUN), header('Location', '/\\/api\\/v1\\/performancetest\\//'), keeps('testId', 'body.testId')] },
  { name: 'Start a run of no script', method: 'POST', path: `${ROOT}/start`, base, json: { testScript: '../etc/hostname' }, status: 400, tests: [problem('testScript')] },
  { name: 'Start a run with no users', method: 'POST', path: `${ROOT}/start`, base, json: { options: { virtualUsers: 0 } }, status: 400, tests: [problem('options.virtualUsers')] },
  { name: 'Start a run elsewhere', method: 'POST', path: `${ROOT}/start`, base, json: { environment: { BASE_URL: 'http://192.0.2.1' } }, status: 403, tests: [problem()] },
  { name: 'A run', method: 'GET', path: `${ROOT}/{{testId}}`, base, status: 200, tests: [has('testName', 'postman'), members(...RUN)] },
  { name: 'Running', method: 'GET', path: `${ROOT}/running`, base, status: 200, tests: [expects('is a list', 'pm.expect(body).to.be.an("array")')] },
  { name: 'Runs', method: 'GET', path: `${ROOT}/tests`, base, status: 200, tests: [expects('has ours', 'pm.expect(body.map((run) => run.testId)).to.include(pm.collectionVariables.get("testId"))')] },
  { name: 'Stop a run', method: 'POST', path: `${ROOT}/{{testId}}/cancel`, base, status: 204, tests: [] },
  { name: 'Stop a run twice', method: 'POST', path: `${ROOT}/{{testId}}/cancel`, base, status: [204, 409], tests: [] },
  { name: 'Timeline of a run', method: 'GET', path: `${ROOT}/{{testId}}/timeline`, base, status: [200, 404], tests: [] },
  { name: 'Log of a run', method: 'GET', path: `${ROOT}/{{testId}}/logs`, base, status: 200, tests: [] },
  { name: 'No run', method: 'GET', path: `${ROOT}/${NOBODY}`, base, status: 404, tests: [problem()] },
  { name: 'Results of no run', method: 'GET', path: `${ROOT}/${NOBODY}/results`, base, status: 404, tests: [problem()] },
  { name: 'Quick start of nothing', method: 'POST', path: `${ROOT}/quick-start/nothing`, base, status: 400, tests: [problem('scenario')] },
  { name: 'Trends of a test', method: 'GET', path: `${ROOT}/trends?test=postman`, base, status: [200, 404], tests: [] },
  { name: 'Compare nothing', method: 'GET', path: `${ROOT}/compare`, base, status: 400, tests: [problem()] },
  { name: 'Generate from nothing', method: 'POST', path: `${ROOT}/generate`, base, json: { from: 'nothing', document: '' }, status: 400, tests: [problem()] },
  { name: 'Clean up', method: 'POST', path: `${ROOT}/cleanup`, base, status: 200, tests: [members('message')] },
  { name: 'Baselines', method: 'GET', path: `${ROOT}/baselines`, base, status: 200, tests: [] },
  { name: 'Audit chain', method: 'GET', path: `${ROOT}/audit/verify`, base, status: 200, tests: [] },
  { name: 'Audit log', method: 'GET', path: `${ROOT}/audit?limit=5`, base, status: 200, tests: [] },
];
