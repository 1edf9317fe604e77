//! How many requests a second one core turns from k6's lines into histograms.
//!
//! `cargo bench -p load-runner` prints one line. The lines are those of k6 v2.2.0 for a request
//! with one check: 11 samples with k6's default tags.

#![expect(clippy::print_stdout, reason = "a bench prints its result")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use load_analysis::aggregate::Aggregator;
use load_runner::sample::Decoder;

/// Requests of the input: 35 simulated seconds of 2,000 requests each.
const REQUESTS: u32 = 70_000;

/// Requests after which passed seconds are taken out, as a reader does after each batch.
const BATCH: u32 = 300;

const TIMES: [&str; 7] = [
    "http_req_duration",
    "http_req_blocked",
    "http_req_connecting",
    "http_req_tls_handshaking",
    "http_req_sending",
    "http_req_waiting",
    "http_req_receiving",
];

fn main() {
    let input = input();
    let mut decoder = Decoder::default();
    let mut aggregator = Aggregator::new(Vec::new());
    for line in definitions() {
        assert_eq!(
            decoder.decode(line.as_bytes()),
            Ok(None),
            "a line that introduces a metric"
        );
    }
    let started = Instant::now();
    let mut stored = 0;
    for batch in &input {
        for line in batch.lines() {
            match decoder.decode(line.as_bytes()) {
                Ok(Some(sample)) => aggregator.add(&sample),
                other => assert_eq!(other, Ok(None), "{line}"),
            }
        }
        for second in aggregator.take_passed() {
            stored += second
                .series
                .iter()
                .map(|(_, value)| value.to_bytes().len())
                .sum::<usize>();
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let results = black_box(aggregator.results(None));
    let bytes: usize = input.iter().map(String::len).sum();
    let requests = results.metrics["http_reqs"].values["count"];
    println!(
        "ingest: {:.0} requests/s, {:.0} MB/s on one core; {:.1} bytes stored for each request",
        requests / seconds,
        f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1_000.0 / seconds,
        f64::from(u32::try_from(stored).unwrap_or(u32::MAX)) / requests,
    );
}

fn definitions() -> Vec<String> {
    let line = |name: &str, kind: &str, contains: &str| {
        format!(
            r#"{{"type":"Metric","data":{{"name":"{name}","type":"{kind}","contains":"{contains}","thresholds":[],"submetrics":null}},"metric":"{name}"}}"#
        )
    };
    let mut lines: Vec<_> = TIMES
        .iter()
        .map(|name| line(name, "trend", "time"))
        .collect();
    lines.push(line("iteration_duration", "trend", "time"));
    lines.push(line("http_reqs", "counter", "default"));
    lines.push(line("http_req_failed", "rate", "default"));
    lines.push(line("checks", "rate", "default"));
    lines
}

fn input() -> Vec<String> {
    let mut batches = vec![String::new()];
    for number in 0..REQUESTS {
        if number % BATCH == BATCH - 1 {
            batches.push(String::new());
        }
        if let Some(batch) = batches.last_mut() {
            append_request(batch, number);
        }
    }
    batches
}

fn append_request(batch: &mut String, number: u32) {
    let time = format!(
        "2026-11-21T15:46:{:02}.{:09}Z",
        number / 2_000,
        number % 2_000 * 500_000
    );
    let route = number % 10;
    let tags = format!(
        r#""expected_response":"true","group":"","journey":"reader","method":"GET","name":"GET /api/v1/route-{route}","proto":"HTTP/1.1","route_class":"catalogue","scenario":"load","status":"200","url":"http://127.0.0.1:7002/api/v1/route-{route}/{number}""#
    );
    let mut line = |metric: &str, value: f64, tags: &str| {
        let written = writeln!(
            batch,
            r#"{{"metric":"{metric}","type":"Point","data":{{"time":"{time}","value":{value},"tags":{{{tags}}}}}}}"#
        );
        debug_assert!(written.is_ok(), "writing to a string");
    };
    let value = f64::from(number.wrapping_mul(2_654_435_761) >> 12) / 65_536.0;
    line("http_reqs", 1.0, &tags);
    for metric in TIMES {
        line(metric, value, &tags);
    }
    line("http_req_failed", 0.0, &tags);
    line(
        "checks",
        1.0,
        r#""check":"status is 200","group":"","scenario":"load""#,
    );
    line(
        "iteration_duration",
        value,
        r#""group":"","scenario":"load""#,
    );
}
