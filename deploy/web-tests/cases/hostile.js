import assert from 'node:assert/strict';
import { test } from 'node:test';

const MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(2)>';

export function hostile(world) {
  test('markup in names, values, checks and log lines is text on every page', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/new`);
    // Each text of the form in turn; what is refused is shown again.
    for (const label of ['Virtual users', 'Duration', 'Iterations', 'Scale', 'k6 processes', 'Books', 'Seed', 'p95 below, ms', 'Further thresholds']) {
      await page.goto(`${stack.performance.url}/new`);
      await page.getByLabel(label).fill(MARKUP);
      await page.getByRole('button', { name: 'Start' }).click();
      await page.getByRole('alert').waitFor();
      assert.equal(await page.getByLabel(label).inputValue(), MARKUP);
    }
    // What the form refuses, another client may say.
    const environment = { SEED: MARKUP, PROVIDER: MARKUP };
    const id = await stack.begin({ testName: MARKUP, scenario: 'Smoke', testScript: 'tests/hostile.js', environment });
    world.runs.hostile = id;
    await stack.over(id);
    const test = encodeURIComponent(MARKUP);
    const report = `/api/v1/performancetest/${id}/export?format=html`;
    for (const address of [`/runs/${id}`, '/', '/runs', `/runs?test=${test}`, `/tests/${test}`, `/new?run=${id}`, `/audit?user=${test}`, report]) {
      if (address === report) {
        // It comes as a download; here it is opened as who got it would.
        const html = await (await fetch(`${stack.performance.url}${address}`)).text();
        await page.goto('about:blank');
        await page.setContent(html);
      } else {
        await page.goto(`${stack.performance.url}${address}`);
      }
      assert.equal(await page.locator('img').count(), 0, address);
      assert.equal(await page.locator('main script').count(), 0, address);
    }
    await page.goto(`${stack.performance.url}/runs/${id}`);
    const text = await page.locator('main').textContent();
    for (const place of [`${MARKUP} #`, 'GET <img src=x', 'failed <img src=x', '</pre><script>alert(2)']) assert.ok(text.includes(place), place);
  });
}
