import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, isLive, screenshot } from '../browser.js';
import { until } from '../until.js';

/** How often the connection is cut, and how long nothing but 503 is answered. */
const CUTS = 10;
const UNAVAILABLE_MS = 20000;

/** Live pages of one browser: tabs that are behind others, and windows that are seen. */
const TABS = 8;
const WINDOWS = 5;

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

/** What Chromium says when another tab covers this one. */
function hide(page, hidden) {
  return page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

/** A stream that was closed is a finished resource. */
function closedStreams(page) {
  return page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('/performance-hub')).length);
}

export function live(world) {
  test('cut connections, 503 and a killed service leave no gap and nothing twice', async () => {
    const { stack, browser } = world;
    const options = { virtualUsers: 2, duration: '65s' };
    const id = await stack.begin({ testName: 'steady', scenario: 'Smoke', testScript: 'tests/steady.js', options });
    const page = await browser.page();
    await page.addInitScript(record);
    await page.goto(`${stack.way.url}/runs/${id}`);
    const rendered = Number(await page.evaluate(() => document.querySelector('svg.chart')?.dataset.to ?? 0));
    await isLive(page);
    const seen = () => page.evaluate(() => globalThis.told.length);
    const goesOn = async (before) => until('seconds come again', 15000, async () => assert.ok(await seen() > before));
    const reconnects = async () => {
      await page.getByText('Reconnecting; the run goes on', { exact: true }).waitFor();
      assert.match(await page.locator('#age').textContent(), /^last data \d\d:\d\d:\d\d UTC, \d+ s ago$/);
      assert.ok(await page.getByRole('button', { name: 'Try now' }).isVisible());
    };
    for (let cut = 0; cut < CUTS; cut += 1) {
      const before = await seen();
      stack.way.cut();
      await goesOn(before);
    }
    const before = await seen();
    const began = Date.now();
    stack.way.refuse(true);
    await reconnects();
    const tiles = await page.locator('.tiles').textContent();
    await until('the spell of 503 is over', UNAVAILABLE_MS * 2, async () => assert.ok(Date.now() - began > UNAVAILABLE_MS));
    assert.equal(await page.locator('.tiles').textContent(), tiles, 'nothing is reset meanwhile');
    stack.way.refuse(false);
    await page.getByRole('button', { name: 'Try now' }).click();
    await goesOn(before);
    await page.getByText('LIVE', { exact: true }).waitFor();
    await stack.performance.end('SIGKILL');
    await reconnects();
    await stack.performance.start();
    await page.locator('h1 .verdict').waitFor({ timeout: 90000 });
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

  test('a paused view stands still, and a hidden one gives its stream back and goes on telling', async () => {
    const { stack, browser } = world;
    const options = { virtualUsers: 1, duration: '120s' };
    const id = await stack.begin({ testName: 'stopped', scenario: 'Smoke', testScript: 'tests/steady.js', options });
    world.runs.stopped = id;
    const page = await browser.page();
    await page.addInitScript(record);
    await page.goto(`${stack.performance.url}/runs/${id}`);
    const rendered = Number(await page.evaluate(() => document.querySelector('svg.chart')?.dataset.to ?? 0));
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
    const closed = await closedStreams(page);
    await hide(page, true);
    await until('the stream is closed', 6000, async () => assert.ok(await closedStreams(page) > closed));
    const told = () => page.evaluate(() => globalThis.told);
    const before = (await told()).length;
    const title = await page.title();
    await page.waitForFunction((old) => document.title !== old, title, { timeout: 20000 });
    assert.match(await page.title(), /^running \d+:\d\d · /);
    assert.equal((await told()).length, before, 'no stream is open');
    await hide(page, false);
    await isLive(page);
    await until('what was missed has come', 10000, async () => assert.ok((await told()).length > before));
    const seconds = await told();
    const all = Array.from({ length: seconds.length }, (_, index) => seconds[0] + index);
    assert.ok(seconds[0] <= rendered, `${seconds[0]} after ${rendered}`);
    assert.deepEqual(seconds, all);
  });

  test('more live windows than a browser has connections keep no page from loading', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    const open = async () => {
      const next = await page.context().newPage();
      browser.watch(next);
      await next.goto(`${stack.performance.url}/runs/${runs.stopped}`);
      return next;
    };
    for (let tab = 0; tab < TABS; tab += 1) await hide(await open(), true);
    const windows = [];
    while (windows.length < WINDOWS) windows.push(await open());
    await isLive(windows[0]);
    // Which one finds no stream left depends on when the tabs gave theirs back.
    await Promise.any(windows.map((one) => one.getByText('Looks every 2 s', { exact: false }).waitFor()));
    const began = Date.now();
    await page.goto(stack.performance.url);
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
