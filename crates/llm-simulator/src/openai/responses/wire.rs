//! What goes out: the response object, field for field in the vendor's order.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::Call;

/// What a request says that its reply says again.
#[derive(Debug, Deserialize)]
pub(super) struct Echo {
    pub(super) instructions: Option<String>,
    pub(super) max_output_tokens: Option<i64>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) service_tier: Option<String>,
    reasoning: Option<ReasoningRequest>,
    store: Option<bool>,
    metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
struct ReasoningRequest {
    effort: Option<String>,
}

/// What a response is from its first event on.
pub(super) struct Origin {
    id: String,
    message_id: String,
    created_at: i64,
    model: String,
    echo: Echo,
}

/// How far a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

#[derive(Serialize)]
pub(super) struct Document<'a> {
    id: &'a str,
    object: &'static str,
    created_at: i64,
    status: Status,
    background: bool,
    completed_at: Option<i64>,
    error: Option<Failure>,
    incomplete_details: Option<IncompleteDetails>,
    instructions: Option<&'a str>,
    max_output_tokens: Option<i64>,
    model: &'a str,
    output: Vec<Item<'a>>,
    parallel_tool_calls: bool,
    previous_response_id: Option<()>,
    reasoning: Reasoning<'a>,
    service_tier: &'a str,
    store: bool,
    temperature: f64,
    text: TextOptions,
    tool_choice: &'static str,
    tools: [(); 0],
    top_p: f64,
    truncation: &'static str,
    usage: Option<Usage>,
    user: Option<()>,
    metadata: Map<String, Value>,
}

/// Why a response failed.
#[derive(Serialize)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

#[derive(Serialize)]
struct IncompleteDetails {
    reason: &'static str,
}

#[derive(Serialize)]
struct Reasoning<'a> {
    effort: Option<&'a str>,
    summary: Option<()>,
}

#[derive(Serialize)]
struct TextOptions {
    format: TextFormat,
    verbosity: &'static str,
}

#[derive(Serialize)]
struct TextFormat {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The one message of an answer.
#[derive(Serialize)]
pub(super) struct Item<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    status: Status,
    content: Vec<Part<'a>>,
    role: &'static str,
}

#[derive(Serialize)]
pub(super) struct Part<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    annotations: [(); 0],
    logprobs: [(); 0],
    text: &'a str,
}

/// `input_tokens` includes cached ones, `output_tokens` includes thoughts.
#[derive(Serialize)]
struct Usage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl Echo {
    pub(super) fn effort(&self) -> Option<&str> {
        self.reasoning.as_ref()?.effort.as_deref()
    }
}

impl Origin {
    pub(super) fn new(call: &Call, echo: Echo) -> Self {
        Self {
            id: format!("resp_{}", call.response_id()),
            message_id: format!("msg_{}", call.response_id()),
            created_at: now(),
            model: call.model().to_owned(),
            echo,
        }
    }

    pub(super) fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The message of the answer, once `text` of it is there.
    pub(super) fn item<'a>(&'a self, status: Status, text: Option<&'a str>) -> Item<'a> {
        Item {
            id: &self.message_id,
            kind: "message",
            status,
            content: text.into_iter().map(Part::of).collect(),
            role: "assistant",
        }
    }
}

impl<'a> Part<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            kind: "output_text",
            annotations: [],
            logprobs: [],
            text,
        }
    }
}

impl Status {
    /// How an answer ends that nothing broke.
    pub(super) fn at_the_end_of(call: &Call) -> Self {
        if call.was_limited() {
            Self::Incomplete
        } else {
            Self::Completed
        }
    }
}

impl<'a> Document<'a> {
    /// A response that has no answer yet.
    pub(super) fn begun(origin: &'a Origin) -> Self {
        Self::new(origin, Status::InProgress)
    }

    /// A response with its whole answer.
    pub(super) fn ended(origin: &'a Origin, call: &Call, text: &'a str) -> Self {
        let status = Status::at_the_end_of(call);
        let limited = status == Status::Incomplete;
        Self {
            completed_at: (!limited).then(now),
            incomplete_details: limited.then_some(IncompleteDetails {
                reason: "max_output_tokens",
            }),
            output: vec![origin.item(status, Some(text))],
            service_tier: call.service_tier().word(),
            usage: Some(Usage::of(call)),
            ..Self::new(origin, status)
        }
    }

    /// A response that came to nothing.
    pub(super) fn failed(origin: &'a Origin, failure: Failure) -> Self {
        Self {
            error: Some(failure),
            ..Self::new(origin, Status::Failed)
        }
    }

    fn new(origin: &'a Origin, status: Status) -> Self {
        let echo = &origin.echo;
        Self {
            id: &origin.id,
            object: "response",
            created_at: origin.created_at,
            status,
            background: false,
            completed_at: None,
            error: None,
            incomplete_details: None,
            instructions: echo.instructions.as_deref(),
            max_output_tokens: echo.max_output_tokens,
            model: &origin.model,
            output: Vec::new(),
            parallel_tool_calls: true,
            previous_response_id: None,
            reasoning: Reasoning {
                effort: echo.effort(),
                summary: None,
            },
            // Until it has answered, the vendor says again what it was asked for.
            service_tier: echo.service_tier.as_deref().unwrap_or("auto"),
            store: echo.store.unwrap_or(true),
            temperature: echo.temperature.unwrap_or(1.0),
            text: TextOptions {
                format: TextFormat { kind: "text" },
                verbosity: "medium",
            },
            tool_choice: "auto",
            tools: [],
            top_p: echo.top_p.unwrap_or(1.0),
            truncation: "disabled",
            usage: None,
            user: None,
            metadata: echo.metadata.clone().unwrap_or_default(),
        }
    }
}

impl Usage {
    fn of(call: &Call) -> Self {
        Self {
            input_tokens: call.input_tokens(),
            input_tokens_details: InputDetails {
                cached_tokens: call.cache_usage().read,
                cache_write_tokens: call.cache_usage().written(),
            },
            output_tokens: call.output_tokens(),
            output_tokens_details: OutputDetails {
                reasoning_tokens: call.reasoning_tokens(),
            },
            total_tokens: call.input_tokens() + call.output_tokens(),
        }
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
