import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

export function analyse(world) {
  test('a drag over the picture looks closer, by the address, for all figures', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    const whole = await page.locator('[data-live="rate"]').textContent();
    const box = await page.locator('svg.chart').first().boundingBox();
    const at = (share) => box.x + box.width * share;
    await page.mouse.move(at(0.5), box.y + 100);
    await page.mouse.down();
    await page.mouse.move(at(0.8), box.y + 100, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+&to=\d+/);
    const address = page.url();
    const [, from, to] = address.match(/from=(\d+)&to=(\d+)/).map(Number);
    const timeline = await stack.get(`/api/v1/performancetest/${runs.steady}/timeline`);
    const inside = timeline.filter(({ t }) => t >= from && t < to).reduce((sum, { requests }) => sum + requests, 0);
    const part = await page.locator('[data-live="rate"]').textContent();
    assert.match(part, new RegExp(`^${inside.toLocaleString('en')} \\(`));
    assert.notEqual(part, whole);
    await page.reload();
    assert.equal(await page.locator('[data-live="rate"]').textContent(), part);
    await page.locator('svg.chart').first().dblclick();
    await page.waitForURL((url) => url.search === '');
    assert.equal(await page.locator('[data-live="rate"]').textContent(), whole);
    await page.goBack();
    assert.equal(page.url(), address);
  });

  test('a box over the requests says what is in it, by the address', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    const map = page.locator('figure.heatmap svg.chart');
    await map.scrollIntoViewIfNeeded();
    const box = await map.boundingBox();
    const at = (across, up) => [box.x + box.width * across, box.y + box.height * up];
    await page.mouse.move(...at(0.1, 0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.6, 0.85), { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/box_from=\d+&box_to=\d+&above=[\d.]+&below=[\d.]+#requests/);
    const told = await page.locator('#inside strong').textContent();
    const [, inside, all] = told.match(/^([\d,]+) of ([\d,]+) requests/).map((text) => Number(text.replaceAll(',', '')));
    const timeline = await stack.get(`/api/v1/performancetest/${runs.steady}/timeline`);
    assert.equal(all, timeline.reduce((sum, { requests }) => sum + requests, 0));
    assert.ok(inside > 0 && inside < all, told);
    await page.reload();
    assert.equal(await page.locator('#inside strong').textContent(), told);
    // The fields say the same, and work without a script.
    const fields = await page.locator('form:has([name="box_from"])').evaluate((form) => Object.fromEntries(new FormData(form)));
    const address = new URL(page.url()).searchParams;
    for (const name of ['box_from', 'box_to', 'above', 'below']) assert.equal(Number(fields[name]), Number(address.get(name)), name);
  });

  test('keys alone start a run, read the picture, compare and export', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    const press = async (keys) => { for (const key of keys) await page.keyboard.press(key); };
    const focus = async (locator) => {
      for (let tab = 0; tab < 120; tab += 1) {
        await page.keyboard.press('Tab');
        if (await locator.evaluate((element) => element === document.activeElement)) return;
      }
      assert.fail(`no Tab leads to ${locator}`);
    };
    const slider = page.getByRole('slider', { name: 'Time in the run' });
    await focus(slider);
    await press(['Home', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight']);
    await page.waitForFunction(() => /t\+00:04 · p50 .* ms/.test(document.querySelector('[role="slider"]').getAttribute('aria-valuetext')));
    await press(['Shift+ArrowRight', 'Shift+ArrowRight', 'Enter']);
    await page.waitForURL(/from=4&to=7/);
    await focus(slider);
    await press(['KeyT', 'KeyZ']);
    await page.waitForURL((url) => url.search === '');
    await page.goto(`${stack.performance.url}/tests/steady`);
    await focus(page.getByRole('link', { name: 'with the run before' }).first());
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/compare\?runs=/);
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    const exported = page.waitForEvent('download');
    await focus(page.getByRole('link', { name: 'JUnit', exact: true }));
    await page.keyboard.press('Enter');
    const report = readFileSync(await (await exported).path(), 'utf8');
    assert.ok(report.includes('<testsuites'), report);
    await page.goto(stack.performance.url);
    await focus(page.getByRole('link', { name: 'Run steady again' }));
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/new\?run=/);
    await focus(page.getByLabel('Provider'));
    await focus(page.getByRole('button', { name: 'Start' }));
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\//);
    await focus(page.locator('summary', { hasText: 'Stop run' }));
    await page.keyboard.press('Enter');
    await focus(page.getByRole('button', { name: 'Stop now' }));
    await page.keyboard.press('Enter');
    await stack.over(page.url().split('/').pop());
  });

  test('a run of models shows their first tokens and what they cost', async () => {
    const { stack, browser } = world;
    const environment = { PROVIDER: 'claude', SCALE: '0.1', COUNT: '5' };
    const body = { testName: 'models', scenario: 'Smoke', testScript: 'tests/ai-summary.js', environment };
    const id = await stack.begin({ ...body, options: { virtualUsers: 3, duration: '12s' } });
    world.runs.models = id;
    const run = await stack.over(id);
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${id}`);
    assert.match(await page.locator('[data-live="ttft"]').textContent(), / ms$/, run.verdict.reasons.join());
    assert.match(await page.locator('[data-live="cost"]').textContent(), /^sim (\$|\d+ µ\$)/);
    const strips = await page.locator('svg.chart text.title').allTextContents();
    for (const title of ['First token, ms', 'Tokens per second', 'Dollars per minute']) assert.ok(strips.some((text) => text.startsWith(title)), title);
    // Every request of a suite names its trace while traces are sampled; one that was not reads so.
    const slowest = page.locator('h2#slowest ~ .wide').first().locator('tbody tr');
    const { slowest: stored } = await stack.get(`/api/v1/performancetest/${id}/results`);
    assert.equal(await slowest.count(), stored.length);
    for (const [index, { traceId }] of stored.entries()) {
      const cell = slowest.nth(index).locator('td').last();
      if (traceId) assert.match(await cell.locator('a').getAttribute('href'), new RegExp(`/trace/${traceId}$`));
      else assert.equal(await cell.textContent(), 'not sampled');
    }
    const ledger = await page.getByRole('link', { name: 'Ledger of model calls' }).getAttribute('href');
    const { attempts } = await (await fetch(ledger)).json();
    assert.ok(attempts.length > 0 && attempts.every(({ testId }) => testId === id), ledger);
    const traces = new URL(await page.getByRole('link', { name: 'Traces of the run' }).getAttribute('href'));
    assert.equal(JSON.parse(traces.searchParams.get('tags'))['test.id'], id);
  });
}
