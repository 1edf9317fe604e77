//! What faults do to finished replies: one layer around all dialects, that works
//! on heads and bytes and knows nothing of any protocol but how it frames.

mod cut;
mod encoding;
mod event_stream;
mod frames;
mod junk;
mod usage;

pub(crate) use encoding::Encoding;
pub(crate) use event_stream::Frame;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use instrumentation::propagation;

use crate::{
    connection::Connection,
    engine::Engine,
    exchange::Exchange,
    faults::{Reported, Within},
};

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// The baggage member that names the load test.
const TEST_ID: &str = "test.id";
/// Longest document that is spoiled: an answer of 100,000 tokens has a tenth of it.
const MAX_DOCUMENT_BYTES: usize = 16 * 1024 * 1024;
/// What a proxy says instead of the server behind it.
const PAGE: &str = "<!doctype html>\n<html><head><title>Please wait</title></head>\
                    <body><h1>Please wait</h1><p>Checking your browser.</p></body></html>\n";

/// What is done to a reply after its dialect has finished it.
#[derive(Debug)]
pub(crate) enum WireFault {
    /// One more header beside `Retry-After`.
    RetryAfterMs(String),
    /// A page instead of the reply.
    Html,
    /// Another content type for the same reply.
    ContentType(String),
    /// A head without a body.
    Silent,
    /// A break within this part of a frame or document, or in its middle.
    Cut(Option<Within>),
    /// A frame whose checksum is wrong.
    WrongCrc,
    /// A frame without sense.
    Garbage,
    /// A line or frame of so many bytes.
    HugeLine(u64),
    /// Other numbers of tokens.
    Usage(Reported),
}

/// Gives every request its [`Exchange`], and does to the reply what the call ordered.
pub(crate) async fn layer(
    State(engine): State<Arc<Engine>>,
    mut request: Request,
    next: Next,
) -> Response {
    let exchange = exchange(&engine, &request);
    request.extensions_mut().insert(exchange.clone());
    let reply = next.run(request).await;
    match exchange.fault() {
        None => reply,
        Some(fault) => spoil(reply, fault, exchange.clone()).await,
    }
}

fn exchange(engine: &Engine, request: &Request) -> Exchange {
    let headers = request.headers();
    let kept: Option<HeaderMap> = engine.looks_at_headers().then(|| headers.clone());
    let test_id = headers
        .get(BAGGAGE)
        .and_then(|baggage| propagation::baggage_member(baggage, TEST_ID));
    let connection = request.extensions().get::<Connection>().cloned();
    Exchange::new(kept, test_id, connection)
}

async fn spoil(mut reply: Response, fault: &WireFault, exchange: Exchange) -> Response {
    match fault {
        WireFault::RetryAfterMs(text) => {
            set_header(&mut reply, RETRY_AFTER_MS, text);
            reply
        }
        WireFault::ContentType(text) => {
            set_header(&mut reply, CONTENT_TYPE, text);
            reply
        }
        WireFault::Html => {
            let headers = [(CONTENT_TYPE, "text/html; charset=utf-8")];
            (StatusCode::OK, headers, PAGE).into_response()
        }
        WireFault::Silent
        | WireFault::Cut(_)
        | WireFault::WrongCrc
        | WireFault::Garbage
        | WireFault::HugeLine(_)
        | WireFault::Usage(_) => spoil_body(reply, exchange).await,
    }
}

async fn spoil_body(reply: Response, exchange: Exchange) -> Response {
    let encoding = Encoding::of(reply.headers());
    let (mut head, body) = reply.into_parts();
    if encoding == Encoding::Document && head.status.is_success() {
        let Ok(document) = axum::body::to_bytes(body, MAX_DOCUMENT_BYTES).await else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let (body, length) = frames::spoil_document(document, &exchange);
        head.headers.remove(CONTENT_LENGTH);
        if let Some(length) = length {
            head.headers.insert(CONTENT_LENGTH, length.into());
        }
        return Response::from_parts(head, body);
    }
    let body = Body::from_stream(frames::spoil_stream(body, encoding, exchange));
    Response::from_parts(head, body)
}

fn set_header(reply: &mut Response, name: HeaderName, text: &str) {
    // The rule's check has let only sendable texts in.
    if let Ok(value) = HeaderValue::try_from(text) {
        reply.headers_mut().insert(name, value);
    }
}
