// The pages as people use them: real Chromium, real services, real k6. One after the other, since
// the service carries out one run at a time.
import { after, afterEach, before, describe } from 'node:test';
import { Browser } from './browser.js';
import { analyse } from './cases/analyse.js';
import { baselines } from './cases/baselines.js';
import { comparing } from './cases/comparing.js';
import { home } from './cases/home.js';
import { hostile } from './cases/hostile.js';
import { live } from './cases/live.js';
import { long } from './cases/long.js';
import { looks } from './cases/looks.js';
import { plain } from './cases/plain.js';
import { preferences } from './cases/preferences.js';
import { roles } from './cases/roles.js';
import { starting } from './cases/starting.js';
import { trends } from './cases/trends.js';
import { zones } from './cases/zones.js';
import { Stack } from './stack.js';

/** What the cases share: `stack`, `browser`, and the `runs` that earlier ones made. */
const world = { runs: {} };

describe('the pages', { timeout: 900000 }, () => {
  before(async () => {
    world.stack = await Stack.start();
    world.browser = await Browser.start();
  });
  after(async () => {
    await world.browser?.end();
    await world.stack?.end();
  });
  afterEach(async () => {
    for (const context of world.browser.chromium.contexts()) await context.close();
    world.browser.assertNothingWrong();
  });
  starting(world);
  live(world);
  home(world);
  comparing(world);
  trends(world);
  baselines(world);
  hostile(world);
  plain(world);
  analyse(world);
  preferences(world);
  zones(world);
  long(world);
  roles(world);
  looks(world);
});
