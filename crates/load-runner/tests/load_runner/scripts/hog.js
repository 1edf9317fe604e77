// Takes memory until it is stopped.
import { sleep } from 'k6';

export const options = { vus: 1, duration: '30s' };

const kept = [];

export default function () {
  kept.push('x'.repeat(1 << 20).split(''));
  sleep(0.001);
}
