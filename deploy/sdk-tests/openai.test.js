// OpenAI's official client: chat completions and responses.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import OpenAI from "openai";

import * as simulator from "./simulator.js";

const clientOf = (apiKey) =>
  new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey, maxRetries: 0 });
const client = clientOf(simulator.key);
const model = "gpt-4.1";
const chat = { model, messages: [{ role: "user", content: simulator.prompt }] };
const ask = { model, input: simulator.prompt };

async function assertMetered(input, output) {
  const call = await simulator.lastCall();
  assert.equal(call.outcome, "completed");
  assert.deepEqual([input, output], [call.inputTokens, call.outputTokens]);
}

beforeEach(simulator.reset);

test("openai: a whole completion", async () => {
  const { choices, usage } = await client.chat.completions.create(chat);
  assert.ok(choices[0].message.content);
  assert.equal(choices[0].finish_reason, "stop");
  await assertMetered(usage.prompt_tokens, usage.completion_tokens);
});

test("openai: a streamed completion", async () => {
  const stream = await client.chat.completions.create({
    ...chat,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let usage;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  await simulator.reset();
  const whole = await client.chat.completions.create(chat);
  assert.equal(text, whole.choices[0].message.content);
  await assertMetered(usage.prompt_tokens, usage.completion_tokens);
});

test("openai: a whole response", async () => {
  const response = await client.responses.create(ask);
  assert.equal(response.status, "completed");
  assert.ok(response.output_text);
  await assertMetered(response.usage.input_tokens, response.usage.output_tokens);
});

test("openai: a streamed response", async () => {
  let text = "";
  const stream = client.responses.stream(ask);
  stream.on("response.output_text.delta", ({ delta }) => (text += delta));
  const response = await stream.finalResponse();
  assert.equal(response.output_text, text);
  await assertMetered(response.usage.input_tokens, response.usage.output_tokens);
});

test("openai: models", async () => {
  const ids = [];
  for await (const listed of client.models.list()) ids.push(listed.id);
  assert.ok(ids.includes(model));
  await assert.rejects(client.models.retrieve("none"), OpenAI.NotFoundError);
});

test("openai: an error status", async () => {
  await simulator.failWith(429);
  await assert.rejects(client.chat.completions.create(chat), OpenAI.RateLimitError);
  await assert.rejects(client.responses.create(ask), OpenAI.RateLimitError);
});

test("openai: a wrong key", async () => {
  const wrong = clientOf("wrong");
  await assert.rejects(wrong.chat.completions.create(chat), OpenAI.AuthenticationError);
  await assert.rejects(wrong.responses.create(ask), OpenAI.AuthenticationError);
});
