// The preview of the dashboards, looked at in a browser: dashboards.js URL. Every panel is drawn or says that it has no
// data, nothing breaks the page's policy, nothing runs over its edge, on a screen and on a telephone, in both themes.
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

async function look(browser, dashboards) {
  const screen = await browser.page({ viewport: PICTURE, colorScheme: 'light' });
  for (const { uid } of dashboards) {
    await open(screen, url, uid);
    const { all, empty, failed } = await states(screen);
    assert.ok(all > 0, `${uid} has no panel`);
    assert.deepEqual(failed, [], uid);
    await assertFits(screen, uid);
    const pictures = process.env.DASHBOARD_PICTURES;
    if (pictures && uid !== 'mega') await screen.screenshot({ path: path.join(pictures, `${uid}.png`), fullPage: true });
    console.log(`ok      ${uid}: ${all} panels drawn${empty.length > 0 ? `, without data: ${empty.join(', ')}` : ''}`);
  }
  await assertAccessible(screen, 'the preview');
  await screen.context().close();
  const phone = await browser.page({ viewport: PHONE, colorScheme: 'dark' });
  await open(phone, url, 'load-test');
  await assertFits(phone, 'the preview on a telephone');
  await assertAccessible(phone, 'the preview on a telephone');
  browser.assertNothingWrong();
}

const browser = await Browser.start();
try {
  const reply = await fetch(`${url}/dashboards`);
  await look(browser, await reply.json());
} finally {
  await browser.end();
}
