// Makes the pictures of the README anew: a small stack, a baseline, a run beside it, and the run's page as it is
// seen in a window of usual size. Its argument is where they go.
import path from 'node:path';
import { Browser, SCREEN } from './browser.js';
import { Stack } from './stack.js';

const RUN = {
  testName: 'mixed',
  scenario: 'Load',
  testScript: 'tests/mixed.js',
  environment: { PROVIDER: 'claude', COUNT: '200', SEED: '7' },
  options: { virtualUsers: 12, duration: '30s' },
};
const BASELINE_RUNS = 5;
/** The run, what prepares it, and a busy machine. */
const RUN_MS = 120000;

async function measure(stack) {
  const id = await stack.begin(RUN);
  const { number, verdict } = await stack.over(id, RUN_MS);
  console.log(`run ${number}: ${verdict.level}, ${verdict.reasons.join(' ')}`);
  return id;
}

async function main(directory) {
  const stack = await Stack.start({ SIMULATOR_PROFILE: 'default' });
  const browser = await Browser.start();
  try {
    const runs = [];
    while (runs.length < BASELINE_RUNS) runs.push(await measure(stack));
    await stack.post('/api/v1/performancetest/baselines', { runs });
    const page = await browser.page({ colorScheme: 'light' });
    await page.goto(`${stack.performance.url}/runs/${await measure(stack)}`);
    // Down to the end of the map of requests.
    const map = await page.locator('figure.heatmap').boundingBox();
    const clip = { x: 0, y: 0, width: SCREEN.width, height: Math.ceil(map.y + map.height) };
    await page.screenshot({ path: path.join(directory, 'run.png'), fullPage: true, clip });
    browser.assertNothingWrong();
  } finally {
    await browser.end();
    await stack.end();
  }
}

await main(process.argv[2]);
