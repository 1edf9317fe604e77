//! The load by endpoint, and what went wrong with it.

use load_analysis::results::{LEAST_FOR_P99, Results};

use super::numbers::{number, share, whole};
use crate::picture::{Endpoint, LoadFigures, Picture};
use crate::timeline::{FailureKind, count};

/// Rows of either table. Tag sets of a run are bounded, so nearly every run has fewer.
const MAX_ROWS: usize = 100;

/// One endpoint; durations in milliseconds.
pub(crate) struct EndpointRow {
    pub(crate) name: String,
    pub(crate) requests: String,
    pub(crate) rate: String,
    pub(crate) failed: String,
    /// p50, p95, p99, the longest.
    pub(crate) durations: [String; 4],
    /// Of the time that all requests took.
    pub(crate) time: String,
}

/// Requests that failed in one way.
pub(crate) struct ErrorRow {
    pub(crate) endpoint: String,
    pub(crate) kind: String,
    pub(crate) count: String,
    pub(crate) share: String,
}

/// The endpoints of the load, then what setup and teardown did.
pub(crate) fn rows(picture: &Picture, results: Option<&Results>) -> Vec<EndpointRow> {
    let seconds = picture.load_length(results);
    let all = total(&picture.load);
    let mut rows: Vec<EndpointRow> = picture
        .endpoints
        .iter()
        .take(MAX_ROWS)
        .map(|endpoint| row(&endpoint.name, &endpoint.figures, seconds, Some(all)))
        .collect();
    if picture.aside.requests > 0 {
        rows.push(row(
            "setup and teardown, apart",
            &picture.aside,
            seconds,
            None,
        ));
    }
    rows
}

/// Failed requests by endpoint and kind, the most frequent first.
pub(crate) fn errors(picture: &Picture) -> Vec<ErrorRow> {
    let of = |endpoint: &Endpoint| {
        let all = endpoint.figures.requests;
        let rows = endpoint.figures.unexpected.iter();
        let rows = rows.map(|((kind, status), failed)| {
            let row = ErrorRow {
                endpoint: endpoint.name.clone(),
                kind: what_came(*kind, status),
                count: whole(*failed),
                share: share(count(*failed) / count(all.max(1))),
            };
            (*failed, row)
        });
        rows.collect::<Vec<_>>()
    };
    let mut errors: Vec<(u64, ErrorRow)> = picture.endpoints.iter().flat_map(of).collect();
    errors.sort_by_key(|(failed, _)| std::cmp::Reverse(*failed));
    let rows = errors.into_iter().take(MAX_ROWS);
    rows.map(|(_, row)| row).collect()
}

fn what_came(kind: FailureKind, status: &str) -> String {
    match kind {
        FailureKind::Timeout => "no answer in time".to_owned(),
        FailureKind::Refused => "no connection".to_owned(),
        FailureKind::Cut => "a connection that broke".to_owned(),
        FailureKind::NoAnswer => "no answer: refused, cut or too late".to_owned(),
        FailureKind::TooMany => "429, too many requests".to_owned(),
        FailureKind::Server | FailureKind::Status => format!("status {status}"),
    }
}

fn row(name: &str, figures: &LoadFigures, seconds: f64, all: Option<f64>) -> EndpointRow {
    let durations = &figures.durations;
    let quantile = |share| durations.quantile(share).map_or_else(dash, number);
    let p99 = match durations.count() {
        few if few < LEAST_FOR_P99 => format!("–, n = {}", whole(few)),
        _ => quantile(0.99),
    };
    EndpointRow {
        name: name.to_owned(),
        requests: whole(figures.requests),
        rate: match all {
            Some(_) if seconds > 0.0 => number(count(figures.requests) / seconds),
            _ => dash(),
        },
        failed: figures.failed_share().map_or_else(dash, share),
        durations: [
            quantile(0.5),
            quantile(0.95),
            p99,
            durations.max().map_or_else(dash, number),
        ],
        time: match all {
            Some(all) if all > 0.0 => share(total(figures) / all),
            _ => dash(),
        },
    }
}

/// How long all requests took together, in milliseconds.
fn total(figures: &LoadFigures) -> f64 {
    let durations = &figures.durations;
    durations.mean().unwrap_or(0.0) * count(durations.count())
}

fn dash() -> String {
    "–".to_owned()
}
