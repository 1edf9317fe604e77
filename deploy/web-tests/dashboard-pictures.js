// The pictures of dashboards that guides show: dashboard-pictures.js URL-OF-THE-PREVIEW DIRECTORY
import assert from 'node:assert/strict';
import path from 'node:path';
import { Browser } from './browser.js';
import { open, PICTURE } from './preview.js';

/** What was done before the pictures took a few minutes. */
const FROM = 'now-3m';

const PICTURES = {
  'dashboards': ['overview', ['Requests', 'p95 by kind of route', 'Failures by kind of route', 'First token', 'Attempts that fail', 'Dollars per hour']],
  'investigate-slow': ['llm-latency-and-reliability', ['Latency of AI routes', 'Duration', 'Queue']],
  'investigate-dear': ['llm-cost-and-tokens', ['Dollars per hour by model', 'Cost by part, simulated', 'The dearest calls']],
  'investigate-errors': ['errors-and-diagnostics', ['Share of failures by route', 'Providers that fail', 'Attempts not made']],
  'investigate-p95': ['load-test', ['Latency for users', 'First token for users', 'Busy workers while it runs']],
};

/** The slow request of docs/investigate.md, in full. */
const SLOW = new URLSearchParams({ operation: 'POST /api/v1/books/{id}/generate-summary', lookback: '1h', minDuration: '2s' });

/** Leaves these panels alone on the page, three to a line, and returns the element that they are in. */
function alone(page, titles) {
  return page.evaluateHandle((wanted) => {
    const panels = [...document.querySelectorAll('.panel')];
    const grid = document.createElement('div');
    grid.className = 'grid';
    for (const title of wanted) {
      const panel = panels.find((one) => one.querySelector('h2').textContent === title);
      if (!panel) throw new Error(`there is no panel ${title}`);
      if (panel.dataset.state !== 'drawn') throw new Error(`${title} has no data`);
      panel.style.gridColumn = 'span 8';
      panel.querySelector('details')?.remove();
      grid.append(panel);
    }
    document.getElementById('panels').replaceChildren(grid);
    return grid;
  }, titles);
}

const [url, directory] = process.argv.slice(2);
assert.ok(url && directory, 'usage: dashboard-pictures.js URL DIRECTORY');
const browser = await Browser.start();
try {
  const page = await browser.page({ viewport: PICTURE, colorScheme: 'light' });
  for (const [name, [uid, titles]] of Object.entries(PICTURES)) {
    await open(page, url, uid, FROM);
    const grid = await alone(page, titles);
    await grid.screenshot({ path: path.join(directory, `${name}.png`) });
    console.log(`drawn   ${name}.png`);
  }
  await page.goto(`${url}/search?${SLOW}`);
  await page.locator('tbody a').first().click();
  await page.waitForURL(/\/trace\//);
  await page.locator('body').screenshot({ path: path.join(directory, 'trace.png') });
  console.log('drawn   trace.png');
  browser.assertNothingWrong();
} finally {
  await browser.end();
}
