// Question: how does the catalogue take a sudden peak, and is it the same again afterwards?
// Model:    open; as many arrivals as readers, librarians and managers would make, however slow it gets (MODEL=closed: users who wait).
// Load:     spike: 5 users, ten times as many within 10 s for 3 minutes, 5 again; gen-spike, p015-spike alike.
// Limits:   catalogue p95 < 8 s, p99 < 15 s; failed requests < 10 %: nobody is turned away for good.
// Reading:  compare the minutes after the peak with those before it; what stays slow has not recovered.
import { catalogueSuite } from '../lib/catalogue-suite.js';

const suite = catalogueSuite({ model: 'open', presets: ['spike', 'gen-spike', 'p015-spike'] });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
