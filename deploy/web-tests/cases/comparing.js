import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, screenshot, PHONE } from '../browser.js';

/** Runs of each side of a comparison of unchanged code. */
const RUNS = 5;

/** `+1.2 %` as a number. */
const share = (text) => Number(text.replace(' %', '').replace('\u2212', '-').replace('+', ''));

export function comparing(world) {
  const open = async (page, query) => page.goto(`${world.stack.performance.url}/compare?${query}`);
  const order = (page) => page.locator('table').first().locator('tbody a[href^="/runs/"]').evaluateAll((all) => all.map((link) => link.getAttribute('href').split('/').pop()));

  test('a comparison keeps the order that was asked for, and a swap turns the signs', async () => {
    const { browser, runs } = world;
    const page = await browser.page();
    const effect = async () => share(await page.locator('tr', { hasText: 'median of http_req_duration' }).first().locator('td.n').nth(2).textContent());
    await open(page, `runs=${runs.steady},${runs.again}`);
    assert.deepEqual(await order(page), [runs.steady, runs.again]);
    await page.getByText(/more measures, none with a difference/).click();
    const there = await effect();
    await page.getByRole('link', { name: 'Swap' }).click();
    await page.waitForURL(new RegExp(`runs=${runs.again},${runs.steady}`));
    assert.deepEqual(await order(page), [runs.again, runs.steady]);
    await page.getByText(/more measures, none with a difference/).click();
    const back = await effect();
    assert.ok(there === 0 ? back === 0 : Math.sign(there) === -Math.sign(back), `${there} and ${back}`);
    // Two runs cannot tell, and the page says how many could.
    assert.match(await page.locator('#noise + p').textContent(), /\(n = 1\).* in 1 v 1 runs.*runs on each side could/);
  });

  test('unlike runs are compared with a warning', async () => {
    const { browser, runs } = world;
    const page = await browser.page();
    await open(page, `runs=${runs.steady},${runs.again}`);
    // They lasted 15 and 65 seconds.
    const differs = page.locator('p', { hasText: 'Not alike' });
    assert.match(await differs.textContent(), /option duration \(15s, 65s\)/);
    assert.ok(await differs.locator('.verdict.WARNING').isVisible());
  });

  test('up to five runs stand beside each other, each with its letter', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    world.alike = await stack.makeRuns('alike', runs.steady, String(RUNS * 2));
    const [third, fourth, fifth, sixth] = world.alike;
    await open(page, `runs=${runs.steady},${third}`);
    assert.match(await page.locator('main').textContent(), /Nothing else differs/);
    await page.getByLabel('Add a run').selectOption(fourth);
    await page.getByRole('button', { name: '+ run' }).click();
    await page.waitForURL(new RegExp(`runs=${runs.steady},${third},${fourth}`));
    await page.getByLabel('Add a run').selectOption(fifth);
    await page.getByRole('button', { name: '+ run' }).click();
    await page.waitForURL(new RegExp(fifth));
    assert.deepEqual(await order(page), [runs.steady, third, fourth, fifth]);
    assert.deepEqual(await page.locator('svg.overlay g').first().locator('text.letter').allTextContents(), ['A', 'B', 'C', 'D']);
    assert.deepEqual(await page.locator('svg.overlay g').nth(1).locator('text.letter').allTextContents(), ['B', 'C', 'D']);
    await page.locator('tr', { hasText: fourthNumber(await stack.run(fourth)) }).getByRole('link', { name: 'Make it the reference' }).click();
    await page.waitForURL(new RegExp(`runs=${fourth},${runs.steady},${third},${fifth}`));
    await page.getByRole('link', { name: 'from the begin of the load' }).click();
    await page.waitForURL(/align=start/);
    assert.deepEqual(await order(page), [fourth, runs.steady, third, fifth]);
    await page.getByText('Show as table').click();
    assert.ok(await page.getByRole('columnheader', { name: 'D − A, ms' }).isVisible());
    await assertAccessible(page, 'a comparison of four runs');
    await screenshot(page, 'compare-four-1440-light');
    await page.setViewportSize(PHONE);
    await assertFits(page, 'a comparison of four runs on a phone');
    await screenshot(page, 'compare-four-390-light');
    // A sixth has no place.
    await open(page, `runs=${[runs.steady, third, fourth, fifth, sixth].join()}&add=${runs.again}`);
    assert.match(await page.locator('main').textContent(), /at most 5 runs/);
  });

  test('unchanged code reads as the same', async () => {
    const { browser } = world;
    const page = await browser.page();
    const [reference, candidate] = [world.alike.slice(0, RUNS), world.alike.slice(RUNS)];
    await open(page, `reference=${reference.join()}&candidate=${candidate.join()}`);
    const reading = page.locator('tr', { hasText: 'p95 of http_req_duration' }).first().locator('.verdict');
    assert.equal(await reading.textContent(), 'same');
    assert.equal(await page.locator('td .verdict', { hasText: /better|worse/ }).count(), 0);
    assert.match(await page.locator('#noise + p').textContent(), /\(n = 5\).*95 % interval .* in 5 v 5 runs.*(Yes|Nobody can tell)/);
    await screenshot(page, 'compare-alike-1440-light');
  });
}

/** `steady #12`, as the link of a run reads. */
function fourthNumber({ testName, number }) {
  return `${testName} #${number}`;
}
