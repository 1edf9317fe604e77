//! A summary as server-sent events.
//!
//! Nothing is queued for a reader: an event is made when the connection takes it, out of the
//! transcript that all readers of an answer share. A reader that takes nothing loses its connection
//! to the accept loop's limit, and everything with it.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use async_stream::stream;
use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, header};
use instrumentation::request::{self, RequestIdentity};
use llm::Fallback;
use serde::Serialize;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::{
    SummaryError,
    generate::summary_problem,
    reply::{CostReply, SummaryReply, UsageReply, server_timing},
    stream::{Piece, Summary, SummaryStream},
};
use crate::openapi::ProblemDocument;

/// How often a reader is told of tokens and cost: often enough for a person who watches them.
const USAGE_INTERVAL: Duration = Duration::from_secs(1);

const EVENT_STREAM: &str = "text/event-stream";

/// The data of one event; `event` has the member's name after `summary.`, `id` counts from 1.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the events, which are written one by one"
)]
pub(super) enum SummaryEvent {
    /// `summary.start`, first; and again where another provider begins anew after texts of one that
    /// failed: those are void.
    Start(StartEvent),
    /// `summary.delta`: all since the last start together are the summary.
    Delta(DeltaEvent),
    /// `summary.usage`: at most once a second, and once before the end of an answer that a model
    /// made.
    Usage(UsageEvent),
    /// `summary.done`, last: the reply as in JSON.
    Done(Box<SummaryReply>),
    /// `summary.error`, last, in place of the end: nothing of the summary is kept.
    Error(ProblemDocument),
}

/// Who answers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartEvent {
    model: String,
    provider: String,
    /// Who was asked first and failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_from: Option<&'static str>,
    /// As in `X-Request-Id`.
    request_id: String,
}

/// The next part of the text.
#[derive(Serialize, ToSchema)]
pub(super) struct DeltaEvent {
    text: String,
}

/// What the answer has taken so far.
#[derive(Serialize, ToSchema)]
pub(super) struct UsageEvent {
    usage: UsageReply,
    /// This request's part.
    cost: CostReply,
}

/// Whether the caller would rather have events than one document: it names them, and does not give
/// them less weight than JSON.
pub(super) fn are_wanted(headers: &HeaderMap) -> bool {
    let weight = |wanted: &str| {
        headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|range| weight_of(range, wanted))
            .fold(0.0_f32, f32::max)
    };
    let events = weight(EVENT_STREAM);
    events > 0.0 && events >= weight("application/json")
}

