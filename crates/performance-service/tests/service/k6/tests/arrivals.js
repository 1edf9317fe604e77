// Asks for twenty arrivals a second and gives none of them time to end.
import http from 'k6/http';

export const options = {
  scenarios: {
    load: {
      executor: 'constant-arrival-rate',
      rate: 20,
      duration: '3s',
      gracefulStop: '0s',
      preAllocatedVUs: 60,
    },
  },
};

export default function () {
  http.get(`${__ENV.BASE_URL}/work`, { tags: { name: 'GET /work' } });
}
