import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PHONE, SCREEN, assertAccessible, assertFits, screenshot } from '../browser.js';
import { pages } from './pages.js';

/** What a page, its style and its scripts may weigh. */
const MOST_PAGE_BYTES = 100000;
const MOST_SCRIPT_BYTES = 150000;

export function looks(world) {
  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of [SCREEN, PHONE]) {
      test(`every page is accessible and fits: ${colorScheme}, ${viewport.width} px`, async () => {
        const { stack, browser } = world;
        const page = await browser.page({ colorScheme, viewport });
        for (const { name, address } of pages(world)) {
          const reply = await page.goto(`${stack.performance.url}${address}`);
          const what = `${name}, ${colorScheme}, ${viewport.width} px`;
          assert.equal(reply.status(), 200, what);
          await assertFits(page, what);
          await assertAccessible(page, what);
          await screenshot(page, `${name}-${viewport.width}-${colorScheme}`);
        }
      });
    }
  }

  test('what cannot be shown says why, accessibly', async () => {
    const { stack, browser } = world;
    for (const viewport of [SCREEN, PHONE]) {
      const page = await browser.page({ viewport });
      const reply = await page.goto(`${stack.performance.url}/runs/${'0'.repeat(32)}`);
      assert.equal(reply.status(), 404);
      await assertFits(page, 'a refusal');
      await assertAccessible(page, 'a refusal');
      await screenshot(page, `refusal-${viewport.width}-light`);
    }
  });

  test('a first look at a run has the verdict, its reasons, six numbers and the picture', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    for (const place of ['h1 .verdict', 'ol.reasons', '.tiles', 'svg.chart .p95']) {
      const box = await page.locator(place).first().boundingBox();
      assert.ok(box.y >= 0 && box.y + Math.min(box.height, 100) < SCREEN.height, place);
    }
    assert.equal(await page.locator('.tiles dd').count(), 6);
  });

  test('pages and scripts are small', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    const sizes = {};
    page.on('response', async (response) => { sizes[new URL(response.url()).pathname] = (await response.body()).length; });
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`, { waitUntil: 'networkidle' });
    assert.ok(sizes[`/runs/${runs.steady}`] < MOST_PAGE_BYTES, JSON.stringify(sizes));
    const scripts = Object.entries(sizes).filter(([path]) => path.endsWith('.js'));
    assert.ok(scripts.length > 0 && scripts.reduce((sum, [, size]) => sum + size, 0) < MOST_SCRIPT_BYTES);
  });

  test('printed, a run is dark on light and nothing is cut', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page({ colorScheme: 'dark' });
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(ground, 'rgb(255, 255, 255)');
    assert.ok(!(await page.locator('header nav').isVisible()));
    await screenshot(page, 'run-print');
  });
}
