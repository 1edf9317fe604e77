//! The SDK over a body that is given, for the tests of its decoder.

use std::sync::Mutex;

use aws_sdk_bedrockruntime::config::{
    HttpClient, RuntimeComponents,
    http::{HttpRequest, HttpResponse},
};
use aws_smithy_runtime_api::{
    client::http::{
        HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_util::stream;

use super::{
    Client, Token,
    http::{SUCCESS, framed_body},
    settings, wire,
};
use crate::{
    ChatStream,
    answer::{self, Exchange},
};

/// Answers one request with a body.
#[derive(Debug)]
struct Scripted(Mutex<Option<SdkBody>>);

impl HttpConnector for Scripted {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let body = self.0.lock().expect("not poisoned").take();
        let status = StatusCode::try_from(SUCCESS).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body.expect("one request"))))
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
pub(crate) async fn read_stream(body: Vec<Bytes>, asked: String, exchange: Exchange) -> ChatStream {
    let body = framed_body(stream::iter(body.into_iter().map(Ok)));
    let connector = SharedHttpConnector::new(Scripted(Mutex::new(Some(body))));
    let settings = settings("eu-west-1")
        .bearer_token(Token::new("key", None))
        .http_client(Always(connector));
    let sdk = Client::from_conf(settings.build());
    let sent = sdk.converse_stream().model_id(&asked).send().await;
    let events = wire::events(sent.expect("a stream").stream);
    answer::events(events, wire::EventDecoder::new(asked), exchange)
}
