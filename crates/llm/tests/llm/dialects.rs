//! The protocols under test, and what their servers send.

use std::{fmt, sync::Arc};

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use llm::{Deadlines, LlmProvider, OpenAi, OpenAiStyle, ProviderName};

use crate::fixture::{client, openai_config, provider};

/// A provider in one of its protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Claude,
    OpenAiChat,
    OpenAiResponses,
    Ollama,
    Bedrock,
    LmStudio,
}

/// Every protocol of every provider.
pub(crate) const DIALECTS: [Dialect; 6] = [
    Dialect::Claude,
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::Ollama,
    Dialect::Bedrock,
    Dialect::LmStudio,
];

impl Dialect {
    pub(crate) fn name(self) -> ProviderName {
        match self {
            Self::Claude => ProviderName::Claude,
            Self::OpenAiChat | Self::OpenAiResponses => ProviderName::OpenAi,
            Self::Ollama => ProviderName::Ollama,
            Self::Bedrock => ProviderName::Bedrock,
            Self::LmStudio => ProviderName::LmStudio,
        }
    }

    /// A client for the server at `base`.
    pub(crate) fn provider(self, base: &str, deadlines: Deadlines) -> Arc<dyn LlmProvider> {
        if self == Self::OpenAiResponses {
            let config = openai_config(base, OpenAiStyle::Responses);
            return Arc::new(OpenAi::new(client(), &config, deadlines).expect("a usable key"));
        }
        provider(self.name(), base, deadlines)
    }

