//! A successful answer, read within its deadlines and bounds.

use std::{pin::pin, time::Duration};

use async_stream::try_stream;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use reqwest::Response;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::{Limit, causes, earlier, within};
use crate::{LlmError, Stage};

/// Most bytes of one answer. The longest outputs on sale are about 128k tokens, half a megabyte of
/// text, sent as events of a few hundred bytes each.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// A successful answer whose body is still to be read.
pub(crate) struct Reply {
    pub(super) response: Response,
    pub(crate) head: ReplyHead,
    pub(super) first_byte_limit: Option<Limit>,
    pub(super) deadline: Option<Instant>,
    pub(super) idle: Duration,
}

/// What is known of a successful answer before its body comes.
#[derive(Debug, Clone)]
pub(crate) struct ReplyHead {
    pub(crate) sent_at: Instant,
    /// Opening the connection; `None` when it was open already.
    pub(crate) connect: Option<Duration>,
    pub(crate) request_id: Option<String>,
}

impl Reply {
    /// Reads the whole body as one JSON document.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T, LlmError> {
        let request_id = self.head.request_id.clone();
        let body = self.bytes().await;
        let document = body.and_then(|body| {
            serde_json::from_slice(&body).map_err(|error| LlmError::Malformed {
                message: format!("the body is not the expected JSON: {error}"),
            })
        });
        document.map_err(|error| error.with_request_id(request_id.as_deref()))
    }

    /// Reads the whole body.
    pub(crate) async fn bytes(self) -> Result<Bytes, LlmError> {
        let mut body = BytesMut::new();
        let mut chunks = pin!(self.chunks());
        while let Some(chunk) = chunks.next().await {
            body.extend_from_slice(&chunk?);
        }
        Ok(body.freeze())
    }

    /// The body as it arrives. Dropping the stream closes the connection.
    pub(crate) fn chunks(self) -> impl Stream<Item = Result<Bytes, LlmError>> + Send + Sync {
        let Self {
            mut response,
            first_byte_limit,
            deadline,
            idle,
            ..
        } = self;
        try_stream! {
            let mut read = 0;
            let mut limit = first_byte_limit;
            while let Some(chunk) = within(earlier(limit, deadline), response.chunk())
                .await?
                .map_err(|error| body_error(&error))?
            {
                read += chunk.len();
                if read > MAX_ANSWER_BYTES {
                    Err(LlmError::Malformed {
                        message: format!("the answer is longer than {MAX_ANSWER_BYTES} bytes"),
                    })?;
                }
                yield chunk;
                limit = first_byte_limit.map(|_| (Instant::now() + idle, Stage::Idle));
            }
        }
    }
}

fn body_error(error: &reqwest::Error) -> LlmError {
    LlmError::Interrupted {
        message: causes(error),
    }
}
