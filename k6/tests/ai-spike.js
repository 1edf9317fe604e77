// Question: what happens to summaries when ten times as many readers come at once?
// Model:    open; as many arrivals as users who read mostly for 3 to 8 s would make (MODEL=closed: users who wait).
// Load:     llmspike: 2 users, 20 within 20 s for 3 minutes, 2 again. PROVIDER picks the model's side.
// Limits:   AI routes p95 < 8 s, p99 < 12 s; failed < 5 %; first token p95 < 4 s; every answer from the model, none from a cache.
// Reading:  a queue shows in ai_ttft, a refusal in ai_operation_failed; afterwards both must be as before.
import { aiSuite } from '../lib/ai-suite.js';

const suite = aiSuite({ model: 'open', presets: ['llmspike'] });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
