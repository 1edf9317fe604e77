//! Reading and breaking bodies, whatever is in them.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;

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

/// The error that makes the server break a connection within a body.
pub(crate) fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "broken by a fault rule")
}

/// A body that announces its length and breaks in its middle.
pub(crate) fn cut_in_half(mut whole: Vec<u8>) -> Body {
    whole.truncate(whole.len() / 2);
    Body::from_stream(stream::iter([Ok(Bytes::from(whole)), Err(broken())]))
}
