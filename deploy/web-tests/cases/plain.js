import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from './pages.js';

export function plain(world) {
  test('without scripts all pages are readable, and runs start and stop', async () => {
    const { stack, browser } = world;
    const page = await browser.page({ javaScriptEnabled: false });
    for (const { address } of pages(world)) {
      const reply = await page.goto(`${stack.performance.url}${address}`);
      assert.equal(reply.status(), 200, address);
      assert.ok((await page.locator('h1').textContent()).trim().length > 0, address);
    }
    await page.goto(`${stack.performance.url}/new`);
    await page.getByLabel('Suite').selectOption('tests/steady.js');
    await page.getByLabel('Duration').fill('60s');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('#live').waitFor();
    const id = page.url().split('/').pop();
    await page.locator('summary', { hasText: 'Stop run' }).click();
    await page.getByRole('button', { name: 'Stop now' }).click();
    await page.waitForURL(new RegExp(id));
    assert.ok((await stack.over(id)).completedAt);
  });
}
