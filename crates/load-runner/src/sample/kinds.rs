//! What kind of metric a name stands for, which k6's CSV does not say.
//!
//! Its own metrics are known. Those of a script are asked for by their first sample, one by one,
//! from k6 itself while it runs; its summary names all of them. (k6 can list all while it runs, but
//! sorts every value of every trend for that.)

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use load_analysis::metric::{Contains, MetricDefinition, MetricKind};
use serde::Deserialize;

use super::decoder::{MAX_METRICS, definitions};
use crate::runner::ProcessArtifacts;
use crate::summary::Summary;
use crate::supervisor::{EndRecord, Order};

/// k6 answers on loopback within milliseconds; reading waits for it.
const DEADLINE: Duration = Duration::from_millis(500);

/// The longest answer: it has a dozen statistics.
const MAX_ANSWER: u64 = 64 * 1024;

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
    files: ProcessArtifacts,
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
    /// Those of k6 itself, and what was known before.
    pub(super) fn new(files: ProcessArtifacts, before: Vec<MetricDefinition>) -> Self {
        let own = OWN.into_iter().flat_map(|(kind, contains, names)| {
            let named = move |name: &&str| ((*name).to_owned(), (kind, contains));
            names.iter().map(named)
        });
        let before = before
            .into_iter()
            .map(|it| (it.name, (it.kind, it.contains)));
        Self {
            known: own.chain(before).collect(),
            files,
        }
    }

    /// All that are known, sorted by name.
    pub(super) fn definitions(&self) -> Vec<MetricDefinition> {
        definitions(&self.known)
    }

    /// The kind of a metric. Waits for k6's answer where it is new.
    pub(super) fn of(&mut self, name: &str) -> Knowledge {
        if let Some(kind) = self.known.get(name) {
            return Knowledge::Known(*kind);
        }
        if !is_name(name) || self.known.len() >= MAX_METRICS {
            return Knowledge::Never;
        }
        // Looked at before the summary: who has ended has written it.
        let has_ended = EndRecord::read(self.run()).is_some();
        if let Ok(summary) = Summary::read(&self.files.summary) {
            let all = summary.metrics.into_iter();
            let room = MAX_METRICS.saturating_sub(self.known.len());
            let all = all.map(|(name, metric)| (name, (metric.kind, metric.contains)));
            self.known
                .extend(all.filter(|(name, _)| is_name(name)).take(room));
        } else if !has_ended && let Ok(kind) = self.ask(name) {
            self.known.insert(name.to_owned(), kind);
        }
        match self.known.get(name) {
            Some(kind) => Knowledge::Known(*kind),
            None if has_ended => Knowledge::Never,
            None => Knowledge::NotYet,
        }
    }

    /// The run's directory.
    fn run(&self) -> &Path {
        self.files
            .directory
            .parent()
            .unwrap_or(&self.files.directory)
    }

    /// Asks k6 over its REST interface.
    fn ask(&self, name: &str) -> io::Result<Kind> {
        let order = Order::read(self.run())?;
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
