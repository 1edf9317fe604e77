// Asks for four users by itself.
import http from 'k6/http';

export const options = { vus: 4, duration: '2s' };

export default function () {
  http.get(`${__ENV.BASE_URL}/work`, { tags: { name: 'GET /work' } });
}
