// A suite with a default function and stages that a request for users or a duration replaces.
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';

export const options = {
  stages: [{ duration: '10m', target: 50 }],
  thresholds: { http_reqs: ['count>0'], http_req_failed: ['rate<0.5'] },
};

export default function () {
  http.post(`${__ENV.BASE_URL}/report`, JSON.stringify({ environment: __ENV, vu: exec.vu.idInTest }));
  sleep(0.1);
}
