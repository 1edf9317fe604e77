//! One HTTP exchange with a provider: sent, awaited within its deadlines, read within its bounds.

mod departure;
mod reply;

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{
    Client, Request, Response, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use service_defaults::http_client::{self, ConnectTime};
use tokio::time::{Instant, timeout_at};

use crate::{Endpoint, LlmError, Stage, retry_after::retry_after, status::status_error};

pub(crate) use departure::Departure;
pub(crate) use reply::{Reply, ReplyHead};

/// Most bytes that are read of an error reply; its message stands at the beginning.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// How long the body of an error reply is waited for; its status is known already.
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(2);

/// The headers in which the vendors name a request, for their support.
const REQUEST_ID_HEADERS: [&str; 3] = ["request-id", "x-request-id", "x-amzn-requestid"];

/// How long a provider may stay silent. The deadline of the whole call comes with the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until a connection is open.
    pub connect: Duration,
    /// Until the first byte of a streamed answer. A whole answer has no first byte before its
    /// last, so it has only the deadline of the call.
    pub first_byte: Duration,
    /// Between two bytes of a streamed answer.
    pub idle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            first_byte: Duration::from_secs(10),
            idle: Duration::from_secs(15),
        }
    }
}

/// A provider's server, as a provider's client uses it.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: Client,
    base: Url,
    endpoint: Endpoint,
    deadlines: Deadlines,
}

/// What is sent.
pub(crate) struct Post {
    /// Below the base URL, beginning with `/`.
    pub(crate) path: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) accept: Accept,
    pub(crate) deadline: Option<Instant>,
}

/// Which kind of answer is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    /// One JSON document.
    Json,
    /// Server-sent events.
    EventStream,
    /// JSON documents, one a line.
    JsonLines,
    /// Amazon's binary frames.
    AmazonEventStream,
}

type Limit = (Instant, Stage);

impl Accept {
    fn admits(self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        match self {
            Self::Json => is("application/json"),
            Self::EventStream => is("text/event-stream"),
            Self::JsonLines => {
                is("application/x-ndjson") || is("application/ndjson") || is("application/json")
            }
            Self::AmazonEventStream => is("application/vnd.amazon.eventstream"),
        }
    }
}

impl Transport {
    pub(crate) fn new(client: Client, base: Url, deadlines: Deadlines) -> Self {
        let endpoint = Endpoint {
            address: base.host_str().unwrap_or_default().into(),
            port: base.port_or_known_default().unwrap_or_default(),
        };
        Self {
            client,
            base,
            endpoint,
            deadlines,
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends JSON and waits for a successful status and the expected kind of body.
    pub(crate) async fn post(&self, post: Post) -> Result<Reply, LlmError> {
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), post.path);
        let request = self
            .client
            .post(url)
            .headers(post.headers)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(post.body)
            .build()
            .map_err(|error| send_error(&error))?;
        self.exchange(request, post.accept, post.deadline).await
    }

    /// Sends a finished request and waits for a successful status and the expected kind of body.
    pub(crate) async fn exchange(
        &self,
        mut request: Request,
        accept: Accept,
        deadline: Option<Instant>,
    ) -> Result<Reply, LlmError> {
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let body = body.map(Bytes::copy_from_slice).unwrap_or_default();
        *request.body_mut() = Some(departure::told(body));
        let sent_at = Instant::now();
        let first_byte_limit = match accept {
            Accept::Json => None,
            Accept::EventStream | Accept::JsonLines | Accept::AmazonEventStream => {
                Some((sent_at + self.deadlines.first_byte, Stage::FirstByte))
            }
        };
        let sending = http_client::send(&self.client, request);
        let response = within(earlier(first_byte_limit, deadline), sending)
            .await?
            .map_err(|error| send_error(&error))?;
        let request_id = request_id(response.headers());
        if !response.status().is_success() {
            return Err(refusal(response, request_id, deadline).await);
        }
        check_content_type(response.headers(), accept)
            .map_err(|error| error.with_request_id(request_id.as_deref()))?;
        let connect = response.extensions().get::<ConnectTime>();
        Ok(Reply {
            head: ReplyHead {
                sent_at,
                connect: connect.map(|time| time.0),
                request_id,
            },
            response,
            first_byte_limit,
            deadline,
            idle: self.deadlines.idle,
        })
    }
}

fn earlier(limit: Option<Limit>, deadline: Option<Instant>) -> Option<Limit> {
    let total = deadline.map(|at| (at, Stage::Total));
    match (limit, total) {
        (Some(limit), Some(total)) if limit.0 < total.0 => Some(limit),
        (limit, None) => limit,
        (_, total) => total,
    }
}

async fn within<T>(limit: Option<Limit>, work: impl Future<Output = T>) -> Result<T, LlmError> {
    match limit {
        None => Ok(work.await),
        Some((at, stage)) => timeout_at(at, work)
            .await
            .map_err(|_| LlmError::Timeout(stage)),
    }
}

async fn refusal(
    mut response: Response,
    request_id: Option<String>,
    deadline: Option<Instant>,
) -> LlmError {
    let patience = (Instant::now() + ERROR_BODY_PATIENCE, Stage::Idle);
    let limit = earlier(Some(patience), deadline);
    let mut body = Vec::new();
    while body.len() < MAX_ERROR_BYTES
        && let Ok(Ok(Some(chunk))) = within(limit, response.chunk()).await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(MAX_ERROR_BYTES);
    let wait = retry_after(response.headers(), Timestamp::now());
    status_error(response.status().as_u16(), &body, wait, request_id)
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    REQUEST_ID_HEADERS
        .into_iter()
        .find_map(|name| headers.get(name))
        .and_then(|value| value.to_str().ok())
        .map(|id| {
            id.chars()
                .take(crate::status::MAX_MESSAGE_CHARACTERS)
                .collect()
        })
}

fn check_content_type(headers: &HeaderMap, accept: Accept) -> Result<(), LlmError> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if accept.admits(content_type) {
        return Ok(());
    }
    let found: String = content_type.chars().take(60).collect();
    Err(LlmError::Malformed {
        message: format!("the content type is '{found}'"),
    })
}

fn send_error(error: &reqwest::Error) -> LlmError {
    if error.is_connect() && error.is_timeout() {
        return LlmError::Timeout(Stage::Connect);
    }
    if error.is_connect() {
        return LlmError::Unreachable {
            message: causes(error),
        };
    }
    LlmError::Interrupted {
        message: causes(error),
    }
}

/// The innermost cause says what happened; the outer ones repeat the URL.
fn causes(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
