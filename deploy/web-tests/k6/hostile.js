// Puts markup wherever a script can put it: the pages show it as text.
import http from 'k6/http';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const MARKUP = '<img src=x onerror=alert(1)>"\'</pre><script>alert(2)</script>';
const own = new Trend('own_trend');

export const options = { scenarios: { load: { executor: 'shared-iterations', vus: 1, iterations: 5 } } };

export default function () {
  const reply = http.get(`${__ENV.BASE_URL}/health/live`, { tags: { name: `GET ${MARKUP}` } });
  check(reply, { [MARKUP]: ({ status }) => status === 200, [`failed ${MARKUP}`]: () => false });
  http.get(`${__ENV.BASE_URL}/nothing/here`, { tags: { name: `missing \u202e${MARKUP}` } });
  own.add(1, { note: MARKUP });
  console.error(`${MARKUP} ${'long '.repeat(200)}`);
}
