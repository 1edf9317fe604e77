//! Putting an answer together from the pieces of a stream.

use std::time::Duration;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout};

use crate::{ChatEvent, ChatResponse, ChatStream, LatencySplit, LlmError, Usage};

/// How long the end of the HTTP body is waited for once the answer is complete. Only a connection
/// whose body was read to its end is used again; nobody waits for this.
const REST_PATIENCE: Duration = Duration::from_secs(1);

/// What one frame of a provider's stream means. The default means nothing for the caller: a ping,
/// thinking, an event of a kind that we do not know.
#[derive(Default)]
pub(crate) struct Frame {
    /// The provider has begun.
    pub(crate) start: Option<Start>,
    /// The next piece of text.
    pub(crate) text: String,
    /// The terminator: the answer is complete.
    pub(crate) end: Option<Ending>,
}

/// What a stream says first.
pub(crate) struct Start {
    pub(crate) model: String,
    pub(crate) response_id: Option<String>,
    pub(crate) usage: Option<Usage>,
}

/// What a stream says last.
#[derive(Default)]
pub(crate) struct Ending {
    pub(crate) finish_reason: Option<String>,
    pub(crate) usage: ReportedUsage,
}

/// The token counts that a provider reports; what is missing is estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReportedUsage {
    /// The cached ones included.
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: u64,
    pub(crate) cache_write_5m: u64,
    pub(crate) cache_write_1h: u64,
    pub(crate) reasoning: u64,
}

/// A provider's reading of its own frames.
pub(crate) trait FrameDecoder: Send + 'static {
    /// Reads one frame: the data of an event, or a line.
    fn decode(&mut self, frame: &str) -> Result<Frame, LlmError>;
}

/// What is known of an exchange before its answer comes.
pub(crate) struct Exchange {
    pub(crate) sent_at: Instant,
    pub(crate) request_id: Option<String>,
    /// The estimate of the input, for a provider that does not count.
    pub(crate) input_estimate: u64,
}

impl ReportedUsage {
    /// The counts as the rest of the system understands them.
    pub(crate) fn complete(self, input_estimate: u64, text: &str) -> Usage {
        let output = self.output.or_else(|| {
            let estimate = crate::usage::estimate_tokens([text]);
            Some(estimate.max(self.reasoning))
        });
        Usage {
            input_tokens: self.input.unwrap_or(input_estimate),
            output_tokens: output.unwrap_or_default(),
            cache_read_tokens: self.cache_read,
            cache_write_5m_tokens: self.cache_write_5m,
            cache_write_1h_tokens: self.cache_write_1h,
            reasoning_tokens: self.reasoning,
            estimated: self.input.is_none() || self.output.is_none(),
        }
    }
}

/// Reads `frames` to the provider's terminator; their end without one is an error.
pub(crate) fn events(
    frames: impl Stream<Item = Result<String, LlmError>> + Send + 'static,
    mut decoder: impl FrameDecoder,
    exchange: Exchange,
) -> ChatStream {
    Box::pin(try_stream! {
        let mut answer = Answer::new(exchange);
        let mut frames = Box::pin(frames);
        loop {
            let Some(frame) = frames.next().await else {
                Err(LlmError::Interrupted {
                    message: "the stream ended without its terminator".to_owned(),
                })?;
                return;
            };
            let frame = decoder.decode(&frame?)?;
            if let Some(start) = frame.start {
                yield answer.start(start);
            }
            if !frame.text.is_empty() {
                yield answer.append(frame.text)?;
            }
            if let Some(ending) = frame.end {
                let response = answer.finish(ending)?;
                tokio::spawn(timeout(REST_PATIENCE, frames.count()));
                yield ChatEvent::Finished(Box::new(response));
                return;
            }
        }
    })
}

struct Answer {
    exchange: Exchange,
    identity: Option<(String, Option<String>)>,
    text: String,
    first_token_at: Option<Instant>,
}

impl Answer {
    fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            identity: None,
            text: String::new(),
            first_token_at: None,
        }
    }

    fn start(&mut self, start: Start) -> ChatEvent {
        self.identity = Some((start.model.clone(), start.response_id.clone()));
        ChatEvent::Started {
            model: start.model,
            response_id: start.response_id,
            request_id: self.exchange.request_id.clone(),
            usage: start.usage,
        }
    }

    fn append(&mut self, text: String) -> Result<ChatEvent, LlmError> {
        if self.identity.is_none() {
            return Err(not_started());
        }
        self.first_token_at.get_or_insert_with(Instant::now);
        self.text.push_str(&text);
        Ok(ChatEvent::Delta(text))
    }

    fn finish(self, ending: Ending) -> Result<ChatResponse, LlmError> {
        let (model, response_id) = self.identity.ok_or_else(not_started)?;
        let now = Instant::now();
        let sent_at = self.exchange.sent_at;
        Ok(ChatResponse {
            usage: ending
                .usage
                .complete(self.exchange.input_estimate, &self.text),
            text: self.text,
            model,
            response_id,
            request_id: self.exchange.request_id,
            finish_reason: ending.finish_reason,
            latency: LatencySplit {
                time_to_first_token: self.first_token_at.map(|at| at - sent_at),
                decode: self.first_token_at.map(|at| now - at),
                total: now - sent_at,
                ..LatencySplit::default()
            },
            cost: None,
            simulated: false,
        })
    }
}

fn not_started() -> LlmError {
    LlmError::Malformed {
        message: "the stream has content before its start".to_owned(),
    }
}
