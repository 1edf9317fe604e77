// Question: does anything leak, fill up or slow down when the expected load goes on and on?
// Model:    closed; readers, librarians and managers think between requests, mostly 1 to 3 s (MODEL=open: arrivals).
// Load:     soak: 10 users for 30 minutes; p015-soak: 15 users for 30 minutes. For a night: VUS=10 DURATION=8h.
// Limits:   catalogue p95 < 2 s, p99 < 5 s; failed requests < 1 %, in each half minute too (limits/soak.toml).
// Reading:  a slope matters, not a value: compare the first five minutes with the last, and the memory of the process.
import { catalogueSuite } from '../lib/catalogue-suite.js';

const suite = catalogueSuite({ presets: ['soak', 'p015-soak', 'volume'] });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
