// Question: where does the catalogue give way when more and more users come?
// Model:    open; as many arrivals as readers, librarians and managers would make, however slow it gets (MODEL=closed: users who wait).
// Load:     stress: in steps up to 30 users for 19 minutes; gen-stress up to 40, p015-stress up to 100 for 27 minutes.
// Limits:   catalogue p95 < 5 s, p99 < 10 s; failed requests < 5 %: what may happen beyond the expected load.
// Reading:  find the step at which p95 leaves the line of the step before; errors that come before it are the real limit.
import { catalogueSuite } from '../lib/catalogue-suite.js';

const suite = catalogueSuite({ model: 'open', presets: ['stress', 'gen-stress', 'p015-stress'] });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
