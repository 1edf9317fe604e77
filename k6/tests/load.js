// Question: do the catalogue's latencies and errors stay within their limits under the expected load?
// Model:    closed; readers, librarians and managers think between requests, mostly 1 to 3 s (MODEL=open: arrivals).
// Load:     load: up to 10 users for 10 minutes; every other shape of the catalogue fits too, by SCENARIO. SCALE shrinks it.
// Limits:   catalogue p95 < 2 s, p99 < 5 s; failed requests < 1 %; right answers > 99 % (other presets: presets.js).
// Reading:  compare percentiles per route name; a closed run that gets slower also asks less, so read the rate beside them.
import { catalogueSuite } from '../lib/catalogue-suite.js';

const suite = catalogueSuite({
  presets: [
    'load', 'smoke', 'stress', 'spike', 'soak', 'volume', 'regression', 'season',
    'gen-load', 'gen-stress', 'gen-spike', 'p015-load', 'p015-stress', 'p015-spike', 'p015-soak',
  ],
});
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
