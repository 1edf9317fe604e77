// Anthropic's official client.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import * as simulator from "./simulator.js";

const clientOf = (apiKey) => new Anthropic({ baseURL: simulator.url, apiKey, maxRetries: 0 });
const client = clientOf(simulator.key);
const model = "claude-sonnet-5-5";
const ask = { model, max_tokens: 500, messages: [{ role: "user", content: simulator.prompt }] };

async function assertMetered(usage) {
  const call = await simulator.lastCall();
  assert.equal(call.outcome, "completed");
  assert.deepEqual([usage.input_tokens, usage.output_tokens], [call.inputTokens, call.outputTokens]);
}

beforeEach(simulator.reset);

test("anthropic: a whole message", async () => {
  const message = await client.messages.create(ask);
  assert.equal(message.stop_reason, "end_turn");
  assert.ok(message.content[0].text);
  assert.match(message._request_id, /^req_/);
  await assertMetered(message.usage);
});

test("anthropic: a streamed message", async () => {
  let text = "";
  const stream = client.messages.stream(ask).on("text", (piece) => (text += piece));
  const message = await stream.finalMessage();
  assert.equal(message.content[0].text, text);
  await assertMetered(message.usage);
});

test("anthropic: counted tokens and models", async () => {
  const counted = await client.messages.countTokens({ model, messages: ask.messages });
  assert.equal(counted.input_tokens, (await client.messages.create(ask)).usage.input_tokens);
  const ids = [];
  for await (const listed of client.models.list({ limit: 2 })) ids.push(listed.id);
  assert.ok(ids.includes(model) && ids.length > 2, ids);
});

test("anthropic: an error status", async () => {
  await simulator.failWith(529);
  const error = await client.messages.create(ask).catch((error) => error);
  assert.equal(error.status, 529);
  assert.equal(error.error.error.type, "overloaded_error");
});

test("anthropic: a wrong key", async () => {
  await assert.rejects(clientOf("wrong").messages.create(ask), Anthropic.AuthenticationError);
});
