// Debian's Chromium, and what every page is held to wherever a test goes: no violation of its policy, no error in
// its scripts, no request to another host.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.BOOKSTORE_TOOLS_DIR, 'web/package.json'));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What WCAG 2.2 asks for at levels A and AA. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** A service of the debug profile on a busy machine takes seconds. */
const PATIENCE_MS = 30000;

/** k6 reads the script, starts, and its first second passes. */
const FIRST_SECOND_MS = 60000;

export const SCREEN = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** A browser that collects what pages do wrong. */
export class Browser {
  static async start() {
    const browser = new Browser();
    const executablePath = process.env.CHROMIUM;
    // Root may not use Chromium's own sandbox; what is looked at here is ours.
    const args = process.getuid() === 0 ? ['--no-sandbox'] : [];
    browser.chromium = await chromium.launch({ executablePath, args });
    browser.wrong = [];
    // Nothing that waits for a page would ever end.
    browser.chromium.on('disconnected', () => {
      if (!browser.ending) throw new Error('the browser ended by itself');
    });
    return browser;
  }

  /** A page of a new window. `expected` are refusals that its console may name. */
  async page(options = {}) {
    const context = await this.chromium.newContext({ viewport: SCREEN, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    const page = await context.newPage();
    this.watch(page);
    return page;
  }

  watch(page) {
    page.on('pageerror', (error) => this.wrong.push(`${page.url()}: ${error.message}`));
    page.on('dialog', (dialog) => { this.wrong.push(`${page.url()}: a dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on('console', (message) => {
      // A refused form and a cut connection are what some tests are about.
      const expected = /Failed to load resource|net::ERR_/.test(message.text());
      if (message.type() === 'error' && !expected) this.wrong.push(`${page.url()}: ${message.text()}`);
    });
    page.on('request', (request) => {
      const { hostname } = new URL(request.url());
      if (hostname !== '127.0.0.1' && !request.url().startsWith('data:')) this.wrong.push(`a request to ${request.url()}`);
    });
  }

  /** Fails with everything that went wrong since the last time. */
  assertNothingWrong() {
    assert.deepEqual(this.wrong.splice(0), []);
  }

  async end() {
    this.ending = true;
    await this.chromium.close();
  }
}

/** Waits until the page of a run follows it; on a slow machine it may have followed it to its end by then. */
export function isLive(page) {
  const live = page.getByText('LIVE', { exact: true }).or(page.locator('h1 .verdict'));
  return live.waitFor({ timeout: FIRST_SECOND_MS });
}

/** Holds a page to WCAG 2.2 A and AA. */
export async function assertAccessible(page, what) {
  // By the debugger: the page's own policy lets no such script in.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((rules) => globalThis.axe.run({ runOnly: rules }), RULES);
  const found = violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
  assert.deepEqual(found, [], what);
}

/** The page itself does not scroll sideways; tables and pictures scroll inside of it. */
export async function assertFits(page, what) {
  const [needed, there] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(needed <= there, `${what} needs ${needed} px of ${there}`);
}

/** Keeps a picture of a page where somebody asked for one. */
export async function screenshot(page, name) {
  const directory = process.env.WEB_TESTS_SCREENSHOTS;
  if (directory) await page.screenshot({ path: path.join(directory, `${name}.png`), fullPage: true });
}
