// A metric of its own, before each request.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const pages = new Counter('pages');

export default function () {
  pages.add(1);
  http.get(`${__ENV.BASE_URL}/ok`);
  sleep(0.02);
}
