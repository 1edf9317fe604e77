//! `OpenAI`'s chat completions and responses, and the servers that speak the former.

mod chat;
mod error;
mod responses;
mod usage;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use reqwest::{
    Client,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use secrecy::ExposeSecret;

use crate::{
    ChatRequest, ChatResponse, ChatStream, Deadlines, Endpoint, LlmError, LlmProvider,
    LmStudioConfig, OpenAiConfig, ProviderName, ServiceTier, UnusableKey,
    answer::{self, Exchange},
    lines::lines,
    sse::event_data,
    transport::{Accept, Post, Reply, Transport},
};

/// What LM Studio is sent where `OpenAI` wants a key. It asks for none, but its guides have clients
/// send this word, and servers in its place may insist on some word.
const LM_STUDIO_KEY: &str = "Bearer lm-studio";

/// Which of the vendor's two protocols is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenAiStyle {
    /// `POST /v1/chat/completions`, which many other servers speak too.
    Chat,
    /// `POST /v1/responses`.
    Responses,
}

/// A client of `OpenAI`, or of a server that speaks its chat protocol.
///
/// The requests are written with the types of the `async-openai` crate. Its client is not used: it
/// retries by itself and hides the HTTP status and `Retry-After`. Its types of answers are not used
/// either: they refuse an answer that lacks a field or has a new kind of event, and know no tokens
/// written to the cache.
#[derive(Debug)]
pub struct OpenAi {
    name: ProviderName,
    transport: Transport,
    headers: HeaderMap,
    model: String,
    style: OpenAiStyle,
    service_tier: Option<&'static str>,
}

impl OpenAi {
    /// A client of `OpenAI`.
    ///
    /// # Errors
    /// A key that no header can carry.
    pub fn new(
        client: Client,
        config: &OpenAiConfig,
        deadlines: Deadlines,
    ) -> Result<Self, UnusableKey> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &config.key {
            let bearer = format!("Bearer {}", key.expose_secret());
            let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| UnusableKey)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        Ok(Self {
            name: ProviderName::OpenAi,
            transport: Transport::new(client, config.base.clone(), deadlines),
            headers,
            model: config.model.clone(),
            style: config.style,
            service_tier: config.service_tier,
        })
    }

    /// A client of an LM Studio at `base`: the chat protocol, without a key of ours.
    #[must_use]
    pub fn lm_studio(
        client: Client,
        base: reqwest::Url,
        config: &LmStudioConfig,
        deadlines: Deadlines,
    ) -> Self {
        Self {
            name: ProviderName::LmStudio,
            transport: Transport::new(client, base, deadlines),
            headers: HeaderMap::from_iter([(
                AUTHORIZATION,
                HeaderValue::from_static(LM_STUDIO_KEY),
            )]),
            model: config.model.clone(),
            style: OpenAiStyle::Chat,
            service_tier: None,
        }
    }

    fn model_of<'a>(&'a self, request: &'a ChatRequest) -> &'a str {
        request.model.as_deref().unwrap_or(&self.model)
    }

    async fn send(&self, request: &ChatRequest, accept: Accept) -> Result<Reply, LlmError> {
        let model = self.model_of(request);
        let streamed = accept == Accept::EventStream;
        let (path, body) = match self.style {
            OpenAiStyle::Chat => {
                let dialect = match self.name {
                    ProviderName::OpenAi => chat::Dialect::of_openai(model, self.service_tier),
                    _ => chat::Dialect::COMPATIBLE,
                };
                let body = chat::request_body(request, model, dialect, streamed)?;
                ("/chat/completions", body)
            }
            OpenAiStyle::Responses => {
                let body = responses::request_body(request, model, self.service_tier, streamed)?;
                ("/responses", body)
            }
        };
        self.transport
            .post(Post {
                path,
                headers: self.headers.clone(),
                body,
                accept,
                deadline: request.context.deadline,
            })
            .await
    }
}

#[async_trait]
impl LlmProvider for OpenAi {
    fn name(&self) -> ProviderName {
        self.name
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
        let head = reply.head.clone();
        let asked = self.model_of(request);
        let answer = match self.style {
            OpenAiStyle::Chat => reply.json::<chat::Completion>().await?.into_answer(asked),
            OpenAiStyle::Responses => reply
                .json::<responses::Response>()
                .await?
                .into_answer(asked),
        };
        let answer = answer.map_err(|error| error.with_request_id(head.request_id.as_deref()))?;
        Ok(Exchange::new(head, request).answered(answer))
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let reply = self.send(request, Accept::EventStream).await?;
        let exchange = Exchange::new(reply.head.clone(), request);
        let asked = self.model_of(request).to_owned();
        Ok(read_stream(self.style, reply.chunks(), asked, exchange))
    }
}

/// The events in the body of a streamed answer; `asked` is the model of one that names none.
pub(crate) fn read_stream(
    style: OpenAiStyle,
    body: impl Stream<Item = Result<Bytes, LlmError>> + Send + 'static,
    asked: String,
    exchange: Exchange,
) -> ChatStream {
    let frames = event_data(lines(body));
    match style {
        OpenAiStyle::Chat => answer::events(frames, chat::ChunkDecoder::new(asked), exchange),
        OpenAiStyle::Responses => {
            answer::events(frames, responses::EventDecoder::new(asked), exchange)
        }
    }
}
