"""OpenAI's official client: chat completions and responses."""

import asyncio
import unittest

import openai

import simulator

MODEL = "gpt-4.1"
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": simulator.PROMPT}]}
ASK = {"model": MODEL, "input": simulator.PROMPT}


def client_of(kind=openai.OpenAI, key=simulator.KEY, base="/v1"):
    return kind(base_url=simulator.URL + base, api_key=key, max_retries=0)


class OpenAi(unittest.TestCase):
    def setUp(self):
        simulator.reset()
        self.client = client_of()
        self.addCleanup(self.client.close)

    def assert_metered(self, input_tokens, output_tokens):
        call = simulator.last_call()
        self.assertEqual(call["outcome"], "completed")
        self.assertEqual((input_tokens, output_tokens), (call["inputTokens"], call["outputTokens"]))

    def test_chat_whole(self):
        completion = self.client.chat.completions.create(**CHAT)
        self.assertTrue(completion.choices[0].message.content)
        self.assertEqual(completion.choices[0].finish_reason, "stop")
        self.assertTrue(completion._request_id.startswith("req_"))
        usage = completion.usage
        self.assert_metered(usage.prompt_tokens, usage.completion_tokens)

    def test_chat_streamed(self):
        options = {"include_usage": True}
        stream = self.client.chat.completions.create(**CHAT, stream=True, stream_options=options)
        chunks = list(stream)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        usage = chunks[-1].usage
        simulator.reset()
        whole = self.client.chat.completions.create(**CHAT)
        self.assertEqual(text, whole.choices[0].message.content)
        self.assert_metered(usage.prompt_tokens, usage.completion_tokens)

    def test_chat_streamed_asynchronously(self):
        async def read():
            async with client_of(openai.AsyncOpenAI) as client:
                stream = await client.chat.completions.create(**CHAT, stream=True)
                return [chunk async for chunk in stream]

        chunks = asyncio.run(asyncio.wait_for(read(), 20))
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")

    def test_response_whole(self):
        response = self.client.responses.create(**ASK)
        self.assertEqual(response.status, "completed")
        self.assertTrue(response.output_text)
        self.assertEqual(response.usage.input_tokens_details.cached_tokens, 0)
        self.assert_metered(response.usage.input_tokens, response.usage.output_tokens)

    def test_response_streamed(self):
        with self.client.responses.stream(**ASK) as stream:
            text = "".join(
                event.delta for event in stream if event.type == "response.output_text.delta"
            )
            response = stream.get_final_response()
        self.assertEqual(response.output_text, text)
        self.assert_metered(response.usage.input_tokens, response.usage.output_tokens)

    def test_models(self):
        self.assertIn(MODEL, [model.id for model in self.client.models.list()])
        self.assertEqual(self.client.models.retrieve(MODEL).id, MODEL)
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("none")

    def test_errors(self):
        for status, error in [(429, openai.RateLimitError), (500, openai.InternalServerError)]:
            simulator.fail_with(status)
            for ask in (
                lambda: self.client.chat.completions.create(**CHAT),
                lambda: self.client.responses.create(**ASK),
            ):
                with self.subTest(status=status), self.assertRaises(error) as raised:
                    ask()
                self.assertEqual(raised.exception.status_code, status)
        simulator.reset()
        with self.assertRaises(openai.BadRequestError) as raised:
            self.client.chat.completions.create(model=MODEL, messages=[])
        self.assertEqual(raised.exception.param, "messages")

    def test_wrong_key(self):
        with client_of(key="wrong") as client, self.assertRaises(openai.AuthenticationError):
            client.chat.completions.create(**CHAT)

    def test_lm_studio_takes_any_key(self):
        with client_of(key="lm-studio", base="/lmstudio/v1") as client:
            self.assertTrue(client.chat.completions.create(**CHAT).choices)


if __name__ == "__main__":
    unittest.main()
