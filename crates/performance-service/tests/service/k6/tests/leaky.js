// Puts secrets wherever a script can put them.
import http from 'k6/http';
import { check, group } from 'k6';
import { Trend } from 'k6/metrics';

export const options = { scenarios: { load: { executor: 'shared-iterations', vus: 1, iterations: 3 } } };

const own = new Trend('own_time');

export default function () {
  const host = __ENV.BASE_URL.replace('http://', '');
  http.get(`http://ana:canary-password@${host}/work?token=canary-query#canary-fragment`);
  http.get(`${__ENV.BASE_URL}/work`, { tags: { name: 'GET /work?api_key=canary-name', note: 'Bearer canary-note' } });
  http.get('http://ana:canary-password@127.0.0.1:1/?token=canary-refused');
  own.add(1, { session: 'token=canary-own', key: 'sk-canary-canary-canary' });
  group('GET /work?secret=canary-group', () => {
    check(null, { 'token: canary-check': () => true });
  });
  console.log('Authorization: Bearer canary-log');
  console.error(JSON.stringify({ password: 'canary-json', url: 'http://u:canary@h/?canary' }));
  throw new Error('http://u:canary-thrown@h/?k=canary-thrown');
}
