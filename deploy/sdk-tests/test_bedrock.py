"""Bedrock by AWS' official client."""

import json
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

import simulator

MODEL = "us.anthropic.claude-sonnet-5-5-v1:0"
ASK = {
    "modelId": MODEL,
    "messages": [{"role": "user", "content": [{"text": simulator.PROMPT}]}],
}
INVOCATION = {
    "modelId": MODEL,
    "body": json.dumps(
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 500,
            "messages": [{"role": "user", "content": simulator.PROMPT}],
        }
    ),
}


def client_of(secret=simulator.SECRET):
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=simulator.URL,
        aws_access_key_id=simulator.ACCESS_KEY,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


class Bedrock(unittest.TestCase):
    def setUp(self):
        simulator.reset()
        self.client = client_of()
        self.addCleanup(self.client.close)

    def assert_metered(self, usage):
        call = simulator.last_call()
        self.assertEqual((call["outcome"], call["model"]), ("completed", MODEL))
        self.assertEqual(usage["inputTokens"], call["inputTokens"])
        self.assertEqual(usage["outputTokens"], call["outputTokens"])

    def test_converse(self):
        reply = self.client.converse(**ASK)
        self.assertTrue(reply["output"]["message"]["content"][0]["text"])
        self.assertEqual(reply["stopReason"], "end_turn")
        self.assertTrue(reply["ResponseMetadata"]["RequestId"])
        self.assert_metered(reply["usage"])

    def test_converse_streamed(self):
        events = list(self.client.converse_stream(**ASK)["stream"])
        deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
        text = "".join(delta["delta"]["text"] for delta in deltas)
        self.assert_metered(events[-1]["metadata"]["usage"])
        simulator.reset()
        whole = self.client.converse(**ASK)
        self.assertEqual(whole["output"]["message"]["content"][0]["text"], text)

    def test_invoke(self):
        reply = self.client.invoke_model(**INVOCATION)
        message = json.loads(reply["body"].read())
        self.assertEqual(message["type"], "message")
        self.assertEqual(message["usage"]["output_tokens"], simulator.last_call()["outputTokens"])

    def test_invoke_streamed(self):
        stream = self.client.invoke_model_with_response_stream(**INVOCATION)["body"]
        chunks = [json.loads(event["chunk"]["bytes"]) for event in stream]
        self.assertEqual((chunks[0]["type"], chunks[-1]["type"]), ("message_start", "message_stop"))
        metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
        self.assertEqual(metrics["outputTokenCount"], simulator.last_call()["outputTokens"])

    def test_errors(self):
        for status, name in [
            (429, "ThrottlingException"),
            (500, "InternalServerException"),
            (503, "ServiceUnavailableException"),
        ]:
            simulator.fail_with(status)
            for ask in (self.client.converse, self.client.converse_stream):
                with self.subTest(status=status), self.assertRaises(ClientError) as raised:
                    ask(**ASK)
                self.assertEqual(raised.exception.response["Error"]["Code"], name)

    def test_an_error_within_a_stream(self):
        rules = [{"fault": {"streamError": {"afterTokens": 2}}}]
        simulator._send("PUT", "/control/faults", {"rules": rules})
        with self.assertRaises(EventStreamError) as raised:
            list(self.client.converse_stream(**ASK)["stream"])
        self.assertIn("modelStreamErrorException", str(raised.exception))

    def test_wrong_secret(self):
        client = client_of(secret="wrong")
        self.addCleanup(client.close)
        with self.assertRaises(ClientError) as raised:
            client.converse(**ASK)
        error = raised.exception.response
        self.assertEqual(error["Error"]["Code"], "InvalidSignatureException")
        self.assertEqual(error["ResponseMetadata"]["HTTPStatusCode"], 403)


if __name__ == "__main__":
    unittest.main()
