const BASE_URL = setting(
  'BASE_URL',
  'http://127.0.0.1:7002',
  (url) => /^https?:\/\/[A-Za-z0-9.:[\]-]+(\/[A-Za-z0-9._~/-]*)?$/.test(url),
).replace(/\/+$/, '');
const TEST_ID = setting('TEST_ID', 'local', (id) => /^[A-Za-z0-9._-]{1,64}$/.test(id));
const SCENARIO = setting('SCENARIO', 'load', (name) => /^[A-Za-z]{1,32}$/.test(name)).toLowerCase();
/** Shrinks the time and the load of each stage. */
const SCALE = Number(setting('SCALE', '1', (n) => Number(n) > 0 && Number(n) <= 1));
/** Where journeys and rows begin. */
const SEED = Number(setting('SEED', '1', (n) => Number.isInteger(Number(n)) && Number(n) >= 1 && Number(n) < 2 ** 32));
/** Share of requests that are traced. */
const TRACE_SAMPLE = Number(setting('TRACE_SAMPLE', '__TRACE_SAMPLE__', (n) => Number(n) >= 0 && Number(n) <= 1));

const DATA_FILE = import.meta.resolve(__DATA_FILE__);
/** Kept once for all users: headers, bodies and values of the steps, and the rows of the iterations. */
const STEPS = new SharedArray('steps', () => dataFile().steps);
const ROWS = new SharedArray('rows', () => dataFile().rows);

