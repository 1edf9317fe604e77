//! What happens in a run, as it happens.

use std::time::Duration;

use eventsource_stream::Eventsource;
use futures_util::{Stream, StreamExt, TryStreamExt};
use reqwest::Method;
use serde::Deserialize;

use super::{Service, reply};
use crate::failure::Failure;

/// Until the stream's head.
const HEAD: Duration = Duration::from_secs(10);

/// Of one connection; a second takes 200 bytes, and who reads more connects again.
const LARGEST: usize = 64 * 1024 * 1024;

/// One event of a run.
#[derive(Debug)]
pub(crate) enum Event {
    /// Seconds of load: one as it ends, or those that were missed.
    Seconds(Vec<Point>),
    /// A change of state in a sentence.
    Status(String),
    /// Nothing comes after this.
    End,
    /// Told by other means.
    Other,
}

/// What a second measured; what had no sample is absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Point {
    /// Seconds since the load began.
    pub(crate) t: u64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) error_rate: Option<f64>,
    pub(crate) checks_passed: u64,
    pub(crate) checks_failed: u64,
    pub(crate) virtual_users: Option<f64>,
    /// Of the run so far; absent without model calls.
    pub(crate) cost: Option<Cost>,
}

/// What model calls cost.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cost {
    /// Such as `sim $1.8700`.
    pub(crate) text: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    message: Option<String>,
    status: Option<String>,
    points: Vec<Point>,
}

impl Service {
    /// The events of a run after one that was seen, with their ids, until the end, or until the
    /// connection breaks off.
    ///
    /// # Errors
    /// There is no stream.
    pub(crate) async fn events(
        &self,
        id: &str,
        after: u64,
    ) -> Result<impl Stream<Item = (u64, Event)> + use<>, Failure> {
        const PATH: &str = "/performance-hub";
        let query = [("test", id), ("after", &after.to_string())];
        let request = self.request(Method::GET, PATH, &query)?;
        let late = |_| Failure::Unreachable {
            address: self.page(id),
            reason: format!("no stream after {HEAD:?}"),
        };
        let reply = tokio::time::timeout(HEAD, request.send())
            .await
            .map_err(late)?
            .map_err(|error| self.lost(&error))?;
        if !reply.status().is_success() {
            reply::text(PATH, reply)
                .await?
                .map_err(|error| self.lost(&error))?;
            return Err(Failure::Broken(format!("{PATH} answered no stream")));
        }
        let mut read = 0_usize;
        let bounded = reply.bytes_stream().map_err(std::io::Error::other);
        let bounded = bounded.and_then(move |bytes| {
            read += bytes.len();
            let within = read <= LARGEST;
            async move {
                within
                    .then_some(bytes)
                    .ok_or_else(|| std::io::Error::other("too long"))
            }
        });
        let readable = |event: Result<eventsource_stream::Event, _>| async { event.ok() };
        let events = bounded.eventsource().take_while(|event| {
            let whole = event.is_ok();
            async move { whole }
        });
        Ok(events.filter_map(readable).map(move |event| {
            let seen = event.id.parse().unwrap_or(after);
            (seen, event_of(&event.event, &event.data))
        }))
    }
}

fn event_of(name: &str, data: &str) -> Event {
    match name {
        "second" => Event::Seconds(serde_json::from_str(data).into_iter().collect()),
        "backfill" => Event::Seconds(read(data).points),
        "TestStatusUpdate" => {
            let data = read(data);
            let told = data.message.or(data.status);
            told.map_or(Event::Other, Event::Status)
        }
        "end" => Event::End,
        _ => Event::Other,
    }
}

fn read(data: &str) -> Data {
    serde_json::from_str(data).unwrap_or_default()
}
