//! What kind of metric a name stands for, which k6's CSV does not say.
//!
//! Its own metrics are known. Those of a script are asked for by their first sample, one by one,
//! from k6 itself while it runs; its summary names all of them. (k6 can list all while it runs, but
//! sorts every value of every trend for that.) What k6 said is kept beside its directory: a k6 that
//! was killed writes no summary, and another reader begins anew.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use load_analysis::metric::{Contains, MetricDefinition, MetricKind};
use serde::Deserialize;

use super::decoder::MAX_METRICS;
use crate::runner::ProcessArtifacts;
use crate::summary::Summary;
use crate::supervisor::Order;

/// k6 answers on loopback within milliseconds; reading waits for it.
const DEADLINE: Duration = Duration::from_millis(500);

/// The longest answer: it has a dozen statistics.
const MAX_ANSWER: u64 = 64 * 1024;

/// The longest file of kinds that is read: [`MAX_METRICS`] with long names are shorter.
const MAX_KEPT: u64 = 1024 * 1024;

/// The longest name that k6 takes.
const MAX_NAME: usize = 129;

type Kind = (MetricKind, Contains);

/// The metrics of k6 itself, by its `metrics/builtin.go` (v1.8.1 and v2.2.0 are alike).
const OWN: [(MetricKind, Contains, &[&str]); 5] = [
    (MetricKind::Gauge, Contains::Default, &["vus", "vus_max"]),
    (
        MetricKind::Rate,
        Contains::Default,
        &["checks", "http_req_failed"],
    ),
    (
        MetricKind::Counter,
        Contains::Data,
        &["data_sent", "data_received"],
    ),
    (
        MetricKind::Counter,
        Contains::Default,
        &[
            "iterations",
            "dropped_iterations",
            "http_reqs",
            "ws_sessions",
            "ws_msgs_sent",
            "ws_msgs_received",
        ],
    ),
    (
        MetricKind::Trend,
        Contains::Time,
        &[
            "iteration_duration",
            "group_duration",
            "http_req_duration",
            "http_req_blocked",
            "http_req_connecting",
            "http_req_tls_handshaking",
            "http_req_sending",
            "http_req_waiting",
            "http_req_receiving",
            "ws_ping",
            "ws_session_duration",
            "ws_connecting",
            "grpc_req_duration",
        ],
    ),
];

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knowledge {
    Known(Kind),
    /// k6 runs, and will say.
    NotYet,
    /// Nobody will say any more.
    Never,
}

/// The kinds of a k6's metrics.
#[derive(Debug)]
pub(super) struct Kinds {
    known: HashMap<String, Kind>,
    /// Those of a script that k6 was asked for.
    asked: Vec<MetricDefinition>,
    files: ProcessArtifacts,
    /// Whether what earlier readers were told is read.
    recalled: bool,
    has_ended: bool,
    /// Whether nobody says more: k6 has ended, and its summary is read if there is one.
    complete: bool,
}

/// k6's answer, as far as it matters.
#[derive(Deserialize)]
struct Answer {
    data: Resource,
}

#[derive(Deserialize)]
struct Resource {
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    #[serde(rename = "type")]
    kind: MetricKind,
    contains: Contains,
}

impl Kinds {
    /// Those of k6 itself.
    pub(super) fn new(files: ProcessArtifacts) -> Self {
        let own = OWN.into_iter().flat_map(|(kind, contains, names)| {
            let named = move |name: &&str| ((*name).to_owned(), (kind, contains));
            names.iter().map(named)
        });
        Self {
            known: own.collect(),
            asked: Vec::new(),
            files,
            recalled: false,
            has_ended: false,
            complete: false,
        }
    }

    /// From now on k6 is not asked any more: it has ended, in whatever way.
    pub(super) const fn note_end(&mut self) {
        self.has_ended = true;
    }

    /// The kind of a metric. Waits for k6's answer where it is new.
    pub(super) fn of(&mut self, name: &str) -> Knowledge {
        if let Some(kind) = self.known.get(name) {
            return Knowledge::Known(*kind);
        }
        if !is_name(name) || self.known.len() >= MAX_METRICS {
            return Knowledge::Never;
        }
        if !self.complete {
            self.learn(name);
        }
        match self.known.get(name) {
            Some(kind) => Knowledge::Known(*kind),
            None if self.has_ended => Knowledge::Never,
            None => Knowledge::NotYet,
        }
    }

    /// Looks for a kind wherever it may stand now.
    fn learn(&mut self, name: &str) {
        if !std::mem::replace(&mut self.recalled, true) {
            self.asked = self.recall().unwrap_or_default();
            self.add(self.asked.clone());
            if self.known.contains_key(name) {
                return;
            }
        }
        self.complete = self.has_ended;
        if let Ok(summary) = Summary::read(&self.files.summary) {
            let all = summary.metrics.into_iter();
            self.add(all.map(|(name, metric)| MetricDefinition {
                name,
                kind: metric.kind,
                contains: metric.contains,
            }));
        } else if !self.has_ended
            && let Ok((kind, contains)) = self.ask(name)
        {
            let name = name.to_owned();
            self.asked.push(MetricDefinition {
                name,
                kind,
                contains,
            });
            self.add(self.asked.last().cloned());
            if let Err(error) = self.keep() {
                tracing::warn!("the kinds of metrics are not kept: {error}");
            }
        }
    }

    fn add(&mut self, definitions: impl IntoIterator<Item = MetricDefinition>) {
        let room = MAX_METRICS.saturating_sub(self.known.len());
        let definitions = definitions.into_iter().filter(|it| is_name(&it.name));
        let definitions = definitions.map(|it| (it.name, (it.kind, it.contains)));
        self.known.extend(definitions.take(room));
    }

    /// What k6 told an earlier reader.
    fn recall(&self) -> io::Result<Vec<MetricDefinition>> {
        let mut text = Vec::new();
        let file = File::open(self.told())?;
        file.take(MAX_KEPT).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Keeps what k6 told; as a whole or not at all.
    fn keep(&self) -> io::Result<()> {
        let unfinished = self.told().with_extension("unfinished");
        std::fs::write(&unfinished, serde_json::to_vec(&self.asked)?)?;
        std::fs::rename(unfinished, self.told())
    }

    /// The file of what k6 told: in the run's directory, where k6 itself writes nothing.
    fn told(&self) -> PathBuf {
        self.files.directory.with_extension("metrics.json")
    }

    /// Asks k6 over its REST interface.
    fn ask(&self, name: &str) -> io::Result<Kind> {
        let run = self.files.directory.parent();
        let order = Order::read(run.unwrap_or(&self.files.directory))?;
        let port = order.port_of(&self.files.directory);
        let port = port.ok_or(io::ErrorKind::NotFound)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        // In HTTP/1.0 the answer ends with the connection, and is in one piece.
        let request = format!("GET /v1/metrics/{name} HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        let mut answered = stream.take(MAX_ANSWER);
        answered.read_to_string(&mut answer)?;
        // Another status has another body.
        let (_head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let answer: Answer = serde_json::from_str(body)?;
        let Attributes { kind, contains } = answer.data.attributes;
        Ok((kind, contains))
    }
}

/// What k6 takes for the name of a metric: letters, digits and underscores.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(is_part)
}
