// Question: does the model answer at all, and what does one summary take in time, tokens and money?
// Model:    closed; each user asks for one summary, reads it, mostly for 3 to 8 s, asks again (MODEL=open: arrivals).
// Load:     llmsmoke: up to 2 users for 3 minutes. PROVIDER picks the model's side.
// Limits:   AI routes p95 < 8 s, p99 < 12 s; failed < 5 %; first token p95 < 4 s; every answer from the model, none from a cache.
// Reading:  read ai_ttft and ai_cost_per_call first: they are those of an idle system.
import { aiSuite } from '../lib/ai-suite.js';

const suite = aiSuite({ presets: ['llmsmoke'] });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
