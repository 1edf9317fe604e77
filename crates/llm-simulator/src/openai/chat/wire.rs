//! What goes out: completions and their chunks, field for field in the vendor's order.

use serde::Serialize;

use crate::call::Call;

/// What the vendor says of the machine behind an answer.
const FINGERPRINT: &str = "fp_5f3a1c0b2d";

/// A whole answer.
#[derive(Serialize)]
pub(super) struct Completion<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: Usage,
    service_tier: &'static str,
    system_fingerprint: &'static str,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    refusal: Option<()>,
    annotations: [(); 0],
}

/// `prompt_tokens` includes cached ones, `completion_tokens` includes thoughts.
#[derive(Serialize)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
    audio_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

/// What all chunks of one answer have in common.
pub(super) struct Frame {
    id: String,
    created: i64,
    model: String,
    service_tier: &'static str,
}

/// One chunk within its frame.
#[derive(Serialize)]
pub(super) struct Framed<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    service_tier: &'static str,
    system_fingerprint: &'static str,
    choices: Vec<ChunkChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
}

/// What one chunk adds.
pub(super) struct Chunk<'a> {
    choice: Option<ChunkChoice<'a>>,
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Option<()>>,
}

impl<'a> Completion<'a> {
    pub(super) fn of(call: &'a Call, text: &'a str) -> Self {
        let message = Message {
            role: "assistant",
            content: text,
            refusal: None,
            annotations: [],
        };
        Self {
            id: id(call),
            object: "chat.completion",
            created: now(),
            model: call.model(),
            choices: [Choice {
                index: 0,
                message,
                logprobs: None,
                finish_reason: finish_reason(call),
            }],
            usage: Usage::of(call),
            service_tier: call.service_tier().word(),
            system_fingerprint: FINGERPRINT,
        }
    }
}

impl Usage {
    fn of(call: &Call) -> Self {
        Self {
            prompt_tokens: call.input_tokens(),
            completion_tokens: call.output_tokens(),
            total_tokens: call.input_tokens() + call.output_tokens(),
            prompt_tokens_details: PromptDetails {
                cached_tokens: call.cache_usage().read,
                cache_write_tokens: call.cache_usage().written(),
                audio_tokens: 0,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: call.reasoning_tokens(),
                audio_tokens: 0,
                accepted_prediction_tokens: 0,
                rejected_prediction_tokens: 0,
            },
        }
    }
}

impl Frame {
    pub(super) fn of(call: &Call) -> Self {
        Self {
            id: id(call),
            created: now(),
            model: call.model().to_owned(),
            service_tier: call.service_tier().word(),
        }
    }

    /// Who asked for the usage finds the field in every chunk, empty but in one.
    pub(super) fn around<'a>(&'a self, chunk: Chunk<'a>, with_usage: bool) -> Framed<'a> {
        Framed {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            service_tier: self.service_tier,
            system_fingerprint: FINGERPRINT,
            choices: chunk.choice.into_iter().collect(),
            usage: with_usage.then_some(chunk.usage),
        }
    }
}

impl<'a> Chunk<'a> {
    pub(super) fn role() -> Self {
        let delta = Delta {
            role: Some("assistant"),
            content: Some(""),
            refusal: Some(None),
        };
        Self::choice(delta, None)
    }

    pub(super) fn text(text: &'a str) -> Self {
        let delta = Delta {
            content: Some(text),
            ..Delta::default()
        };
        Self::choice(delta, None)
    }

    pub(super) fn finish(call: &Call) -> Self {
        Self::choice(Delta::default(), Some(finish_reason(call)))
    }

    /// The one chunk without a choice.
    pub(super) fn usage(call: &Call) -> Self {
        Self {
            choice: None,
            usage: Some(Usage::of(call)),
        }
    }

    fn choice(delta: Delta<'a>, finish_reason: Option<&'static str>) -> Self {
        let choice = ChunkChoice {
            index: 0,
            delta,
            logprobs: None,
            finish_reason,
        };
        Self {
            choice: Some(choice),
            usage: None,
        }
    }
}

fn id(call: &Call) -> String {
    format!("chatcmpl-{}", call.response_id())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn finish_reason(call: &Call) -> &'static str {
    if call.was_limited() { "length" } else { "stop" }
}
