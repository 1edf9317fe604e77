//! A proxy before a provider that writes down what the provider says.

use std::{
    fs::File,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderName, header, request::Parts};
use reqwest::{Client, Url};
use serde::Deserialize;
use service_defaults::{
    http_client::{self, HttpClientConfig},
    problem::Problem,
};

use super::{
    KEPT_HEADERS, LibraryError, MAX_RECORDED_BYTES, RecordedFrame, Recording,
    account_numbers::without_accounts, digest, file::open_to_append, frames::Frames, sanitise::Ids,
};
use crate::{
    body::{self, MAX_REQUEST_BYTES, Unreadable},
    wire::Encoding,
};

/// Until the provider's connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// Between two pieces of an answer: a large model may think for minutes.
const READ: Duration = Duration::from_mins(5);
/// Headers of one connection, which another must not see; and those that the
/// client of the other one sets by itself. Packed answers could not be read.
const NOT_FORWARDED: [HeaderName; 10] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    header::PROXY_AUTHENTICATE,
    header::ACCEPT_ENCODING,
];

/// Whose answers are recorded, and where.
#[derive(Debug, Clone)]
pub struct RecorderConfig {
    /// The provider's address, without credentials and query.
    pub upstream: Url,
    /// The library's file; an existing one is added to.
    pub library: String,
}

/// A recording proxy.
pub struct Recorder {
    client: Client,
    upstream: Url,
    library: Mutex<File>,
}

/// Why nothing can be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// The address cannot be one of a provider.
    #[error("the upstream must be http:// or https:// without credentials, query and fragment")]
    Upstream,
    /// The file cannot be written.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// There is no client for HTTP.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// What is known of an exchange before its answer.
struct Asked {
    method: String,
    path: String,
    digest: String,
    model: Option<String>,
    started: Instant,
}

/// An answer that is being written down.
struct Tape {
    recorder: Arc<Recorder>,
    recording: Recording,
    started: Instant,
    encoding: Encoding,
    frames: Frames,
    ids: Ids,
    bytes: usize,
}

#[derive(Deserialize)]
struct NamesModel {
    model: Option<String>,
}

impl Recorder {
    /// Opens the library and prepares to call the provider.
    ///
    /// # Errors
    /// The address or the file cannot be used.
    pub fn open(config: &RecorderConfig) -> Result<Self, RecorderError> {
        let upstream = &config.upstream;
        let is_plain = matches!(upstream.scheme(), "http" | "https")
            && upstream.username().is_empty()
            && upstream.password().is_none()
            && upstream.query().is_none()
            && upstream.fragment().is_none();
        if !is_plain {
            return Err(RecorderError::Upstream);
        }
        let client = http_client::build(&HttpClientConfig {
            connect: CONNECT,
            read: READ,
            total: None,
            ..HttpClientConfig::default()
        })?;
        Ok(Self {
            client,
            upstream: upstream.clone(),
            library: Mutex::new(open_to_append(&config.library)?),
        })
    }

    /// Everything is forwarded.
    pub fn router(self) -> Router {
        let recorder = Arc::new(self);
        Router::new()
            .route("/", any(forward))
            .route("/{*path}", any(forward))
            .with_state(recorder)
    }

    fn url(&self, head: &Parts) -> Url {
        let mut url = self.upstream.clone();
        let base = self.upstream.path().trim_end_matches('/');
        url.set_path(&format!("{base}{}", head.uri.path()));
        url.set_query(head.uri.query());
        url
    }

    async fn append(self: Arc<Self>, recording: Recording) {
        let written = tokio::task::spawn_blocking(move || {
            let mut line = serde_json::to_vec(&recording)?;
            line.push(b'\n');
            let mut file = self.library.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&line)
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("an answer could not be recorded: {error}"),
            Err(error) => tracing::error!("an answer could not be recorded: {error}"),
        }
    }
}

