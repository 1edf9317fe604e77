//! Answers from a library: to a request that was recorded, what was said then,
//! in the time that it took.

use std::{
    collections::HashMap,
    io,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::{MatchedPath, RawPathParams, Request, State, rejection::RawPathParamsRejection},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts};
use tokio::time::Instant;

use super::{
    Library, Recording,
    booking::{self, Recorded, ReplayedCall},
    digest,
    usage::RecordedUsage,
};
use crate::{
    body::{self, Unreadable},
    call::Arrival,
    credentials,
    engine::Engine,
    exchange::Exchange,
    wire::Encoding,
};

/// How many times faster or slower than recorded an answer can be.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.01..=1000.0;

/// What is replayed, and how.
#[derive(Debug, Clone)]
pub struct ReplayConfig {
    library: Arc<Library>,
    speed: f64,
    miss: Miss,
}

/// What a request gets that was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// 404 in the dialect's own shape.
    Error,
    /// A simulated answer.
    Simulate,
}

/// How fast answers are replayed: 0.01 to 1,000 times as recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speed(f64);

/// Why a speed was refused.
#[derive(Debug, thiserror::Error)]
#[error("must be between 0.01 and 1000")]
pub(crate) struct SpeedError;

/// A library that is ready to answer.
pub(crate) struct Replay {
    engine: Arc<Engine>,
    answers: HashMap<String, Answers>,
    miss: Miss,
}

/// What was said to equal requests, in the order of recording.
#[derive(Default)]
struct Answers {
    recorded: Vec<Arc<Answer>>,
    given: AtomicUsize,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    head_at: Duration,
    frames: Vec<(Duration, Bytes)>,
    whole: bool,
    /// As the request's body had it.
    model: Option<String>,
    usage: Option<RecordedUsage>,
}

/// The address that a request came to.
type Address = (
    Option<MatchedPath>,
    Result<RawPathParams, RawPathParamsRejection>,
);

impl ReplayConfig {
    /// Replays a library at this speed, 1 being that of the recording.
    #[must_use]
    pub fn new(library: Library, speed: f64, miss: Miss) -> Self {
        Self {
            library: Arc::new(library),
            speed: speed.clamp(*SPEEDS.start(), *SPEEDS.end()),
            miss,
        }
    }
}

impl Replay {
    pub(crate) fn new(config: &ReplayConfig, engine: Arc<Engine>) -> Self {
        let mut answers: HashMap<String, Answers> = HashMap::new();
        for recording in &config.library.recordings {
            let answer = Answer::new(recording, config.speed);
            let equal = answers.entry(recording.digest.clone()).or_default();
            equal.recorded.push(Arc::new(answer));
        }
        Self {
            engine,
            answers,
            miss: config.miss,
        }
    }

    /// The next answer to equal requests; the last one is given again and again.
    fn answer(&self, digest: &str) -> Option<Arc<Answer>> {
        let answers = self.answers.get(digest)?;
        let place = answers.given.fetch_add(1, Ordering::Relaxed);
        let last = answers.recorded.len().checked_sub(1)?;
        answers.recorded.get(place.min(last)).cloned()
    }

    /// The answer on the books, unless it is to a question that calls no model.
    fn book(&self, answer: &Answer, (route, path): &Address, head: &Parts) -> Option<ReplayedCall> {
        let (dialect, operation) = booking::operation(route.as_ref()?.as_str())?;
        let arrival = Arrival::new(&self.engine, dialect, operation, &head.extensions);
        let in_path = path.as_ref().ok().and_then(|path| path.iter().next());
        let in_path = in_path.map(|(_, model)| model.to_owned());
        let model = in_path.or_else(|| answer.model.clone()).unwrap_or_default();
        let caller = credentials::shown(dialect, &head.headers);
        Some(ReplayedCall::begin(
            arrival,
            model,
            caller,
            answer.recorded(),
        ))
    }
}

/// Answers what was recorded, and lets the dialects answer or refuse the rest.
pub(crate) async fn layer(
    State(replay): State<Arc<Replay>>,
    address: Address,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let exchange = Exchange::of(&head.extensions);
    let bytes = match body::read(body).await {
        Ok(bytes) => bytes,
        Err(Unreadable::TooLarge) => {
            exchange.refuse(StatusCode::PAYLOAD_TOO_LARGE);
            Bytes::new()
        }
        Err(Unreadable::Broken(_)) => {
            exchange.refuse(StatusCode::BAD_REQUEST);
            Bytes::new()
        }
    };
    let digest = digest::of(head.method.as_str(), head.uri.path(), &bytes);
    if let Some(answer) = replay.answer(&digest) {
        let call = replay.book(&answer, &address, &head);
        return answer.play(started, call).await;
    }
    if replay.miss == Miss::Error {
        exchange.refuse(StatusCode::NOT_FOUND);
    }
    next.run(Request::from_parts(head, Body::from(bytes))).await
}

impl Answer {
    fn new(recording: &Recording, speed: f64) -> Self {
        let at = |milliseconds: f64| {
            // Loading has checked that no time is beyond a day.
            Duration::try_from_secs_f64(milliseconds / 1000.0 / speed).unwrap_or_default()
        };
        let header = |(name, value): &(String, String)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            Some((name, HeaderValue::try_from(value.as_str()).ok()?))
        };
        let frame = |frame: &super::RecordedFrame| {
            let bytes = frame.bytes().unwrap_or_default();
            (at(frame.at_ms), Bytes::from(bytes))
        };
        let headers: HeaderMap = recording.headers.iter().filter_map(header).collect();
        let frames: Vec<_> = recording.frames.iter().map(frame).collect();
        let bodies = frames.iter().map(|(_, bytes)| &bytes[..]);
        Self {
            usage: RecordedUsage::of(bodies, Encoding::of(&headers)),
            model: recording.model.clone(),
            status: StatusCode::from_u16(recording.status).unwrap_or_default(),
            headers,
            head_at: at(recording.head_ms),
            frames,
            whole: recording.whole,
        }
    }

    /// What the books need to know.
    fn recorded(&self) -> Recorded {
        Recorded {
            status: self.status.as_u16(),
            streamed: Encoding::of(&self.headers) != Encoding::Document,
            usage: self.usage,
            frames: self.frames.len(),
            lasts: self.frames.last().map_or(self.head_at, |(at, _)| *at),
        }
    }

    async fn play(self: Arc<Self>, started: Instant, call: Option<ReplayedCall>) -> Response {
        tokio::time::sleep_until(started + self.head_at).await;
        let (status, headers) = (self.status, self.headers.clone());
        let mut reply = Response::new(Body::from_stream(self.frames(started, call)));
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        reply
    }

    fn frames(
        self: Arc<Self>,
        started: Instant,
        mut call: Option<ReplayedCall>,
    ) -> impl Stream<Item = io::Result<Bytes>> {
        async_stream::try_stream! {
            let mut left = self.frames.len();
            for (at, bytes) in &self.frames {
                tokio::time::sleep_until(started + *at).await;
                left -= 1;
                if let Some(call) = &mut call {
                    call.note_frame();
                    if left == 0 {
                        call.end(self.whole);
                    }
                }
                yield bytes.clone();
            }
            if let Some(call) = &mut call {
                call.end(self.whole);
            }
            if !self.whole {
                Err(body::broken().await)?;
            }
        }
    }
}

impl Speed {
    pub(crate) fn factor(self) -> f64 {
        self.0
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let speed: f64 = text.parse().map_err(|_| SpeedError)?;
        if SPEEDS.contains(&speed) {
            Ok(Self(speed))
        } else {
            Err(SpeedError)
        }
    }
}
