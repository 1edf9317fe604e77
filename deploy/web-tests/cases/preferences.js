import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAccessible, screenshot } from '../browser.js';

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

async function prefer(page, label, words) {
  await page.getByLabel(label).selectOption({ label: words });
  await page.getByRole('button', { name: 'Keep in this browser' }).click();
  await page.waitForURL(/\/settings#preferences$/);
  assert.equal(await page.getByLabel(label).locator('option:checked').textContent(), words);
}

export function preferences(world) {
  for (const javaScriptEnabled of [true, false]) {
    test(`colours are chosen and kept, ${javaScriptEnabled ? 'with' : 'without'} scripts`, async () => {
      const { stack, browser } = world;
      const page = await browser.page({ colorScheme: 'light', javaScriptEnabled });
      await page.goto(`${stack.performance.url}/settings`);
      const light = await ground(page);
      await prefer(page, 'Colours', 'dark');
      const dark = await ground(page);
      assert.notEqual(dark, light);
      await page.goto(stack.performance.url);
      assert.equal(await ground(page), dark);
      // Paper stays light.
      await page.emulateMedia({ media: 'print' });
      assert.equal(await ground(page), light);
      await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
      await page.goto(`${stack.performance.url}/settings`);
      await prefer(page, 'Colours', 'light');
      assert.equal(await ground(page), light);
      await prefer(page, 'Colours', 'as the system has it');
      assert.equal(await ground(page), dark);
    });
  }

  test('the address of what is seen is copied', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${stack.performance.url}/runs/${runs.steady}?from=3&to=6`);
    await page.getByRole('button', { name: 'Share' }).click();
    await page.getByRole('button', { name: 'Address copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
    const plain = await browser.page({ javaScriptEnabled: false });
    await plain.goto(page.url());
    assert.ok(await plain.locator('[data-share]').isHidden());
  });

  test('single keys lead everywhere, until they are turned off', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page();
    const goes = (key, address) => Promise.all([page.waitForURL((url) => `${url.pathname}${url.hash}` === address), page.keyboard.press(key)]);
    await page.goto(stack.performance.url);
    for (const [key, address] of [['n', '/new'], ['s', '/spend'], ['h', '/'], ['t', '/#tests']]) {
      await page.keyboard.press('g');
      await goes(key, address);
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await assertAccessible(page, 'the list of keys');
    await screenshot(page, 'keys-1440-light');
    await page.keyboard.press('Escape');
    await goes('/', '/runs#find');
    assert.equal(await page.evaluate(() => document.activeElement.name), 'test');
    // In a field they are letters.
    await page.keyboard.type('gn?');
    assert.equal(await page.getByLabel('Test', { exact: true }).inputValue(), 'gn?');
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    await goes(']', `/runs/${runs.again}`);
    await goes('[', `/runs/${runs.steady}`);
    await page.goto(`${stack.performance.url}/settings`);
    await prefer(page, 'Single keys', 'do nothing');
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press('?');
    await page.keyboard.press('g');
    await page.keyboard.press('n');
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.match(page.url(), /\/settings#preferences$/);
  });

  test('a run on paper says where it is from, and nothing is folded', async () => {
    const { stack, browser, runs } = world;
    const page = await browser.page({ colorScheme: 'dark' });
    await page.goto(`${stack.performance.url}/runs/${runs.steady}`);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const row = page.locator('details tbody tr').first();
    assert.ok((await row.boundingBox()).height > 0);
    const paper = await page.pdf({ preferCSSPageSize: true });
    assert.ok(paper.length > 10000);
    assert.match(await page.locator('footer .printed').textContent(), new RegExp(`/runs/${runs.steady}, printed \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC$`));
  });
}
