import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, isLive, screenshot } from '../browser.js';
import { until } from '../until.js';

/** Notes every event that reaches a page, as the browser hands it out. */
function record() {
  globalThis.told = [];
  const Native = globalThis.EventSource;
  globalThis.EventSource = class extends Native {
    constructor(address) {
      super(address);
      const note = (seconds) => (event) => {
        for (const { t } of seconds(JSON.parse(event.data))) globalThis.told.push(t);
      };
      this.addEventListener('second', note((point) => [point]));
      this.addEventListener('backfill', note(({ points }) => points));
    }
  };
}

export function live(world) {
  test('cut connections and a killed service leave no gap and nothing twice', async () => {
    const { stack, browser } = world;
    const options = { virtualUsers: 2, duration: '24s' };
    const id = await stack.begin({ testName: 'steady', scenario: 'Smoke', testScript: 'tests/steady.js', options });
    const page = await browser.page();
    await page.addInitScript(record);
    await page.goto(`${stack.way.url}/runs/${id}`);
    const rendered = Number(await page.evaluate(() => document.querySelector('svg.chart')?.dataset.to ?? 0));
    await isLive(page);
    const seen = () => page.evaluate(() => globalThis.told.length);
    for (let cut = 0; cut < 3; cut += 1) {
      const before = await seen();
      stack.way.cut();
      await until('seconds come again', 15000, async () => assert.ok(await seen() > before));
    }
    await stack.performance.end('SIGKILL');
    await page.getByText('Reconnecting; the run goes on', { exact: true }).waitFor();
    assert.match(await page.locator('#age').textContent(), /^last data \d\d:\d\d:\d\d UTC, \d+ s ago$/);
    assert.ok(await page.getByRole('button', { name: 'Try now' }).isVisible());
    await stack.performance.start();
    await page.locator('h1 .verdict').waitFor({ timeout: 60000 });
    const told = await page.evaluate(() => globalThis.told);
    const stored = await stack.get(`/api/v1/performancetest/${id}/timeline`);
    // The page was rendered with the seconds before the first one that it was told.
    assert.ok(told[0] <= rendered, `${told[0]} after ${rendered}`);
    assert.deepEqual(told, stored.map(({ t }) => t).filter((t) => t >= told[0]));
    const run = await stack.over(id);
    assert.equal(await page.locator('h1 .verdict').textContent(), run.verdict.level);
    assert.notEqual(run.verdict.level, 'INVALID', run.verdict.reasons.join());
    world.runs.again = id;
  });

  test('a hidden window gives its stream back, and a paused view stands still', async () => {
    const { stack, browser } = world;
    const options = { virtualUsers: 1, duration: '60s' };
    const id = await stack.begin({ testName: 'stopped', scenario: 'Smoke', testScript: 'tests/steady.js', options });
    world.runs.stopped = id;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${id}`);
    await isLive(page);
    await page.locator('summary', { hasText: 'Stop run' }).click();
    await assertAccessible(page, 'a live run that is about to be stopped');
    await assertFits(page, 'a live run');
    await screenshot(page, 'run-live-1440-light');
    await page.getByRole('button', { name: 'Pause view' }).click();
    const shown = await page.locator('.tiles').textContent();
    await page.waitForFunction((old) => document.title !== old, await page.title());
    assert.equal(await page.locator('.tiles').textContent(), shown);
    await page.getByRole('button', { name: 'Go on' }).click();
    const open = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('/performance-hub')).length);
    const closed = await open();
    // What Chromium says when another tab covers this one.
    const hide = (hidden) => page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await hide(true);
    // A stream that was closed is a finished resource.
    await until('the stream is closed', 6000, async () => assert.ok(await open() > closed));
    await hide(false);
    await isLive(page);
  });

  test('more live windows than a browser has connections keep no page from loading', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    const windows = [page];
    while (windows.length < 8) {
      const next = await page.context().newPage();
      browser.watch(next);
      windows.push(next);
    }
    for (const window of windows) await window.goto(`${stack.performance.url}/runs/${runs.stopped}`);
    await isLive(page);
    await windows.at(-1).getByText('Looks every 2 s', { exact: false }).waitFor();
    const began = Date.now();
    const other = await page.context().newPage();
    await other.goto(stack.performance.url);
    assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
  });

  test('two clicks stop a run', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${runs.stopped}`);
    await page.locator('summary', { hasText: 'Stop run' }).click();
    await page.getByRole('button', { name: 'Stop now' }).click();
    await page.locator('h1 .verdict', { hasText: 'INVALID' }).waitFor({ timeout: 20000 });
    assert.match(await page.locator('ol.reasons').textContent(), /cancelled/i);
  });
}
