//! The SDK's HTTP client: our transport.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

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
use futures_util::{Stream, TryStreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::Instant;

use crate::{
    LlmError,
    bedrock::frames::bounded_frames,
    transport::{Accept, ReplyHead, Transport},
};

/// What the SDK is told of a status that the transport has found to be successful.
pub(super) const SUCCESS: u16 = 200;

/// What the transport has to know of a call, and what it learns of it. Travels with the SDK's
/// request, which is otherwise the same for every call.
#[derive(Clone)]
pub(super) struct Call {
    accept: Accept,
    deadline: Option<Instant>,
    begun: Instant,
    head: Arc<OnceLock<ReplyHead>>,
}

impl Call {
    pub(super) fn new(accept: Accept, deadline: Option<Instant>) -> Self {
        Self {
            accept,
            deadline,
            begun: Instant::now(),
            head: Arc::default(),
        }
    }

    /// Puts the call into the SDK's request.
    pub(super) fn attach(&self) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
        let call = self.clone();
        move |request| request.add_extension(call.clone())
    }

    /// What was learned when the answer began; nothing of a call that got none.
    pub(super) fn head(&self) -> ReplyHead {
        self.head.get().cloned().unwrap_or(ReplyHead {
            sent_at: self.begun,
            connect: None,
            request_id: None,
        })
    }
}

/// Sends what the SDK wrote and signed.
#[derive(Clone)]
pub(super) struct SdkTransport {
    transport: Arc<Transport>,
}

impl SdkTransport {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport: Arc::new(transport),
        }
    }
}

impl fmt::Debug for SdkTransport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SdkTransport")
    }
}

impl HttpClient for SdkTransport {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SdkTransport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = Arc::clone(&self.transport);
        HttpConnectorFuture::new(async move {
            exchange(&transport, request)
                .await
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Sends one request. An error is an [`LlmError`] inside the SDK's own, where
/// [`of_call`](super::error::of_call) finds it: also an unsuccessful status, which the SDK never
/// sees.
async fn exchange(transport: &Transport, request: HttpRequest) -> Result<HttpResponse, LlmError> {
    let mut request = request
        .try_into_http1x()
        .map_err(|error| unwritable(&error))?;
    let extensions = request.extensions_mut();
    let call: Call = extensions.remove().ok_or_else(|| LlmError::Malformed {
        message: "the request came without its call".to_owned(),
    })?;
    let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
    let request = reqwest::Request::try_from(request).map_err(|error| unwritable(&error))?;
    let reply = transport
        .exchange(request, call.accept, call.deadline)
        .await?;
    call.head.get_or_init(|| reply.head.clone());
    let body = match call.accept {
        Accept::AmazonEventStream => framed_body(reply.chunks()),
        Accept::Json | Accept::EventStream | Accept::JsonLines => reply.bytes().await?.into(),
    };
    let status = StatusCode::try_from(SUCCESS).map_err(|error| unwritable(&error))?;
    Ok(HttpResponse::new(status, body))
}

/// A body of binary frames, passed to the SDK as it arrives.
pub(super) fn framed_body(
    chunks: impl Stream<Item = Result<Bytes, LlmError>> + Send + Sync + 'static,
) -> SdkBody {
    let frames = bounded_frames(chunks).map_ok(Frame::data);
    SdkBody::from_body_1_x(StreamBody::new(frames))
}

fn unwritable(error: &dyn std::error::Error) -> LlmError {
    LlmError::Malformed {
        message: format!("the request cannot be written: {error}"),
    }
}
