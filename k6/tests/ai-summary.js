// Question: how fast do summaries come, how soon their first token, and what do they cost?
// Model:    closed; each user asks for one summary, reads it, mostly for 3 to 8 s, asks again (MODEL=open: arrivals).
// Load:     every shape of AI load by SCENARIO; smoke, the usual one: up to 2 users for 3 minutes. PROVIDER picks the model's side.
// Limits:   AI routes p95 < 8 s, p99 < 12 s; failed < 5 %; first token p95 < 4 s; every answer from the model, none from a cache.
// Reading:  ai_ttft is the model's wait, the rest its length; ai_cost_real is money, ai_cost_simulated what it would have been.
import { aiSuite } from '../lib/ai-suite.js';

const suite = aiSuite({ presets: ['llmsmoke', 'llmload', 'llmstress', 'llmspike', 'connect-ai'] });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
