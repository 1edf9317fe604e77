// Question: how many readers at once can the provider and our places in front of it serve?
// Model:    open; as many arrivals as users who read mostly for 3 to 8 s would make (MODEL=closed: users who wait).
// Load:     llmstress: in steps up to 15 users for 17 minutes. PROVIDER picks the model's side.
// Limits:   AI routes p95 < 8 s, p99 < 12 s; failed < 5 %; first token p95 < 4 s; every answer from the model, none from a cache.
// Reading:  ai_refused_by_provider, _queue, _budget and _circuit tell who refuses. Each is better than waiting.
import { aiSuite } from '../lib/ai-suite.js';

const suite = aiSuite({ model: 'open', presets: ['llmstress'] });
export const { options, setup, teardown, handleSummary } = suite;
export default suite.visit;
