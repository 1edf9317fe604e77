//! Amazon Bedrock's Converse and `ConverseStream`.

mod error;
mod frames;
mod http;
#[cfg(any(test, feature = "fuzzing"))]
mod scripted;
mod wire;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use scripted::read_stream;

use async_trait::async_trait;
use aws_sdk_bedrockruntime::{
    Client,
    config::{
        BehaviorVersion, Builder, Config, Credentials, IdentityCache, Region,
        StalledStreamProtectionConfig, Token, retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    BedrockConfig, BedrockCredentials, ChatRequest, ChatResponse, ChatStream, Deadlines, Endpoint,
    LlmError, LlmProvider, ProviderName, ServiceTier, UnusableKey,
    answer::{self, Exchange},
    bedrock::http::{Call, SdkTransport},
    transport::{Accept, Transport},
};

/// Where the credentials come from, in the words of the SDK's own logs.
const CREDENTIALS_SOURCE: &str = "settings";

/// A client of Amazon Bedrock.
///
/// The vendor's SDK writes and signs the requests and reads the answers and their frames. It sends
/// nothing itself: its HTTP client is our transport, so that there is one TLS stack, the deadlines
/// and bounds are those of the other providers, and a refusal keeps its status, request id and
/// `Retry-After`. Its own retries, timeouts and caches are off.
#[derive(Debug)]
pub struct Bedrock {
    sdk: Client,
    endpoint: Endpoint,
    model: String,
    service_tier: Option<&'static str>,
}

impl Bedrock {
    /// A client of the server and with the credentials of `config`.
    ///
    /// # Errors
    /// A key that no header can carry.
    pub fn new(
        client: reqwest::Client,
        config: &BedrockConfig,
        credentials: &BedrockCredentials,
        deadlines: Deadlines,
    ) -> Result<Self, UnusableKey> {
        let transport = Transport::new(client, config.base.clone(), deadlines);
        let endpoint = transport.endpoint().clone();
        let settings = settings(&config.region)
            .endpoint_url(config.base.as_str())
            .http_client(SdkTransport::new(transport));
        let settings = with_credentials(settings, credentials)?;
        Ok(Self {
            sdk: Client::from_conf(settings.build()),
            endpoint,
            model: config.model.clone(),
            service_tier: config.service_tier,
        })
    }

    fn model_of<'a>(&'a self, request: &'a ChatRequest) -> &'a str {
        request.model.as_deref().unwrap_or(&self.model)
    }
}

/// The SDK with everything off that would act by itself.
fn settings(region: &str) -> Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .identity_cache(IdentityCache::no_cache())
}

fn with_credentials(
    settings: Builder,
    credentials: &BedrockCredentials,
) -> Result<Builder, UnusableKey> {
    Ok(match credentials {
        BedrockCredentials::Bearer(key) => settings.bearer_token(Token::new(sendable(key)?, None)),
        BedrockCredentials::AccessKey {
            id,
            secret,
            session_token,
        } => settings.credentials_provider(Credentials::new(
            sendable(id)?,
            secret.expose_secret(),
            session_token.as_ref().map(sendable).transpose()?,
            None,
            CREDENTIALS_SOURCE,
        )),
    })
}

/// A secret that goes into a header as it is.
fn sendable(secret: &SecretString) -> Result<String, UnusableKey> {
    let text = secret.expose_secret();
    HeaderValue::from_str(text).map_err(|_| UnusableKey)?;
    Ok(text.to_owned())
}

#[async_trait]
impl LlmProvider for Bedrock {
    fn name(&self) -> ProviderName {
        ProviderName::Bedrock
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn service_tier(&self) -> ServiceTier {
        ServiceTier::asked(self.service_tier)
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let model = self.model_of(request);
        let call = Call::new(Accept::Json, request.context.deadline);
        let sent = self
            .sdk
            .converse()
            .model_id(model)
            .set_system(wire::system(request))
            .set_messages(Some(wire::messages(request)?))
            .inference_config(wire::inference(request, model))
            .set_service_tier(wire::asked_tier(self.service_tier)?)
            .customize()
            .mutate_request(call.attach())
            .send()
            .await;
        let head = call.head();
        let answer = sent
            .map_err(|error| error::of_call(&error))
            .and_then(|output| wire::answer(output, model))
            .map_err(|error| error.with_request_id(head.request_id.as_deref()))?;
        Ok(Exchange::new(head, request).answered(answer))
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let model = self.model_of(request);
        let call = Call::new(Accept::AmazonEventStream, request.context.deadline);
        let output = self
            .sdk
            .converse_stream()
            .model_id(model)
            .set_system(wire::system(request))
            .set_messages(Some(wire::messages(request)?))
            .inference_config(wire::inference(request, model))
            .set_service_tier(wire::asked_tier(self.service_tier)?)
            .customize()
            .mutate_request(call.attach())
            .send()
            .await
            .map_err(|error| error::of_call(&error))?;
        let exchange = Exchange::new(call.head(), request);
        let decoder = wire::EventDecoder::new(model.to_owned());
        Ok(answer::events(
            wire::events(output.stream),
            decoder,
            exchange,
        ))
    }
}
