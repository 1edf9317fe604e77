import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, PHONE, screenshot } from '../browser.js';

const RUNS = 5;

export function baselines(world) {
  test('a baseline is looked at before it is taken, and what it hides is told', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    const versions = page.locator('h2#versions ~ .wide tbody tr');
    await stack.post('/api/v1/performancetest/baselines', { runs: world.stepping.slice(0, RUNS) });
    await page.goto(`${stack.performance.url}/tests/stepping`);
    assert.equal(await page.locator('svg.trend rect.band').count(), 1);
    await page.getByRole('link', { name: 'See what the latest good runs would make' }).click();
    await page.waitForURL(/baselines\/one/);
    await page.getByText('It would hide').waitFor();
    const compared = page.getByRole('heading', { name: 'Held against the runs in force' });
    await compared.waitFor();
    assert.match(await page.locator('.inside').textContent(), /p95 of http_req_duration/);
    await assertAccessible(page, 'a proposed baseline');
    await screenshot(page, 'baseline-proposed-1440-light');
    await page.setViewportSize(PHONE);
    await assertFits(page, 'a proposed baseline on a phone');
    await screenshot(page, 'baseline-proposed-390-light');
    await page.getByLabel('Reason').first().fill('<b>another</b> disk');
    await page.getByRole('button', { name: 'Make them the baseline' }).click();
    await page.waitForURL(/\/baselines$/);
    await page.getByText('<b>another</b> disk').waitFor();
    await page.getByRole('link', { name: 'version 2' }).click();
    await page.getByText('These runs are in force.').waitFor();
    assert.equal(await compared.count(), 0);
    assert.match(await versions.first().textContent(), /in force/);

    const first = versions.last();
    await first.getByRole('button', { name: 'Pin version 1' }).click();
    await first.getByText('pinned').waitFor();
    await first.locator('summary', { hasText: 'Roll back' }).click();
    await first.getByLabel('Reason').fill('the disk is back');
    await first.getByRole('button', { name: 'Put it in force' }).click();
    await page.getByText('back to version 1: the disk is back').waitFor();
    assert.equal(await versions.count(), 3);
    await page.locator('summary', { hasText: 'Withdraw the baseline' }).click();
    await page.locator('details', { hasText: 'Withdraw the baseline' }).getByLabel('Reason').fill('it is over');
    await page.getByRole('button', { name: 'Withdraw it' }).click();
    await page.getByText('none from here on: it is over').waitFor();
    await page.getByText('None is in force: they become version 5.').waitFor();
    await assertAccessible(page, 'a baseline that was withdrawn');
    await page.getByRole('button', { name: 'Unpin version 1' }).click();
    assert.equal(await page.getByText('pinned').count(), 0);
  });
}