    /// Whether the model of its scripts is sold at this class of service, beside the usual one.
    pub(crate) fn has_price_of(self, service_tier: &str) -> bool {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses => {
                matches!(service_tier, "flex" | "priority" | "batch")
            }
            Self::Claude => service_tier == "batch",
            Self::Bedrock | Self::Ollama | Self::LmStudio => false,
        }
    }

    pub(crate) fn stream_type(self) -> (&'static str, &'static str) {
        let value = match self {
            Self::Claude | Self::OpenAiChat | Self::OpenAiResponses | Self::LmStudio => {
                "text/event-stream; charset=utf-8"
            }
            Self::Ollama => "application/x-ndjson",
            Self::Bedrock => "application/vnd.amazon.eventstream",
        };
        ("content-type", value)
    }

    /// A stream's frames: the start with the text `Hé`, the text ` you`, and the rest with the
    /// terminator, which counts 15 input tokens and 3 of output.
    pub(crate) fn frames(self) -> [Vec<u8>; 3] {
        match self {
            Self::Claude => CLAUDE.map(Vec::from),
            Self::OpenAiChat | Self::LmStudio => CHAT.map(Vec::from),
            Self::OpenAiResponses => RESPONSES.map(Vec::from),
            Self::Ollama => OLLAMA.map(Vec::from),
            Self::Bedrock => bedrock_frames(),
        }
    }

    /// The whole answer `12345678` with these members between its outer braces for the usage.
    pub(crate) fn whole(self, usage: &str) -> String {
        match self {
            Self::Claude => format!(
                r#"{{"id":"m","model":"claude-sonnet-5-5","content":[{{"type":"text","text":"12345678"}}],"stop_reason":"end_turn"{usage}}}"#
            ),
            Self::OpenAiChat | Self::LmStudio => format!(
                r#"{{"id":"c","model":"gpt-6.1-terra","choices":[{{"index":0,"message":{{"role":"assistant","content":"12345678"}},"finish_reason":"stop"}}]{usage}}}"#
            ),
            Self::OpenAiResponses => format!(
                r#"{{"id":"r","model":"gpt-6.1-terra","status":"completed","output":[{{"type":"reasoning","summary":[]}},{{"type":"message","content":[{{"type":"output_text","text":"12345678"}}]}}]{usage}}}"#
            ),
            Self::Ollama => format!(
                r#"{{"model":"llama3.2","message":{{"content":"12345678"}},"done":true{usage}}}"#
            ),
            Self::Bedrock => format!(
                r#"{{"output":{{"message":{{"role":"assistant","content":[{{"text":"12345678"}}]}}}},"stopReason":"end_turn"{usage}}}"#
            ),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

/// One of Amazon's frames: an event, or an exception.
pub(crate) fn bedrock_frame(message_type: &str, kind: &str, payload: &str) -> Vec<u8> {
    let header = |name: &str, value: &str| {
        Header::new(
            name.to_owned(),
            HeaderValue::String(value.to_owned().into()),
        )
    };
    let message = Message::new(payload.to_owned())
        .add_header(header(&format!(":{message_type}-type"), kind))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", message_type));
    let mut frame = Vec::new();
    write_message_to(&message, &mut frame).expect("a frame");
    frame
}

fn bedrock_frames() -> [Vec<u8>; 3] {
    let event = |kind: &str, payload: &str| bedrock_frame("event", kind, payload);
    let delta = |text: &str| {
        let payload = format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{text}"}}}}"#);
        event("contentBlockDelta", &payload)
    };
    [
        [event("messageStart", r#"{"role":"assistant"}"#), delta("Hé")].concat(),
        delta(" you"),
        [
            event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
            event("brandNew", r#"{"x":[1]}"#),
            event("messageStop", r#"{"stopReason":"end_turn"}"#),
            event(
                "metadata",
                r#"{"usage":{"inputTokens":10,"outputTokens":3,"totalTokens":18,"cacheReadInputTokens":5},"metrics":{"latencyMs":7}}"#,
            ),
        ]
        .concat(),
    ]
}

const CLAUDE: [&str; 3] = [
    concat!(
        "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",",
        "\"model\":\"claude-sonnet-5-5\",\"content\":[],\"usage\":{\"input_tokens\":10,",
        "\"cache_read_input_tokens\":5,\"output_tokens\":1}}}\r\n\r\n: comment\n",
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
        "\"delta\":{\"type\":\"text_delta\",\"text\":\"Hé\"}}\n\n",
    ),
    concat!(
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
        "\"delta\":{\"type\":\"text_delta\",\"text\":\" you\"}}\n\n",
    ),
    concat!(
        "event: brand_new\ndata: {\"type\":\"brand_new\",\"x\":[1]}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},",
        "\"usage\":{\"input_tokens\":10,\"output_tokens\":3}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ),
];

/// With the counts in a chunk of their own, `null` before, as the vendor sends them.
const CHAT: [&str; 3] = [
    concat!(
        "data: {\"id\":\"chatcmpl-1\",\"model\":\"gpt-6.1-terra\",\"choices\":[{\"index\":0,",
        "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\r\n\r\n",
        ": comment\n",
        "data: {\"id\":\"chatcmpl-1\",\"model\":\"gpt-6.1-terra\",\"choices\":[{\"index\":0,",
        "\"delta\":{\"content\":\"Hé\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    ),
    concat!(
        "data: {\"id\":\"chatcmpl-1\",\"model\":\"gpt-6.1-terra\",\"choices\":[{\"index\":0,",
        "\"delta\":{\"content\":\" you\"}}]}\n\n",
    ),
    concat!(
        "data: {\"id\":\"chatcmpl-1\",\"model\":\"gpt-6.1-terra\",\"choices\":[{\"index\":0,",
        "\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
        "data: {\"id\":\"chatcmpl-1\",\"model\":\"gpt-6.1-terra\",\"choices\":[],\"usage\":{",
        "\"prompt_tokens\":15,\"completion_tokens\":3,\"total_tokens\":18,",
        "\"prompt_tokens_details\":{\"cached_tokens\":5},",
        "\"completion_tokens_details\":{\"reasoning_tokens\":0}}}\n\n",
        "data: [DONE]\n\n",
    ),
];

const RESPONSES: [&str; 3] = [
    concat!(
        "event: response.created\r\ndata: {\"type\":\"response.created\",\"sequence_number\":0,",
        "\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-6.1-terra\",\"status\":\"in_progress\",",
        "\"output\":[],\"usage\":null,\"error\":null}}\r\n\r\n: comment\n",
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",",
        "\"sequence_number\":1,\"delta\":\"Hé\",\"logprobs\":[]}\n\n",
    ),
    concat!(
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",",
        "\"sequence_number\":2,\"delta\":\" you\",\"logprobs\":[]}\n\n",
    ),
    concat!(
        "event: response.brand_new\ndata: {\"type\":\"response.brand_new\",\"x\":[1]}\n\n",
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":4,",
        "\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-6.1-terra\",\"status\":\"completed\",\"output\":[],",
        "\"usage\":{\"input_tokens\":15,\"input_tokens_details\":{\"cached_tokens\":5,",
        "\"cache_write_tokens\":0},\"output_tokens\":3,\"output_tokens_details\":{",
        "\"reasoning_tokens\":0},\"total_tokens\":18}}}\n\n",
    ),
];

const OLLAMA: [&str; 3] = [
    "{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"Hé\"},\"done\":false}\n",
    "\n{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\" you\"},\"done\":false}\n",
    concat!(
        "{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,",
        "\"done_reason\":\"stop\",\"prompt_eval_count\":15,\"eval_count\":3}",
    ),
];
