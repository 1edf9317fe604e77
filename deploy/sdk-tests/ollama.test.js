// Ollama's official client.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Ollama } from "ollama";

import * as simulator from "./simulator.js";

const client = new Ollama({ host: simulator.url });
const model = "llama3.2";
const messages = [{ role: "user", content: simulator.prompt }];

async function assertMetered(reply) {
  const call = await simulator.lastCall();
  assert.ok(reply.done);
  assert.deepEqual(
    [reply.prompt_eval_count, reply.eval_count],
    [call.inputTokens, call.outputTokens],
  );
}

beforeEach(simulator.reset);

test("ollama: a chat, whole and streamed", async () => {
  const whole = await client.chat({ model, messages });
  await assertMetered(whole);
  await simulator.reset();
  let text = "";
  let last;
  for await (const part of await client.chat({ model, messages, stream: true })) {
    text += part.message.content;
    last = part;
  }
  assert.equal(text, whole.message.content);
  await assertMetered(last);
});

test("ollama: a completion, whole and streamed", async () => {
  await assertMetered(await client.generate({ model, prompt: simulator.prompt }));
  let last;
  const stream = await client.generate({ model, prompt: simulator.prompt, stream: true });
  for await (const part of stream) last = part;
  await assertMetered(last);
});

test("ollama: models", async () => {
  const { models } = await client.list();
  assert.ok(models.some(({ name }) => name === "llama3.2:latest"));
  assert.ok((await client.ps()).models.length > 0);
  assert.deepEqual((await client.show({ model })).capabilities, ["completion"]);
});

test("ollama: an error status", async () => {
  await simulator.failWith(503);
  const error = await client.chat({ model, messages }).catch((error) => error);
  assert.equal(error.status_code, 503);
});
