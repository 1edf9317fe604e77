import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../until.js';

/** The longest that a run may last: four hours. */
const LONGEST = 14400;

/** What a browser may take until it can be used, whatever it shows. */
const USABLE_MS = 1000;

/** What a service of the debug profile may take to merge all histograms: its own bound on a call of the store. */
const MERGED_MS = 5000;

/** What the browser may hold of a page that is redrawn again and again. */
const MOST_GROWTH_BYTES = 4 * 1024 * 1024;
const REDRAWS = 40;

export function long(world) {
  test('the longest run is usable at once, and looking at it takes no more and more memory', async () => {
    const { stack, browser, runs } = world;
    const [id] = await stack.makeRuns('long', runs.steady, String(LONGEST));
    const page = await browser.page();
    await page.goto(`${stack.performance.url}/runs/${id}`);
    await page.getByRole('slider', { name: 'Time in the run' }).focus();
    await page.evaluate(() => {
      globalThis.usable = new Promise((resolve) => {
        document.addEventListener('keydown', () => { requestAnimationFrame(() => resolve(Boolean(document.querySelector('svg.chart .crosshair')))); });
      });
    });
    await page.keyboard.press('Home');
    assert.ok(await page.evaluate(() => globalThis.usable), 'the crosshair is drawn with the next picture');
    const [merged, drawn] = await page.evaluate(() => {
      const [{ requestStart, responseEnd, domComplete }] = performance.getEntriesByType('navigation');
      return [responseEnd - requestStart, domComplete - responseEnd];
    });
    assert.ok(merged < MERGED_MS, `the service took ${merged} ms`);
    assert.ok(drawn < USABLE_MS, `the browser took ${drawn} ms`);
    assert.equal(await page.locator('svg.chart').first().getAttribute('data-to'), String(LONGEST));
    const debuggerSession = await page.context().newCDPSession(page);
    const heap = async () => {
      await debuggerSession.send('HeapProfiler.collectGarbage');
      return (await debuggerSession.send('Runtime.getHeapUsage')).usedSize;
    };
    const redraw = () => page.evaluate(() => {
      const figures = document.getElementById('figures');
      figures.replaceWith(figures.cloneNode(true));
      document.dispatchEvent(new Event('figures'));
    });
    await redraw();
    const before = await heap();
    for (let time = 0; time < REDRAWS; time += 1) await redraw();
    await until('memory is given back', 5000, async () => {
      const grown = (await heap()) - before;
      assert.ok(grown < MOST_GROWTH_BYTES, `${grown} bytes`);
    });
  });
}