async fn forward(State(recorder): State<Arc<Recorder>>, request: Request) -> Response {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let bytes = match body::read(body).await {
        Ok(bytes) => bytes,
        Err(Unreadable::TooLarge) => {
            return Problem::payload_too_large(MAX_REQUEST_BYTES).into_response();
        }
        Err(Unreadable::Broken(reason)) => return Problem::malformed(reason).into_response(),
    };
    let asked = Asked::new(&head, &bytes, started);
    let mut headers = head.headers.clone();
    keep_own(&mut headers);
    let sent = recorder
        .client
        .request(head.method.clone(), recorder.url(&head))
        .headers(headers)
        .body(bytes)
        .send()
        .await;
    match sent {
        Ok(answer) => pass_on(recorder, asked, answer),
        Err(error) => {
            tracing::warn!("the provider gave no answer: {}", error.without_url());
            Problem::bad_gateway("the provider gave no answer").into_response()
        }
    }
}

fn pass_on(recorder: Arc<Recorder>, asked: Asked, answer: reqwest::Response) -> Response {
    let mut headers = answer.headers().clone();
    keep_own(&mut headers);
    let status = answer.status();
    let tape = Tape::new(recorder, asked, status.as_u16(), &headers);
    let mut reply = Response::new(Body::from_stream(copied(answer, tape)));
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    reply
}

/// The answer as it comes. Its end is sent once the recording is written.
fn copied(mut answer: reqwest::Response, mut tape: Tape) -> impl Stream<Item = io::Result<Bytes>> {
    async_stream::try_stream! {
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) => {
                    tape.note(&piece);
                    yield piece;
                }
                Ok(None) => break,
                Err(error) => {
                    tape.end(false).await;
                    Err(io::Error::other(error.without_url()))?;
                    return;
                }
            }
        }
        tape.end(true).await;
    }
}

impl Asked {
    fn new(head: &Parts, body: &[u8], started: Instant) -> Self {
        let named: Option<NamesModel> = serde_json::from_slice(body).ok();
        Self {
            method: head.method.to_string(),
            path: without_accounts(head.uri.path()),
            digest: digest::of(head.method.as_str(), head.uri.path(), body),
            model: named
                .and_then(|named| named.model)
                .map(|model| without_accounts(&model)),
            started,
        }
    }
}

impl Tape {
    fn new(recorder: Arc<Recorder>, asked: Asked, status: u16, headers: &HeaderMap) -> Self {
        let kept = KEPT_HEADERS.iter().filter_map(|name| {
            let value = headers.get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), value.to_owned()))
        });
        let encoding = Encoding::of(headers);
        Self {
            recorder,
            started: asked.started,
            encoding,
            frames: Frames::new(encoding),
            ids: Ids::of(&asked.method),
            bytes: 0,
            recording: Recording {
                method: asked.method,
                path: asked.path,
                digest: asked.digest,
                model: asked.model,
                status,
                headers: kept.collect(),
                head_ms: milliseconds(asked.started),
                frames: Vec::new(),
                whole: false,
            },
        }
    }

    fn note(&mut self, piece: &[u8]) {
        self.bytes += piece.len();
        if self.bytes > MAX_RECORDED_BYTES {
            return;
        }
        for frame in self.frames.push(piece) {
            self.keep(frame);
        }
    }

    async fn end(mut self, whole: bool) {
        if self.bytes > MAX_RECORDED_BYTES {
            tracing::warn!(
                "an answer of {} bytes is too long to be recorded",
                self.bytes
            );
            return;
        }
        let rest = std::mem::replace(&mut self.frames, Frames::new(self.encoding)).end();
        if let Some(rest) = rest {
            self.keep(rest);
        }
        self.recording.whole = whole;
        self.recorder.append(self.recording).await;
    }

    fn keep(&mut self, frame: Vec<u8>) {
        let is_error_page = self.recording.status >= 400 && self.encoding == Encoding::Document;
        let frame = match is_error_page {
            true => Ids::of_no_json(frame),
            false => frame,
        };
        let clean = self.ids.remove(frame, self.encoding);
        let at = milliseconds(self.started);
        self.recording.frames.push(RecordedFrame::new(at, clean));
    }
}

/// Takes away what belongs to one connection only.
fn keep_own(headers: &mut HeaderMap) {
    for name in &NOT_FORWARDED {
        headers.remove(name);
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
