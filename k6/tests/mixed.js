// Question: does the catalogue stay fast while some wait for models?
// Model:    closed; 20 of 100 visits ask for a summary, the others use the catalogue; since models are slow, about four of ten users are at it at a time (MODEL=open: arrivals).
// Load:     mixed: up to 15 users for 23 minutes; connect-mixed: up to 150 users for 27 minutes.
// Limits:   catalogue p95 < 1 s, p99 < 2 s; AI p95 < 8 s, p99 < 12 s; failed requests < 2 %.
// Reading:  read catalogue and AI apart: the catalogue's p95 must be that of load.js; if it is not, both share something they should not.
import { mixedSuite } from '../lib/mixed-suite.js';

const suite = mixedSuite({ presets: ['mixed', 'connect-mixed'], share: 0.2 });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
