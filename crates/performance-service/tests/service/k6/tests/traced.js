// Names the trace of every other request.
import http from 'k6/http';
import exec from 'k6/execution';
import { Trend } from 'k6/metrics';
import { sleep } from 'k6';

export const options = { vus: 1, duration: '2s' };

const firstToken = new Trend('ai_ttft', true);

export default function () {
  const isTraced = __ITER % 2 === 0;
  if (isTraced) exec.vu.metrics.metadata.trace_id = __ITER.toString(16).padStart(32, '0');
  else delete exec.vu.metrics.metadata.trace_id;
  http.get(`${__ENV.BASE_URL}/work`, { tags: { name: isTraced ? 'GET /traced' : 'GET /work' } });
  firstToken.add(__ITER + 0.5);
  sleep(0.05);
}
