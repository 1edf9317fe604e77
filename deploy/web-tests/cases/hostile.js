import assert from 'node:assert/strict';
import { test } from 'node:test';

const MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(2)>';

/** Other texts that somebody may write: quotes of all kinds, letters that turn the direction, and very much. */
const TEXTS = {
  quotes: `'"\u201c\u2019\`\${1+1}{{7*7}}<%= 7 %>&amp;&#x3c;`,
  direction: '\u202egnp.txt\u2066\u200f \u05e9\u05dc\u05d5\u05dd',
  long: `${MARKUP}${'x'.repeat(10 * 1024)}`,
};

/** Where texts are written. */
const FIELDS = 'input:not([type="hidden"]):not([type="checkbox"]):not([type="radio"]), textarea';

/** Pages with forms that change something. */
const FORMS = ['/new', '/schedules', '/webhooks', '/capacity', '/baselines/one?test=stepping&environment=local&scenario=Smoke'];

export function hostile(world) {
  test('markup in names, values, checks and log lines is text on every page', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/new`);
    // Each text of the form in turn; what is refused is shown again.
    for (const label of ['Virtual users', 'Duration', 'Iterations', 'Scale', 'k6 processes', 'Books', 'Seed', 'p95 below, ms', 'Further thresholds']) {
      await page.goto(`${stack.performance.url}/new`);
      await page.getByLabel(label).fill(MARKUP);
      await page.getByRole('button', { name: 'Start' }).click();
      await page.getByRole('alert').waitFor();
      assert.equal(await page.getByLabel(label).inputValue(), MARKUP);
    }
    // What the form refuses, another client may say.
    const environment = { SEED: MARKUP, PROVIDER: MARKUP };
    const id = await stack.begin({ testName: MARKUP, scenario: 'Smoke', testScript: 'tests/hostile.js', environment });
    world.runs.hostile = id;
    await stack.over(id);
    const test = encodeURIComponent(MARKUP);
    const report = `/api/v1/performancetest/${id}/export?format=html`;
    for (const address of [`/runs/${id}`, '/', '/runs', `/runs?test=${test}`, `/tests/${test}`, `/new?run=${id}`, `/audit?user=${test}`, report]) {
      if (address === report) {
        // It comes as a download; here it is opened as who got it would.
        const html = await (await fetch(`${stack.performance.url}${address}`)).text();
        await page.goto('about:blank');
        await page.setContent(html);
      } else {
        await page.goto(`${stack.performance.url}${address}`);
      }
      assert.equal(await page.locator('img').count(), 0, address);
      assert.equal(await page.locator('main script').count(), 0, address);
    }
    await page.goto(`${stack.performance.url}/runs/${id}`);
    const text = await page.locator('main').textContent();
    // Left-to-right and right-to-left marks stay where they are, and turn nothing around them.
    assert.ok(text.includes('missing \u202e<img'), 'the endpoint is shown as it is');
    for (const place of [`${MARKUP} #`, 'GET <img src=x', 'failed <img src=x', '</pre><script>alert(2)']) assert.ok(text.includes(place), place);
  });

  test('quotes, turned directions and very long texts in every field of every form are text', async () => {
    const { stack, browser } = world;
    const page = await browser.page();
    for (const address of FORMS) {
      for (const [what, text] of Object.entries(TEXTS)) {
        await page.goto(`${stack.performance.url}${address}`);
        const form = page.locator('form[method="post"]').filter({ has: page.locator(FIELDS) }).first();
        const fields = form.locator(FIELDS);
        const count = await fields.count();
        assert.ok(count > 0, address);
        for (let index = 0; index < count; index += 1) {
          const field = fields.nth(index);
          // What the browser itself bounds is sent around it.
          await field.evaluate((element, value) => { element.removeAttribute('maxlength'); element.removeAttribute('pattern'); element.removeAttribute('required'); element.type = 'text'; element.value = value; }, text);
        }
        const answer = page.waitForResponse((response) => response.request().method() === 'POST');
        await form.evaluate((element) => { element.noValidate = true; element.requestSubmit(); });
        const status = (await answer).status();
        assert.ok(status < 500, `${address}, ${what}: ${status}`);
        await page.waitForLoadState();
        assert.equal(await page.locator('img').count(), 0, `${address}, ${what}`);
        assert.equal(await page.locator('main script').count(), 0, `${address}, ${what}`);
        assert.ok((await page.locator('body').textContent()).trim().length > 0, `${address}, ${what}`);
      }
    }
    // Names that are accepted stand on every page that lists them.
    const name = `${TEXTS.quotes} ${TEXTS.direction}`.slice(0, 100);
    const id = await stack.begin({ testName: name, scenario: 'Smoke', testScript: 'tests/hostile.js' });
    await stack.over(id);
    for (const address of ['/', '/runs', `/runs/${id}`, `/tests/${encodeURIComponent(name)}`, `/compare?runs=${id},${world.runs.hostile}`]) {
      await page.goto(`${stack.performance.url}${address}`);
      assert.ok((await page.locator('main').textContent()).includes(name), address);
      assert.equal(await page.locator('main script, img').count(), 0, address);
    }
  });
}
