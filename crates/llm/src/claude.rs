//! Anthropic's messages API.

mod wire;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    ChatRequest, ChatResponse, ChatStream, ClaudeConfig, Deadlines, Endpoint, LlmError,
    LlmProvider, ProviderName, ServiceTier,
    answer::{self, Exchange},
    lines::lines,
    sse::event_data,
    transport::{Accept, Post, Reply, Transport},
};

/// The version of the API that the requests are written in.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// A client of one Anthropic-compatible server.
#[derive(Debug)]
pub struct Claude {
    transport: Transport,
    headers: HeaderMap,
    model: String,
    service_tier: Option<&'static str>,
}

/// A key that cannot be sent in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holds characters that no HTTP header can carry")]
pub struct UnusableKey;

impl Claude {
    /// A client of the server and with the key of `config`.
    ///
    /// # Errors
    /// A key that no header can carry.
    pub fn new(
        client: Client,
        config: &ClaudeConfig,
        key: &SecretString,
        deadlines: Deadlines,
    ) -> Result<Self, UnusableKey> {
        let mut key = HeaderValue::from_str(key.expose_secret()).map_err(|_| UnusableKey)?;
        key.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (HeaderName::from_static("x-api-key"), key),
            (
                HeaderName::from_static("anthropic-version"),
                HeaderValue::from_static(ANTHROPIC_VERSION),
            ),
        ]);
        Ok(Self {
            transport: Transport::new(client, config.base.clone(), deadlines),
            headers,
            model: config.model.clone(),
            service_tier: config.service_tier,
        })
    }

    async fn send(&self, request: &ChatRequest, accept: Accept) -> Result<Reply, LlmError> {
        let model = request.model.as_deref().unwrap_or(&self.model);
        let body = wire::request_body(
            request,
            model,
            self.service_tier,
            accept == Accept::EventStream,
        )?;
        self.transport
            .post(Post {
                path: "/v1/messages",
                headers: self.headers.clone(),
                body,
                accept,
                deadline: request.context.deadline,
            })
            .await
    }
}

#[async_trait]
impl LlmProvider for Claude {
    fn name(&self) -> ProviderName {
        ProviderName::Claude
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn endpoint(&self) -> &Endpoint {
        self.transport.endpoint()
    }

    fn service_tier(&self) -> ServiceTier {
        ServiceTier::asked(self.service_tier)
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let reply = self.send(request, Accept::Json).await?;
        let exchange = Exchange::new(reply.head.clone(), request);
        let message: wire::Message = reply.json().await?;
        Ok(exchange.answered(message.into_answer()))
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let reply = self.send(request, Accept::EventStream).await?;
        let exchange = Exchange::new(reply.head.clone(), request);
        Ok(read_stream(reply.chunks(), exchange))
    }
}

/// The events in the body of a streamed answer.
pub(crate) fn read_stream(
    body: impl Stream<Item = Result<Bytes, LlmError>> + Send + 'static,
    exchange: Exchange,
) -> ChatStream {
    let decoder = wire::EventDecoder::new(exchange.input_estimate);
    answer::events(event_data(lines(body)), decoder, exchange)
}
