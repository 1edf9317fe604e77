// Question: do summaries stay fast, right and affordable under the expected load?
// Model:    closed; each user asks for one summary, reads it, mostly for 3 to 8 s, asks again (MODEL=open: arrivals).
// Load:     llmload: up to 5 users for 12 minutes; connect-ai: up to 150 users for 13 minutes. PROVIDER picks the model's side.
// Limits:   AI routes p95 < 8 s, p99 < 12 s; failed < 5 %; first token p95 < 4 s; every answer from the model, none from a cache.
// Reading:  hold ai_ttft against that of ai-smoke: the difference is waiting for a place, here or at the provider.
import { aiSuite } from '../lib/ai-suite.js';

const suite = aiSuite({ presets: ['llmload', 'connect-ai'] });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
