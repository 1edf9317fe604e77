//! What k6 measures, second by second, written into a Prometheus beside the target's metrics.
//!
//! k6 could write by itself. Then each script could reach Prometheus, the histograms of several
//! k6 would have to be told apart, and a run in a container or one that outlived this service
//! would be another story; here it is the seconds that everything else is made of.

mod series;
mod source;
mod wire;

use std::time::{Duration, SystemTime};

use http::header;
use instrumentation::catalogue;
use load_analysis::aggregate::SecondBucket;
use performance_store::Run;
use reqwest::Client;
use service_defaults::http_client;
use tokio::sync::mpsc;
use url::Url;

use self::series::{RunSeries, mark_of_end};
use self::wire::TimeSeries;

/// The longest that one request may take; Prometheus answers in milliseconds.
const DEADLINE: Duration = Duration::from_secs(3);

/// Seconds of a run that may wait for Prometheus; more are skipped. Sums lose nothing by it, since
/// each second has all that was counted before.
const QUEUE: usize = 60;

/// The protocol's version, as its header wants it.
const VERSION: (&str, &str) = ("x-prometheus-remote-write-version", "0.1.0");

/// Where runs are written. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct RemoteWrite {
    client: Client,
    address: Url,
}

/// The way of one run's seconds. When it is dropped, its series end.
pub(crate) struct Live {
    series: RunSeries,
    queue: mpsc::Sender<Vec<TimeSeries>>,
}

impl RemoteWrite {
    /// With the whole address, such as `http://127.0.0.1:9090/api/v1/write`.
    pub(crate) const fn new(client: Client, address: Url) -> Self {
        Self { client, address }
    }

    /// Follows a run; seconds up to `known` are counted and not written, since an earlier life
    /// of the service did.
    pub(crate) fn follow(&self, run: &Run, known: Option<i64>) -> Live {
        let id = run.id.to_string();
        let (queue, waiting) = mpsc::channel(QUEUE);
        let series = RunSeries::new(&id, &run.scenario, known);
        tokio::spawn(self.clone().write_all(id, waiting));
        Live { series, queue }
    }

    /// Marks the end of a run with its verdict, in lower case as metrics have it.
    pub(crate) fn mark_end(&self, run: &Run, verdict: &str) {
        let id = run.id.to_string();
        let mark = mark_of_end(&id, &run.scenario, verdict, now());
        let remote = self.clone();
        tokio::spawn(async move {
            if let Err(why) = remote.write(vec![mark]).await {
                tracing::warn!(test.id = %id, "the verdict is not in Prometheus: {why}");
            }
        });
    }

    /// Writes what comes until nothing more does; says once that it fails, and once that it works
    /// again.
    async fn write_all(self, id: String, mut waiting: mpsc::Receiver<Vec<TimeSeries>>) {
        let mut failing = false;
        while let Some(second) = waiting.recv().await {
            let written = self.write(second).await;
            match &written {
                Ok(()) if failing => {
                    tracing::info!(test.id = %id, "the run is in Prometheus again");
                }
                Err(why) if !failing => {
                    tracing::warn!(test.id = %id, "the run is not in Prometheus: {why}");
                }
                Ok(()) | Err(_) => {}
            }
            failing = written.is_err();
            // What waits at the end of a run is not worth a row of deadlines.
            if failing && waiting.is_closed() {
                return;
            }
        }
    }

    async fn write(&self, series: Vec<TimeSeries>) -> Result<(), String> {
        let outcome = |outcome| {
            catalogue::PERFORMANCE_REMOTE_WRITES
                .counter(&[("outcome", outcome)])
                .increment(1);
        };
        let body = wire::encode(series)?;
        let request = self
            .client
            .post(self.address.clone())
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .header(header::CONTENT_ENCODING, "snappy")
            .header(VERSION.0, VERSION.1)
            .timeout(DEADLINE)
            .body(body)
            .build()
            .map_err(|error| error.without_url().to_string())?;
        match http_client::send(&self.client, request).await {
            Ok(reply) if reply.status().is_success() => {
                outcome("written");
                Ok(())
            }
            Ok(reply) => {
                outcome("refused");
                Err(format!("it answers {}", reply.status().as_u16()))
            }
            Err(error) => {
                outcome("failed");
                Err(error.without_url().to_string())
            }
        }
    }
}

impl Live {
    /// Adds what was measured in a second, or a part of it that came late.
    pub(crate) fn add(&mut self, bucket: &SecondBucket) {
        self.series.add(bucket);
        if let Some(second) = self.series.as_of(bucket.second) {
            self.send(second);
        }
    }

    fn send(&self, second: Vec<TimeSeries>) {
        if self.queue.try_send(second).is_err() {
            catalogue::PERFORMANCE_REMOTE_WRITES
                .counter(&[("outcome", "skipped")])
                .increment(1);
        }
    }
}

/// Without an end Prometheus would show the last values for five minutes more.
impl Drop for Live {
    fn drop(&mut self) {
        let end = self.series.ended();
        if !end.is_empty() {
            self.send(end);
        }
    }
}

/// Milliseconds since the Unix epoch.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
