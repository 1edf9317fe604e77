//! A provider that does what a test says.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use llm::{
    ChatEvent, ChatRequest, ChatResponse, ChatStream, Endpoint, LatencySplit, LlmError,
    LlmProvider, OpeningLatency, ProviderName, Usage,
};

/// How one attempt goes.
pub(crate) enum Act {
    Answer,
    Fail(LlmError),
    /// A stream that fails after this many pieces of text.
    FailAfter(usize, LlmError),
    Hang,
    /// A stream that falls silent after its first text.
    HangAfterText,
}

/// A provider that follows a list, and notes what it was asked.
pub(crate) struct Scripted {
    acts: Mutex<VecDeque<Act>>,
    asked: Mutex<Vec<ChatRequest>>,
    name: ProviderName,
    endpoint: Endpoint,
}

impl Scripted {
    pub(crate) fn new(acts: Vec<Act>) -> Arc<Self> {
        Self::named(ProviderName::Claude, acts)
    }

    pub(crate) fn named(name: ProviderName, acts: Vec<Act>) -> Arc<Self> {
        Arc::new(Self {
            acts: Mutex::new(acts.into()),
            asked: Mutex::default(),
            name,
            endpoint: Endpoint {
                address: "127.0.0.1".into(),
                port: 1,
            },
        })
    }

    /// What comes after the acts so far.
    pub(crate) fn then(&self, acts: Vec<Act>) {
        self.acts.lock().expect("not poisoned").extend(acts);
    }

    fn next(&self, request: &ChatRequest) -> Act {
        let mut asked = self.asked.lock().expect("not poisoned");
        asked.push(request.clone());
        let next = self.acts.lock().expect("not poisoned").pop_front();
        next.expect("no more attempts than acts")
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<ChatRequest> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// Number and reason of every attempt so far.
    pub(crate) fn asked(&self) -> Vec<(u32, Option<&'static str>)> {
        let attempt = |request: &ChatRequest| {
            let context = &request.context;
            (context.attempt, context.retry_reason)
        };
        self.requests().iter().map(attempt).collect()
    }
}

#[async_trait]
impl LlmProvider for Scripted {
    fn name(&self) -> ProviderName {
        self.name
    }

    fn model(&self) -> &str {
        "scripted"
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        match self.next(request) {
            Act::Answer => Ok(answer()),
            Act::Fail(error) | Act::FailAfter(_, error) => Err(error),
            Act::Hang | Act::HangAfterText => std::future::pending().await,
        }
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let start = ChatEvent::Started {
            model: "scripted".to_owned(),
            response_id: None,
            request_id: None,
            usage: None,
            service_tier: None,
            fallback: None,
            latency: OpeningLatency::default(),
        };
        let delta = |_| Ok(ChatEvent::Delta("text".to_owned()));
        let start = stream::iter([Ok(start)]);
        match self.next(request) {
            Act::Fail(error) => Err(error),
            Act::Hang => Ok(start.chain(stream::pending()).boxed()),
            Act::HangAfterText => Ok(start
                .chain(stream::iter([delta(0)]))
                .chain(stream::pending())
                .boxed()),
            Act::Answer => {
                let end = [delta(0), Ok(ChatEvent::Finished(Box::new(answer())))];
                Ok(start.chain(stream::iter(end)).boxed())
            }
            Act::FailAfter(pieces, error) => {
                let pieces = stream::iter((0..pieces).map(delta));
                Ok(start
                    .chain(pieces)
                    .chain(stream::iter([Err(error)]))
                    .boxed())
            }
        }
    }
}

pub(crate) fn answer() -> ChatResponse {
    ChatResponse {
        text: "text".to_owned(),
        model: "scripted".to_owned(),
        response_id: None,
        request_id: None,
        finish_reason: None,
        usage: Usage::default(),
        service_tier: None,
        latency: LatencySplit::default(),
        call_id: None,
        cost: None,
        simulated: false,
        fallback: None,
    }
}

pub(crate) fn limited(retry_after: Option<u64>) -> LlmError {
    LlmError::RateLimited {
        retry_after: retry_after.map(Duration::from_secs),
        request_id: None,
    }
}

pub(crate) fn interrupted() -> LlmError {
    LlmError::Interrupted {
        message: "cut".to_owned(),
    }
}

pub(crate) fn rejected() -> LlmError {
    LlmError::Rejected {
        status: 400,
        message: String::new(),
        request_id: None,
    }
}
