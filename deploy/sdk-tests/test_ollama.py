"""Ollama's official client."""

import unittest

import ollama

import simulator

MODEL = "llama3.2"
MESSAGES = [{"role": "user", "content": simulator.PROMPT}]


class Ollama(unittest.TestCase):
    def setUp(self):
        simulator.reset()
        self.client = ollama.Client(host=simulator.URL, timeout=20)
        self.addCleanup(self.client._client.close)

    def assert_metered(self, reply):
        call = simulator.last_call()
        self.assertTrue(reply.done)
        self.assertEqual(reply.prompt_eval_count, call["inputTokens"])
        self.assertEqual(reply.eval_count, call["outputTokens"])

    def test_chat_whole(self):
        reply = self.client.chat(model=MODEL, messages=MESSAGES)
        self.assertTrue(reply.message.content)
        self.assert_metered(reply)

    def test_chat_streamed(self):
        parts = list(self.client.chat(model=MODEL, messages=MESSAGES, stream=True))
        text = "".join(part.message.content for part in parts)
        self.assert_metered(parts[-1])
        simulator.reset()
        self.assertEqual(self.client.chat(model=MODEL, messages=MESSAGES).message.content, text)

    def test_generate(self):
        reply = self.client.generate(model=MODEL, prompt=simulator.PROMPT)
        self.assertTrue(reply.response)
        self.assert_metered(reply)
        *_, last = self.client.generate(model=MODEL, prompt=simulator.PROMPT, stream=True)
        self.assert_metered(last)

    def test_models(self):
        names = [model.model for model in self.client.list().models]
        self.assertIn("llama3.2:latest", names)
        self.assertTrue(self.client.ps().models)
        self.assertIn("completion", self.client.show(MODEL).capabilities)

    def test_errors(self):
        for status in (429, 500, 503):
            simulator.fail_with(status)
            for stream in (False, True):
                with self.subTest(status=status, stream=stream), self.assertRaises(
                    ollama.ResponseError
                ) as raised:
                    reply = self.client.chat(model=MODEL, messages=MESSAGES, stream=stream)
                    list(reply)
                self.assertEqual(raised.exception.status_code, status)


if __name__ == "__main__":
    unittest.main()
