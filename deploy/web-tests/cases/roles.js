import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, assertFits, screenshot } from '../browser.js';
import { TOKENS } from '../stack.js';

/** Addresses of the forms, with things that need not be there: who may not act is not told what there is. */
const FORMS = [
  ['POST', '/new'], ['POST', '/baselines'], ['POST', '/baselines/pin'], ['POST', '/baselines/rollback'], ['POST', '/baselines/withdraw'], ['POST', '/tests/a/notes'], ['POST', '/new/tests/0000/delete'],
  ['POST', '/schedules'], ['POST', '/schedules/nightly/run'], ['POST', '/webhooks'],
  ['POST', '/webhooks/ci/test'], ['POST', '/capacity'], ['POST', '/capacity/0000/cancel'], ['POST', '/runs/0000/cancel'],
];

/** Everything that the service's own description says changes something. */
async function changesOf(stack) {
  const { paths } = await stack.get('/swagger/v1/swagger.json');
  const changes = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).filter((method) => method !== 'get').map((method) => [method.toUpperCase(), path.replace(/\{\w+\}/g, '0000')]));
  return changes;
}

export function roles(world) {
  test('a viewer sees everything and can do nothing', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    await page.goto(stack.guarded.url);
    await page.waitForURL(/\/login$/);
    await assertAccessible(page, 'login');
    await assertFits(page, 'login');
    await screenshot(page, 'login-1440-light');
    await page.getByLabel('Token').fill('a guess');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Token').fill(TOKENS.viewer);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('viewer, viewer of default').waitFor();
    await page.goto(`${stack.guarded.url}/new`);
    assert.ok(await page.getByRole('button', { name: 'Start' }).isDisabled());
    await assertAccessible(page, 'new run of a viewer');
    await page.goto(`${stack.guarded.url}/`);
    const acts = [...FORMS, ...await changesOf(stack)];
    assert.ok(acts.length > 25, `${acts.length} actions`);
    for (const [method, address] of acts) {
      const status = await page.evaluate(async ([verb, path]) => {
        const headers = { 'content-type': path.includes('/api/') ? 'application/json' : 'application/x-www-form-urlencoded' };
        return (await fetch(path, { method: verb, headers, body: path.includes('/api/') ? '{}' : 'test=a' })).status;
      }, [method, address]);
      assert.equal(status, 403, `${method} ${address}`);
    }
    await page.goto(`${stack.guarded.url}/settings`);
    assert.equal(await page.getByText('PERFORMANCE_TOKENS_FILE').count(), 0);
    const { runs } = world;
    const other = await page.goto(`${stack.guarded.url}/runs/${runs.steady}`);
    assert.equal(other.status(), 404);
    assert.match(await page.locator('main').textContent(), /there is no such run/);
  });

  test('a page of another site changes nothing', async () => {
    const { stack, browser } = world;
    const before = await stack.get('/api/v1/performancetest/tests');
    const page = await browser.page();
    // A form on another origin, sent by a click there.
    await page.route('http://127.0.0.1:1/*', (route) => route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${stack.performance.url}/new"><input name="scenario" value="Smoke"><button>Win</button></form>`,
    }));
    await page.goto('http://127.0.0.1:1/site');
    const answer = page.waitForResponse((response) => response.url().endsWith('/new'));
    await page.getByRole('button', { name: 'Win' }).click();
    assert.equal((await answer).status(), 403);
    assert.deepEqual(await stack.get('/api/v1/performancetest/tests'), before);
  });
}
