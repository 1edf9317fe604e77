import assert from 'node:assert/strict';
import { test } from 'node:test';

/** With minutes that they are behind UTC in January: no zone of whole hours, and one whose clocks are changed twice a year. */
const ZONES = { UTC: 0, 'Asia/Kathmandu': -345, 'Europe/Berlin': -60 };

export function zones(world) {
  test('browsers in all zones name the same instants', async () => {
    const { stack, browser, runs } = world;
    // It starts in the hour that clocks of Berlin skip or show twice.
    const schedule = { name: 'zoned', cron: '30 2 * * SUN', timeZone: 'Europe/Berlin', run: { scenario: 'Smoke', duration: '1s' } };
    const headers = { 'content-type': 'application/json' };
    const made = await fetch(`${stack.performance.url}/api/v1/performancetest/schedules`, { method: 'POST', headers, body: JSON.stringify(schedule) });
    assert.equal(made.status, 201, await made.text());
    for (const address of [`/runs/${runs.steady}`, '/runs', '/', '/tests/steady', '/schedules', `/compare?runs=${runs.steady},${runs.again}`]) {
      const shown = [];
      for (const [timezoneId, behind] of Object.entries(ZONES)) {
        const page = await browser.page({ timezoneId });
        await page.goto(`${stack.performance.url}${address}`);
        assert.equal(await page.evaluate(() => new Date('2026-01-01').getTimezoneOffset()), behind);
        const text = await page.locator('main').textContent();
        shown.push(text.match(/\d{4}-\d\d-\d\d.\d\d:\d\d(:\d\d)?( [A-Z]\w+|Z| [+-]\d\d:\d\d)?/g));
        await page.context().close();
      }
      assert.ok(shown[0].length > 0, address);
      assert.deepEqual(shown[1], shown[0], address);
      assert.deepEqual(shown[2], shown[0], address);
      // A clock without its zone says nothing.
      for (const clock of shown[0]) assert.match(clock, /( [A-Z]\w+|Z| [+-]\d\d:\d\d)$/, address);
    }
    await fetch(`${stack.performance.url}/api/v1/performancetest/schedules/zoned`, { method: 'DELETE' });
  });
}
