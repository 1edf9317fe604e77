// Question: do streamed summaries begin soon, come whole, and end as they must?
// Model:    closed; each user asks for one summary, reads it, mostly for 3 to 8 s, asks again (MODEL=open: arrivals).
// Load:     llmsmoke: up to 2 users for 3 minutes; llmload and llmspike fit too. PROVIDER picks the model's side.
// Limits:   AI routes p95 < 8 s, p99 < 12 s; failed < 5 %; first token p95 < 4 s; every answer from the model, none from a cache.
// Reading:  ai_ttft is when the first text left the server; k6 reads a stream at its end, so http_req_duration is the whole.
import { aiSuite } from '../lib/ai-suite.js';

const suite = aiSuite({ presets: ['llmsmoke', 'llmload', 'llmspike'], stream: true });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
