// Question: is this build slower or less right than the one before? Made for gates, so short and always the same.
// Model:    open; the rate is fixed, so that a slower build is not asked less (MODEL=closed: users who wait).
// Load:     regression: 17 requests a second for 1 minute, about 1,000 in all, enough for a p99.
// Limits:   catalogue p95 < 2 s, p99 < 5 s; failed requests < 1 %; none dropped. The gate compares with the baseline beside them.
// Reading:  a verdict of one run is a hint; perf gate --runs 5 tells noise from change.
import { catalogueSuite } from '../lib/catalogue-suite.js';

const suite = catalogueSuite({ presets: ['regression'], model: 'open' });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
