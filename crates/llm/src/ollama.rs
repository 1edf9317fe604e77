//! Ollama's chat API.

mod wire;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use reqwest::{Client, Url, header::HeaderMap};

use crate::{
    ChatRequest, ChatResponse, ChatStream, Deadlines, Endpoint, LlmError, LlmProvider,
    ProviderName,
    answer::{self, Exchange},
    lines::lines,
    transport::{Accept, Post, Reply, Transport},
};

/// A client of one Ollama server.
///
/// The requests are written with the types of the `ollama-rs` crate. Its client is not used: it
/// loses the HTTP status and every header, skips lines that it cannot read, and drops a chunk that
/// ends inside a character.
#[derive(Debug)]
pub struct Ollama {
    transport: Transport,
    model: String,
}

impl Ollama {
    /// A client for the server at `base`.
    #[must_use]
    pub fn new(client: Client, base: Url, model: String, deadlines: Deadlines) -> Self {
        Self {
            transport: Transport::new(client, base, deadlines),
            model,
        }
    }

    async fn send(&self, request: &ChatRequest, accept: Accept) -> Result<Reply, LlmError> {
        let model = request.model.as_deref().unwrap_or(&self.model);
        self.transport
            .post(Post {
                path: "/api/chat",
                headers: HeaderMap::new(),
                body: wire::request_body(request, model, accept == Accept::JsonLines)?,
                accept,
                deadline: request.context.deadline,
            })
            .await
    }
}

#[async_trait]
impl LlmProvider for Ollama {
    fn name(&self) -> ProviderName {
        ProviderName::Ollama
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn endpoint(&self) -> &Endpoint {
        self.transport.endpoint()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let reply = self.send(request, Accept::Json).await?;
        let exchange = Exchange::new(reply.head.clone(), request);
        let line: wire::Line = reply.json().await?;
        let answer = line.into_answer();
        Ok(exchange.answered(answer?))
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let reply = self.send(request, Accept::JsonLines).await?;
        let exchange = Exchange::new(reply.head.clone(), request);
        Ok(read_stream(reply.chunks(), exchange))
    }
}

/// The events in the body of a streamed answer.
pub(crate) fn read_stream(
    body: impl Stream<Item = Result<Bytes, LlmError>> + Send + 'static,
    exchange: Exchange,
) -> ChatStream {
    answer::events(lines(body), wire::LineDecoder::default(), exchange)
}
