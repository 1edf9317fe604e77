import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, PHONE, screenshot } from '../browser.js';

const LOAD = { testName: 'steady', scenario: 'Smoke', testScript: 'tests/steady.js', options: { duration: '60s' } };

export function home(world) {
  test('the first page tells how far a run is, by itself, and what waits for it', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    await page.goto(stack.performance.url);
    assert.ok(await page.getByText('Nothing runs.').isVisible());
    const first = await stack.begin(LOAD);
    const second = await stack.begin({ ...LOAD, testName: 'after it' });
    // Nobody loads the page again.
    const progress = page.getByRole('progressbar');
    await progress.waitFor({ timeout: 60000 });
    const value = async () => Number(await progress.getAttribute('value'));
    const before = await value();
    await page.waitForFunction((seen) => Number(document.querySelector('progress')?.getAttribute('value')) > seen, before);
    assert.match(await page.locator('#now').textContent(), /\d+ %, 00:\d\d left/);
    assert.match(await page.locator('#now').textContent(), /queued: waits for one run, about 0/);
    await assertAccessible(page, 'home with a run under way');
    await screenshot(page, 'home-now-1440-light');
    await page.setViewportSize(PHONE);
    await assertFits(page, 'home with a run under way on a phone');
    await screenshot(page, 'home-now-390-light');
    for (const id of [second, first]) {
      const row = page.locator('#now tr', { has: page.locator(`a[href="/runs/${id}"]`) });
      await row.getByRole('button', { name: /^Stop/ }).click();
      await page.waitForURL(new RegExp(id));
      await stack.over(id);
      await page.goto(stack.performance.url);
    }
    assert.ok(await page.getByText('Nothing runs.').isVisible());
    // Who stopped them knows of them.
    for (const id of [second, first]) {
      assert.equal(await page.locator(`ul.matters a[href="/runs/${id}"]`).count(), 0);
    }
  });
}
