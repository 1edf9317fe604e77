import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, PHONE, screenshot } from '../browser.js';

/** Runs of each level. */
const RUNS = 8;

export function trends(world) {
  test('a step is seen, explained and found again', async () => {
    const { stack, browser, runs } = world;
    const made = await stack.makeRuns('step', runs.steady, String(RUNS));
    world.stepping = made;
    runs.step = made[RUNS + 1];
    const page = await browser.page();
    await page.goto(stack.performance.url);
    const matter = page.locator('ul.matters li', { hasText: 'changed its p95' });
    assert.match(await matter.textContent(), /nobody has said why/);
    await matter.getByRole('link', { name: 'stepping', exact: true }).click();
    await page.waitForURL(/tests\/stepping/);
    assert.equal(await page.locator('svg.trend .hollow').count(), 1);
    assert.match(await page.locator('svg.trend text.step').textContent(), /^\+\d+\.\d %$/);
    const row = page.locator('tr', { has: page.locator(`a[href="/runs/${runs.step}"]`) }).last();
    await row.getByText('Explain').click();
    await row.getByLabel('Why').fill('a <b>slower</b> disk');
    await row.getByRole('button', { name: 'Keep' }).click();
    await page.getByText('“a <b>slower</b> disk”').waitFor();
    assert.match(page.url(), /scenario=/);
    await page.getByRole('link', { name: 'dates' }).click();
    await page.waitForURL(/along=dates/);
    assert.equal(await page.locator('svg.trend circle').count(), made.length);
    assert.ok(await page.getByText('“a <b>slower</b> disk”').isVisible());
    await assertAccessible(page, 'a trend with a step');
    await screenshot(page, 'test-step-1440-light');
    await page.setViewportSize(PHONE);
    await assertFits(page, 'a trend with a step on a phone');
    await screenshot(page, 'test-step-390-light');
    await page.getByLabel('Scenario').selectOption('');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL(/scenario=&/);
    await page.goto(stack.performance.url);
    assert.equal(await matter.count(), 0);
  });
}
