// A dashboard in the preview, opened with all of its rows.

/** Panels of a dashboard ask Prometheus some fifty times. */
const DRAWN_MS = 60000;

/** Pictures stand in guides, where a column is about this wide. */
export const PICTURE = { width: 1200, height: 800 };

/** Opens a dashboard, and waits until each panel has said something. */
export async function open(page, url, uid, from = 'now-5m') {
  await page.goto(`${url}/d/${uid}?from=${from}&to=now`);
  await page.waitForSelector('body[data-state]', { timeout: DRAWN_MS });
  await page.evaluate(() => document.querySelectorAll('details.row').forEach((row) => { row.open = true; }));
  await page.waitForFunction(() => !document.querySelector('.panel[data-state="waiting"]'), null, { timeout: DRAWN_MS });
}
