//! The SDK over a body that is given, for the tests and the fuzz target of its decoder.

use std::sync::{Mutex, PoisonError};

use aws_sdk_bedrockruntime::config::{
    HttpClient, RuntimeComponents,
    http::{HttpRequest, HttpResponse},
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_util::stream;

use super::{
    Client, Token, error,
    http::{SUCCESS, framed_body},
    settings, wire,
};
use crate::{
    ChatStream, LlmError,
    answer::{self, Exchange},
};

/// Answers one request with a body.
#[derive(Debug)]
struct Scripted(Mutex<Option<SdkBody>>);

impl HttpConnector for Scripted {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let status = StatusCode::try_from(SUCCESS);
        let response =
            status.map(|status| HttpResponse::new(status, body.unwrap_or_else(SdkBody::empty)));
        HttpConnectorFuture::ready(
            response.map_err(|error| ConnectorError::other(error.into(), None)),
        )
    }
}

/// Hands the same connector to every request.
#[derive(Debug)]
struct Always(SharedHttpConnector);

impl HttpClient for Always {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.clone()
    }
}

/// The events in the body of a streamed answer.
///
/// # Errors
/// As of a call that gets no stream.
pub(crate) async fn read_stream(
    body: Vec<Bytes>,
    asked: String,
    exchange: Exchange,
) -> Result<ChatStream, LlmError> {
    let body = framed_body(stream::iter(body.into_iter().map(Ok)));
    let connector = SharedHttpConnector::new(Scripted(Mutex::new(Some(body))));
    let settings = settings("eu-west-1")
        .bearer_token(Token::new("key", None))
        .http_client(Always(connector));
    let sdk = Client::from_conf(settings.build());
    let sent = sdk.converse_stream().model_id(&asked).send().await;
    let output = sent.map_err(|error| error::of_call(&error))?;
    let decoder = wire::EventDecoder::new(asked);
    Ok(answer::events(
        wire::events(output.stream),
        decoder,
        exchange,
    ))
}
