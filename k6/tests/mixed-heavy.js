// Question: does the catalogue stay fast when half of the visits ask for a summary?
// Model:    closed; 50 of 100 visits ask for a summary, the others use the catalogue; about three of four users are at it at a time (MODEL=open: arrivals).
// Load:     mixedheavy: up to 15 users for 23 minutes.
// Limits:   catalogue p95 < 1 s, p99 < 2 s; AI p95 < 12 s, p99 < 18 s; failed requests < 3 %.
// Reading:  read catalogue and AI apart: compare with mixed.js; what grows faster than the share of AI visits is the bottleneck.
import { mixedSuite } from '../lib/mixed-suite.js';

const suite = mixedSuite({ presets: ['mixedheavy'], share: 0.5 });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
