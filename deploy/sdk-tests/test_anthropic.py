"""Anthropic's official client."""

import unittest

import anthropic

import simulator

MODEL = "claude-sonnet-5-5"
ASK = {
    "model": MODEL,
    "max_tokens": 500,
    "messages": [{"role": "user", "content": simulator.PROMPT}],
}


class Anthropic(unittest.TestCase):
    def setUp(self):
        simulator.reset()
        self.client = anthropic.Anthropic(
            base_url=simulator.URL, api_key=simulator.KEY, max_retries=0
        )
        self.addCleanup(self.client.close)

    def assert_metered(self, usage):
        call = simulator.last_call()
        self.assertEqual(call["outcome"], "completed")
        self.assertEqual(usage.input_tokens, call["inputTokens"])
        self.assertEqual(usage.output_tokens, call["outputTokens"])

    def test_whole(self):
        message = self.client.messages.create(**ASK)
        self.assertEqual((message.type, message.stop_reason), ("message", "end_turn"))
        self.assertTrue(message.content[0].text)
        self.assertTrue(message._request_id.startswith("req_"))
        self.assert_metered(message.usage)

    def test_streamed(self):
        with self.client.messages.stream(**ASK) as stream:
            text = "".join(stream.text_stream)
            message = stream.get_final_message()
        self.assertEqual(message.content[0].text, text)
        self.assertEqual(message.stop_reason, "end_turn")
        self.assert_metered(message.usage)

    def test_counted_tokens_are_the_metered_ones(self):
        counted = self.client.messages.count_tokens(model=MODEL, messages=ASK["messages"])
        usage = self.client.messages.create(**ASK).usage
        self.assertEqual(counted.input_tokens, usage.input_tokens)

    def test_models(self):
        models = [model.id for model in self.client.models.list(limit=2)]
        self.assertIn(MODEL, models)
        self.assertEqual(self.client.models.retrieve(MODEL).id, MODEL)

    def test_errors(self):
        for status, error in [
            (429, anthropic.RateLimitError),
            (500, anthropic.InternalServerError),
            (529, anthropic.InternalServerError),
        ]:
            simulator.fail_with(status)
            with self.subTest(status=status), self.assertRaises(error) as raised:
                self.client.messages.create(**ASK)
            self.assertEqual(raised.exception.status_code, status)
            self.assertEqual(raised.exception.body["type"], "error")

    def test_wrong_key(self):
        with anthropic.Anthropic(
            base_url=simulator.URL, api_key="wrong", max_retries=0
        ) as client, self.assertRaises(anthropic.AuthenticationError):
            client.messages.create(**ASK)


if __name__ == "__main__":
    unittest.main()
