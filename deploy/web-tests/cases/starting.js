import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, isLive } from '../browser.js';

export function starting(world) {
  test('two clicks start a run, which is watched to its end', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    await page.goto(stack.performance.url);
    await page.getByRole('link', { name: 'Smoke: 2 users, 2m', exact: true }).first().click();
    // What it takes is told before the second click.
    await page.getByRole('heading', { name: 'Forecast' }).waitFor();
    await page.getByRole('button', { name: /^Start: 2 min/ }).waitFor();
    await page.getByLabel('Suite').selectOption('tests/steady.js');
    await page.getByLabel('Duration').fill('15s');
    await page.getByLabel('Name of the test').fill('steady');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.waitForURL(/\/runs\/[0-9a-f]+$/);
    const id = page.url().split('/').pop();
    world.runs.steady = id;
    // A second tab shows the same run.
    const second = await page.context().newPage();
    browser.watch(second);
    await second.goto(page.url());
    await Promise.all([isLive(page), isLive(second)]);
    await page.waitForFunction(() => /^p95 .* ms|PASS/.test(document.title));
    // The page becomes that of the finished run by itself.
    const verdict = page.locator('h1 .verdict');
    await verdict.waitFor({ timeout: 60000 });
    const run = await stack.over(id);
    assert.equal(await verdict.textContent(), run.verdict.level);
    assert.equal(await page.getByRole('button', { name: 'Stop now' }).count(), 0);
    assert.match(await page.title(), new RegExp(`^${run.verdict.level}`));
    await second.bringToFront();
    await second.locator('h1 .verdict').waitFor();
  });

  test('the forecast follows what is typed, which stays', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/new`);
    const button = page.getByRole('button', { name: /^Start/ });
    const duration = page.getByLabel('Duration');
    await duration.fill('');
    await duration.pressSequentially('45s');
    await page.getByRole('button', { name: /^Start: 45/ }).waitFor();
    const hint = page.locator('[id="options.duration-hint"]');
    await duration.fill('soon');
    await hint.locator('.wrong').waitFor();
    assert.equal(await duration.getAttribute('aria-invalid'), 'true');
    assert.equal(await button.textContent(), 'Start');
    await assertAccessible(page, 'a form with something wrong in it');
    assert.equal(await duration.inputValue(), 'soon');
    assert.ok(await duration.evaluate((field) => field === document.activeElement));
    await duration.fill('30s');
    await page.getByRole('button', { name: /^Start: 30/ }).waitFor();
    assert.equal(await hint.locator('.wrong').count(), 0);
    assert.equal(await duration.getAttribute('aria-invalid'), null);
    assert.ok(await page.getByRole('button', { name: 'Forecast' }).isHidden());
  });

  test('what stands in the form is kept, and told as commands', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/new?scenario=load`);
    await page.getByLabel('Name of the test').fill("kept's");
    await page.getByLabel('Suite').selectOption('tests/steady.js');
    await page.getByText('As a perf command').click();
    // The commands follow what is typed, and stay open.
    await page.getByText(String.raw`perf run tests/steady.js --name 'kept'\''s'`).waitFor();
    await assertAccessible(page, 'a form with its commands');
    await page.getByRole('button', { name: 'Save as test' }).click();
    await page.waitForURL(/\/new\?test=/);
    assert.equal(await page.getByLabel('Name of the test').inputValue(), "kept's");
    assert.equal(await page.getByLabel('Suite').inputValue(), 'tests/steady.js');
    await assertAccessible(page, 'the form of a kept test');
    await page.getByRole('button', { name: "Forget kept's" }).click();
    await page.waitForURL(/\/new$/);
    assert.equal(await page.getByText('Kept tests').count(), 0);
  });

  test('the numbers of the page are those of the documents', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    const family = `/api/v1/performancetest/${runs.steady}`;
    const [results, timeline] = [await stack.get(`${family}/results`), await stack.get(`${family}/timeline`)];
    const requests = timeline.reduce((sum, point) => sum + point.requests, 0);
    // The request of setup is in k6's sum and apart on the page.
    assert.equal(results.metrics.http_reqs.values.count, requests + 1);
    const row = page.locator('tr', { hasText: 'GET /health/live' }).first();
    assert.equal(await row.locator('td').nth(1).textContent(), requests.toLocaleString('en'));
    assert.match(await page.locator('tr', { hasText: 'setup and teardown, apart' }).textContent(), /apart1–/);
    assert.match(await page.locator('[data-live="rate"]').textContent(), new RegExp(`^${requests.toLocaleString('en')} \\(`));
    const { passes, fails } = results.checks[0];
    const check = await page.locator('tr', { hasText: 'status is 200' }).allTextContents();
    assert.ok(check.some((text) => text.includes(passes.toLocaleString('en'))) && fails === 0, check.join());
    assert.match(await page.locator('figcaption').first().textContent(), /Phases: setup 00:00 to 00:0\d, (load|steady)/);
  });

  test('what is wrong stands at its field, and nothing starts', async () => {
    const { stack, browser } = world;
    const before = await stack.get('/api/v1/performancetest/tests');
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/new`);
    await page.getByLabel('Virtual users').fill('100000');
    await page.getByLabel('p95 below, ms').fill('slow');
    await page.getByLabel('Seed').fill('7');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('alert').waitFor();
    assert.match(await page.getByLabel('p95 below, ms').getAttribute('aria-invalid'), /true/);
    assert.equal(await page.getByLabel('Seed').inputValue(), '7');
    await page.getByLabel('p95 below, ms').fill('500');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('alert').waitFor();
    assert.match(await page.getByLabel('Virtual users').getAttribute('aria-invalid'), /true/);
    assert.deepEqual(await stack.get('/api/v1/performancetest/tests'), before);
  });
}
