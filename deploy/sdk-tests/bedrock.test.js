// Bedrock by AWS' official client, which speaks HTTP/2 without asking.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";

import * as simulator from "./simulator.js";

const clientOf = (secretAccessKey) =>
  new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: simulator.url,
    credentials: { accessKeyId: simulator.accessKey, secretAccessKey },
    maxAttempts: 1,
  });
const client = clientOf(simulator.secret);
const modelId = "us.anthropic.claude-sonnet-5-5-v1:0";
const ask = { modelId, messages: [{ role: "user", content: [{ text: simulator.prompt }] }] };
const invocation = {
  modelId,
  body: JSON.stringify({
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 500,
    messages: [{ role: "user", content: simulator.prompt }],
  }),
};

async function assertMetered(usage) {
  const call = await simulator.lastCall();
  assert.deepEqual([call.outcome, call.model], ["completed", modelId]);
  assert.deepEqual([usage.inputTokens, usage.outputTokens], [call.inputTokens, call.outputTokens]);
}

beforeEach(simulator.reset);
after(() => client.destroy());

test("bedrock: a conversation, whole and streamed", async () => {
  const whole = await client.send(new ConverseCommand(ask));
  assert.equal(whole.stopReason, "end_turn");
  await assertMetered(whole.usage);
  await simulator.reset();
  const { stream } = await client.send(new ConverseStreamCommand(ask));
  let text = "";
  let metadata;
  for await (const event of stream) {
    text += event.contentBlockDelta?.delta.text ?? "";
    metadata = event.metadata ?? metadata;
  }
  assert.equal(text, whole.output.message.content[0].text);
  await assertMetered(metadata.usage);
});

test("bedrock: an invocation, whole and streamed", async () => {
  const whole = await client.send(new InvokeModelCommand(invocation));
  const message = JSON.parse(new TextDecoder().decode(whole.body));
  assert.equal(message.usage.output_tokens, (await simulator.lastCall()).outputTokens);
  await simulator.reset();
  const { body } = await client.send(new InvokeModelWithResponseStreamCommand(invocation));
  let text = "";
  for await (const { chunk } of body) {
    const event = JSON.parse(new TextDecoder().decode(chunk.bytes));
    text += event.delta?.text ?? "";
  }
  assert.equal(text, message.content[0].text);
});

test("bedrock: an error status", async () => {
  await simulator.failWith(429);
  await assert.rejects(client.send(new ConverseCommand(ask)), { name: "ThrottlingException" });
  await assert.rejects(client.send(new ConverseStreamCommand(ask)), {
    name: "ThrottlingException",
  });
});

test("bedrock: a wrong secret", async () => {
  const wrong = clientOf("wrong");
  await assert.rejects(wrong.send(new ConverseCommand(ask)), (error) => {
    assert.equal(error.name, "InvalidSignatureException");
    assert.equal(error.$metadata.httpStatusCode, 403);
    return true;
  });
  wrong.destroy();
});