/// The weight that a media range gives to exactly this type.
fn weight_of(range: &str, wanted: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(wanted) {
        return None;
    }
    let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    Some(weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

/// The reply as events.
///
/// # Errors
/// A failure that shows before the first heartbeat is due has its own status, as in JSON. A later
/// one is a `summary.error`.
pub(super) async fn reply(
    book_id: String,
    mut summary: SummaryStream,
    heartbeat: Duration,
) -> Result<Response, Problem> {
    let first = tokio::time::timeout(heartbeat, summary.next()).await;
    let first = first.ok().transpose().map_err(summary_problem)?;
    let timing = match &first {
        Some(Piece::Whole(_)) => server_timing([("total", Some(summary.elapsed()))]),
        // It comes with its first text.
        Some(Piece::Started { latency, .. }) => server_timing([
            ("queue", Some(latency.queue)),
            ("connect", latency.connect),
            ("ttft", Some(summary.elapsed())),
        ]),
        Some(Piece::Text(_)) => server_timing([("ttft", Some(summary.elapsed()))]),
        None => String::new(),
    };
    let writer = Writer::new(book_id);
    let keep_alive = KeepAlive::new().interval(heartbeat).text("heartbeat");
    let sse = Sse::new(writer.events(summary, first)).keep_alive(keep_alive);
    let mut response = sse.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that buffer would turn a live stream into a late one.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    if let Ok(timing) = HeaderValue::try_from(timing)
        && !timing.is_empty()
    {
        headers.insert("server-timing", timing);
    }
    Ok(response)
}

/// Writes the events of one reply.
struct Writer {
    book_id: String,
    /// The body is sent outside the handler, so the request goes with it.
    identity: Option<Arc<RequestIdentity>>,
    last_id: u64,
    usage_told: Instant,
}

impl Writer {
    fn new(book_id: String) -> Self {
        Self {
            book_id,
            identity: request::current(),
            last_id: 0,
            usage_told: Instant::now(),
        }
    }

    fn events(
        mut self,
        mut summary: SummaryStream,
        mut first: Option<Piece>,
    ) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream! {
            loop {
                let piece = match first.take() {
                    Some(first) => Ok(first),
                    None => summary.next().await,
                };
                let is_last = !matches!(piece, Ok(Piece::Started { .. } | Piece::Text(_)));
                let events = match piece {
                    Ok(piece) => self.of(piece, &summary),
                    Err(error) => vec![self.error(error).await],
                };
                for event in events {
                    yield Ok(event);
                }
                if is_last {
                    return;
                }
            }
        }
    }

    fn of(&mut self, piece: Piece, summary: &SummaryStream) -> Vec<Event> {
        match piece {
            Piece::Started {
                model,
                provider,
                fallback,
                ..
            } => vec![self.start(model, provider.as_str().to_owned(), fallback)],
            Piece::Text(text) => {
                let mut events = vec![self.event("summary.delta", &DeltaEvent { text })];
                if self.usage_told.elapsed() >= USAGE_INTERVAL {
                    self.usage_told = Instant::now();
                    let (usage, cost) = summary.usage_so_far();
                    let usage = UsageEvent {
                        usage: UsageReply::new(&usage),
                        cost: CostReply::new(cost.as_ref()),
                    };
                    events.push(self.event("summary.usage", &usage));
                }
                events
            }
            Piece::Whole(summary) => self.whole(&summary),
        }
    }

    /// The end; and all of it, when there was no beginning because the summary was there.
    fn whole(&mut self, summary: &Summary) -> Vec<Event> {
        let reply = SummaryReply::new(self.book_id.clone(), summary);
        let mut events = Vec::new();
        if summary.answer.is_some() {
            let usage = UsageEvent {
                usage: reply.usage,
                cost: reply.cost.clone(),
            };
            events.push(self.event("summary.usage", &usage));
        } else {
            let kept = &summary.kept;
            let provider = kept.provider.clone();
            events.push(self.start(kept.model.clone(), provider, None));
            let text = kept.text.clone();
            events.push(self.event("summary.delta", &DeltaEvent { text }));
        }
        events.push(self.event("summary.done", &reply));
        events
    }

    fn start(&mut self, model: String, provider: String, fallback: Option<Fallback>) -> Event {
        let identity = self.identity.as_ref();
        let start = StartEvent {
            model,
            provider,
            fallback_from: fallback.map(|failed| failed.from.as_str()),
            request_id: identity.map_or("", |known| known.request_id()).to_owned(),
        };
        self.event("summary.start", &start)
    }

    async fn error(&mut self, error: SummaryError) -> Event {
        let problem = async move {
            let problem = summary_problem(error);
            (problem.status(), problem.to_json())
        };
        let document = match self.identity.clone() {
            Some(identity) => {
                let (status, document) = request::scope(Arc::clone(&identity), problem).await;
                // The head said 200 before; what is wrong with a request is no failure of ours.
                if status.is_server_error() {
                    identity.fail(status);
                }
                document
            }
            None => problem.await.1,
        };
        self.event("summary.error", &document)
    }

    fn event(&mut self, name: &str, data: &impl Serialize) -> Event {
        self.last_id += 1;
        // Structs of texts and numbers always have a JSON form, on one line.
        let data = serde_json::to_string(data).unwrap_or_default();
        let event = Event::default().id(self.last_id.to_string());
        event.event(name).data(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_for_those_who_name_them() {
        for (accept, wanted) in [
            ("text/event-stream", true),
            ("Text/Event-Stream", true),
            ("application/json, text/event-stream", true),
            ("text/event-stream;q=0.5, */*;q=0.1", true),
            ("text/event-stream;q=0.5, application/json", false),
            ("application/json;q=0.2, text/event-stream ; q=0.3", true),
            ("text/event-stream;q=0", false),
            ("text/event-stream;q=much", false),
            ("*/*", false),
            ("text/*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(are_wanted(&headers), wanted, "{accept}");
        }
        assert!(!are_wanted(&HeaderMap::new()));
    }
}
