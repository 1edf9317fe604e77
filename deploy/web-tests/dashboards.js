// The preview of the dashboards, looked at in a browser: dashboards.js URL. Every panel is drawn or says that it has no
// data, nothing breaks the page's policy, nothing runs over its edge, on a screen and on a telephone, in both themes.
// A dot of a chart leads to its trace, a panel's link to the traces of its time, each with spans, dollars and log lines.
// DASHBOARD_PICTURES=DIRECTORY keeps a picture of each but Mega, which has the panels of all.
import assert from 'node:assert/strict';
import path from 'node:path';
import { assertAccessible, assertFits, Browser, PHONE } from './browser.js';
import { open, PICTURE } from './preview.js';

const [url] = process.argv.slice(2);

/** Panels by their state, and what those that failed say. */
function states(page) {
  return page.evaluate(() => {
    const panels = [...document.querySelectorAll('.panel')];
    const failed = panels.filter((panel) => panel.dataset.state === 'failed');
    return {
      all: panels.length,
      empty: panels.filter((panel) => panel.dataset.state === 'empty').map((panel) => panel.querySelector('h2').textContent),
      failed: failed.map((panel) => panel.innerText),
    };
  });
}

/** Where a panel's chart has a dot: the pointer looks for it, as somebody would who cannot see it. */
function findDot(page, title) {
  return page.evaluate((wanted) => {
    const panel = [...document.querySelectorAll('.panel')].find((one) => one.querySelector('h2').textContent === wanted);
    panel.scrollIntoView({ block: 'center' });
    const over = panel.querySelector('.u-over');
    const box = over.getBoundingClientRect();
    const pointsAtDot = (place) => {
      over.dispatchEvent(new MouseEvent('mousemove', place));
      return over.style.cursor === 'pointer';
    };
    for (let x = 0; x <= box.width; x += 4) {
      const rows = Array.from({ length: Math.floor(box.height / 2) }, (_, n) => box.top + 2 * n);
      const hits = rows.filter((clientY) => pointsAtDot({ clientX: box.left + x, clientY }));
      // The first column that is near a dot is at its left: its middle is some pixels further.
      if (hits.length > 0) return { x: box.left + x + 6, y: hits[Math.floor(hits.length / 2)] };
    }
    return null;
  }, title);
}

/** What a trace's page must tell. */
async function assertTrace(page) {
  await page.waitForURL(/\/trace\/[0-9a-f]{32}$/);
  const spans = await page.locator('table tbody tr').allInnerTexts();
  assert.ok(spans.some((text) => text.includes('generate-summary')), spans.join('\n'));
  assert.ok(spans.some((text) => /chat .*tokens [1-9]/s.test(text)), spans.join('\n'));
  assert.match(await page.locator('main').innerText(), /[1-9]\d* attempts?, simulated: .*\$0\.\d+/);
  assert.match(await page.locator('pre').innerText(), /bookstore-api .*span_id=[0-9a-f]{16}/);
}

/** Keeps a picture where somebody asked for one. */
async function keep(page, name) {
  const pictures = process.env.DASHBOARD_PICTURES;
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

/** From a chart to a request in full, and its log lines: once by its dot, once by the search behind a panel's link. */
async function toTheCause(browser) {
  for (const options of [{ colorScheme: 'light' }, { viewport: PHONE, colorScheme: 'dark' }]) {
    const page = await browser.page(options);
    const name = options.viewport ? 'trace-phone' : 'trace';
    await open(page, url, 'llm-cost-and-tokens');
    const dot = await findDot(page, 'Cost per call');
    assert.ok(dot, 'no dot can be clicked');
    await page.mouse.click(dot.x, dot.y);
    await assertTrace(page);
    await assertFits(page, name);
    await assertAccessible(page, name);
    await keep(page, name);
    await page.goBack();
    await open(page, url, 'llm-cost-and-tokens');
    const panel = page.locator('.panel', { has: page.getByRole('heading', { name: 'Cost per call', exact: true }) });
    await panel.getByText('Go to').click();
    await panel.getByRole('link', { name: 'Traces of this time' }).click();
    await page.waitForURL(/\/search\?/);
    await assertFits(page, `${name}s`);
    await assertAccessible(page, `${name}s`);
    await keep(page, `${name}s`);
    await page.locator('tbody a').first().click();
    await page.waitForURL(/\/trace\//);
    assert.ok(await page.locator('tbody tr').count() > 0, 'a trace that was found has no span');
    await page.context().close();
  }
  console.log('ok      a dot and a link lead to spans, dollars and log lines');
}

async function look(browser, dashboards) {
  const screen = await browser.page({ viewport: PICTURE, colorScheme: 'light' });
  for (const { uid } of dashboards) {
    await open(screen, url, uid);
    const { all, empty, failed } = await states(screen);
    assert.ok(all > 0, `${uid} has no panel`);
    assert.deepEqual(failed, [], uid);
    await assertFits(screen, uid);
    if (uid !== 'mega') await keep(screen, uid);
    console.log(`ok      ${uid}: ${all} panels drawn${empty.length > 0 ? `, without data: ${empty.join(', ')}` : ''}`);
  }
  await assertAccessible(screen, 'the preview');
  await screen.context().close();
  const phone = await browser.page({ viewport: PHONE, colorScheme: 'dark' });
  await open(phone, url, 'load-test');
  await assertFits(phone, 'the preview on a telephone');
  await assertAccessible(phone, 'the preview on a telephone');
  await toTheCause(browser);
  browser.assertNothingWrong();
}

const browser = await Browser.start();
try {
  const reply = await fetch(`${url}/dashboards`);
  await look(browser, await reply.json());
} finally {
  await browser.end();
}
