// Asks an address that is not the target's, in the ways that name it differently.
import http from 'k6/http';

export const options = { vus: 1, iterations: 1 };

export default function () {
  const port = __ENV.BASE_URL.split(':').pop();
  const codes = {};
  for (const host of ['127.0.0.2', '[::1]', '0.0.0.0', '169.254.169.254', '127.0.0.1']) {
    codes[host] = http.get(`http://${host}:${port}/ok`, { timeout: '2s' }).error_code;
  }
  codes.redirect = http.get(`${__ENV.BASE_URL}/redirect`, { timeout: '2s', redirects: 1 }).error_code;
  const status = http.get(`${__ENV.BASE_URL}/redirect`).status;
  http.post(`${__ENV.BASE_URL}/report`, JSON.stringify({ codes, status }));
}
