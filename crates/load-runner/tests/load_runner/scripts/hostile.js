// Tries what no load test needs, and reports what came of it. PROVIDER is a file that exists, SEED a
// port of the target's address on which somebody else listens.
import http from 'k6/http';

export const options = { vus: 1, iterations: 1 };

const files = ['/etc/passwd', '/proc/self/environ', '/etc/hosts', '/etc/resolv.conf', __ENV.PROVIDER];
const read = {};
for (const file of files) {
  try {
    read[file] = open(file).length;
  } catch (error) {
    read[file] = String(error);
  }
}
const own = open('./data/start.json').length;

export default function () {
  const host = __ENV.BASE_URL.split(':').slice(0, 2).join(':');
  const stranger = http.get(`${host}:${__ENV.SEED}/`, { timeout: '2s' });
  const environment = Object.keys(__ENV).sort();
  const report = { read, own, environment, connected: stranger.status, error: stranger.error };
  http.post(`${__ENV.BASE_URL}/report`, JSON.stringify(report));
}
