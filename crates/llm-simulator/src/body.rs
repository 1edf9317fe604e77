//! Reading and breaking bodies, whatever is in them.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use serde::Serialize;

/// Largest request body: prompts of a million tokens fit, uploads do not.
pub const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Why a body could not be taken.
pub(crate) enum Unreadable {
    /// Longer than [`MAX_REQUEST_BYTES`].
    TooLarge,
    /// The connection failed within it.
    Broken(String),
}

/// The whole body.
pub(crate) async fn read(body: Body) -> Result<Bytes, Unreadable> {
    axum::body::to_bytes(body, MAX_REQUEST_BYTES)
        .await
        .map_err(|error| {
            let too_large = std::error::Error::source(&error)
                .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
            if too_large {
                Unreadable::TooLarge
            } else {
                Unreadable::Broken(error.to_string())
            }
        })
}

/// A document's bytes.
pub(crate) fn to_json(document: &impl Serialize) -> Vec<u8> {
    // Plain structs of text and numbers always serialise.
    serde_json::to_vec(document).unwrap_or_default()
}

/// The error that makes the server break a connection within a body, once what
/// was written before is on its way: a body that is not ready gets flushed.
pub(crate) async fn broken() -> io::Error {
    tokio::task::yield_now().await;
    io::Error::new(io::ErrorKind::ConnectionAborted, "broken by a fault rule")
}
