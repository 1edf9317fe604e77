// Ends its own run early.
import exec from 'k6/execution';
import http from 'k6/http';

export const options = { vus: 1, duration: '30s' };

export default function () {
  http.get(`${__ENV.BASE_URL}/work`);
  exec.test.abort('seen enough');
}
