//! Putting an answer together from the pieces of a stream.

use std::time::Duration;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt, TryStreamExt};
use tokio::time::{Instant, timeout};

use crate::{
    ChatEvent, ChatRequest, ChatResponse, ChatStream, LatencySplit, LlmError, OpeningLatency,
    ServiceTier, Usage, transport::ReplyHead, usage::estimate_tokens,
};

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
    pub(crate) service_tier: Option<ServiceTier>,
}

/// What a stream says last.
#[derive(Default)]
pub(crate) struct Ending {
    pub(crate) finish_reason: Option<String>,
    pub(crate) usage: ReportedUsage,
    pub(crate) service_tier: Option<ServiceTier>,
}

/// An answer that came as one document.
pub(crate) struct WholeAnswer {
    pub(crate) model: String,
    pub(crate) response_id: Option<String>,
    pub(crate) text: String,
    pub(crate) ending: Ending,
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
    /// Whether a count was there that is not believed: then the others cannot be all of them.
    pub(crate) doubtful: bool,
}

/// A provider's reading of its own frames: of the data of an event, of a line, or of whatever its
/// protocol is cut into.
pub(crate) trait FrameDecoder<F>: Send + 'static {
    /// Reads one frame.
    fn decode(&mut self, frame: F) -> Result<Frame, LlmError>;
}

/// What is known of an exchange before its answer comes.
pub(crate) struct Exchange {
    head: ReplyHead,
    /// The estimate of the input, for a provider that does not count.
    pub(crate) input_estimate: u64,
}

impl Exchange {
    pub(crate) fn new(head: ReplyHead, request: &ChatRequest) -> Self {
        Self {
            head,
            input_estimate: estimate_tokens(request.prompt_texts()),
        }
    }

    /// An answer that came as one document, now.
    pub(crate) fn answered(self, answer: WholeAnswer) -> ChatResponse {
        let latency = LatencySplit {
            connect: self.head.connect,
            total: self.head.sent_at.elapsed(),
            ..LatencySplit::default()
        };
        self.response(answer, latency)
    }

    fn response(self, answer: WholeAnswer, latency: LatencySplit) -> ChatResponse {
        let usage = answer.ending.usage;
        ChatResponse {
            usage: usage.complete(self.input_estimate, &answer.text),
            text: answer.text,
            model: answer.model,
            response_id: answer.response_id,
            request_id: self.head.request_id,
            finish_reason: answer.ending.finish_reason,
            service_tier: answer.ending.service_tier,
            latency,
            call_id: None,
            cost: None,
            simulated: false,
            fallback: None,
        }
    }
}

impl ReportedUsage {
    /// The counts as the rest of the system understands them: what is missing is estimated, parts
    /// that exceed their whole are not believed, and both are marked, as is any other doubt.
    pub(crate) fn complete(self, input_estimate: u64, text: &str) -> Usage {
        let cached = self.cache_read + self.cache_write_5m + self.cache_write_1h;
        let input = self.input.unwrap_or(input_estimate.max(cached));
        let output = self.output.unwrap_or_else(|| {
            let estimate = estimate_tokens([text]);
            estimate.max(self.reasoning)
        });
        let cached_fits = cached <= input;
        let reasoning_fits = self.reasoning <= output;
        let if_fits = |count: u64| if cached_fits { count } else { 0 };
        let reasoning = if reasoning_fits { self.reasoning } else { 0 };
        let counted = self.input.is_some() && self.output.is_some();
        Usage {
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: if_fits(self.cache_read),
            cache_write_5m_tokens: if_fits(self.cache_write_5m),
            cache_write_1h_tokens: if_fits(self.cache_write_1h),
            reasoning_tokens: reasoning,
            estimated: self.doubtful || !(counted && cached_fits && reasoning_fits),
        }
    }
}

/// Reads `frames` to the provider's terminator; their end without one is an error.
pub(crate) fn events<F: Send + 'static>(
    frames: impl Stream<Item = Result<F, LlmError>> + Send + 'static,
    decoder: impl FrameDecoder<F>,
    exchange: Exchange,
) -> ChatStream {
    let request_id = exchange.head.request_id.clone();
    let events = events_of(frames, decoder, exchange);
    events
        .map_err(move |error| error.with_request_id(request_id.as_deref()))
        .boxed()
}

fn events_of<F: Send + 'static>(
    frames: impl Stream<Item = Result<F, LlmError>> + Send + 'static,
    mut decoder: impl FrameDecoder<F>,
    exchange: Exchange,
) -> impl Stream<Item = Result<ChatEvent, LlmError>> + Send + 'static {
    try_stream! {
        let mut answer = Answer::new(exchange);
        let mut frames = Box::pin(frames);
        loop {
            let Some(frame) = frames.next().await else {
                Err(LlmError::Interrupted {
                    message: "the stream ended without its terminator".to_owned(),
                })?;
                return;
            };
            let frame = decoder.decode(frame?)?;
            if let Some(start) = frame.start {
                yield answer.start(start)?;
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
    }
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

    /// A second start would void the text before it for those who read along, but not here.
    fn start(&mut self, start: Start) -> Result<ChatEvent, LlmError> {
        if self.identity.is_some() {
            return Err(LlmError::Malformed {
                message: "the stream starts twice".to_owned(),
            });
        }
        self.identity = Some((start.model.clone(), start.response_id.clone()));
        Ok(ChatEvent::Started {
            model: start.model,
            response_id: start.response_id,
            request_id: self.exchange.head.request_id.clone(),
            usage: start.usage,
            service_tier: start.service_tier,
            fallback: None,
            latency: OpeningLatency {
                connect: self.exchange.head.connect,
                ..OpeningLatency::default()
            },
        })
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
        let head = &self.exchange.head;
        let latency = LatencySplit {
            connect: head.connect,
            time_to_first_token: self.first_token_at.map(|at| at - head.sent_at),
            decode: self.first_token_at.map(|at| now - at),
            total: now - head.sent_at,
            ..LatencySplit::default()
        };
        let answer = WholeAnswer {
            model,
            response_id,
            text: self.text,
            ending,
        };
        Ok(self.exchange.response(answer, latency))
    }
}

fn not_started() -> LlmError {
    LlmError::Malformed {
        message: "the stream has content before its start".to_owned(),
    }
}
