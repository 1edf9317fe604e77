//! How many requests a second one core turns from k6's lines into histograms, and whether memory
//! grows with the length of a run.
//!
//! The lines are those of k6 v2.2.0 for a request with one check: 11 samples with k6's default tags.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use load_analysis::aggregate::Aggregator;
use load_runner::runner::RunArtifacts;
use load_runner::sample::{Decoder, RunSamples, SampleFormat};
use test_support::bench::{is_wanted, note, resident_mib, row};

const SPEED: &str = "ingest, requests a second on one core";
const CSV_SPEED: &str = "ingest of CSV, requests a second on one core";
const MEMORY: &str = "ingest, memory that an hour of load leaves";

/// Requests that one core must read: ten times what k6 sends on it (12,000/s without output).
const SPEED_BAR: f64 = 50_000.0;

/// What an hour may leave behind, in MiB: the allocator's own wavering. A run that kept 16 bytes of
/// each request would leave 11.
const MEMORY_BAR: f64 = 4.0;

/// Requests of a simulated second.
const FAST: u32 = 2_000;
const SLOW: u32 = 200;

/// Simulated seconds.
const SHORT: u32 = 35;
const WARM_UP: u32 = 600;
const HOUR: u32 = 3_600;

const TIMES: [&str; 7] = [
    "http_req_duration",
    "http_req_blocked",
    "http_req_connecting",
    "http_req_tls_handshaking",
    "http_req_sending",
    "http_req_waiting",
    "http_req_receiving",
];

fn main() -> anyhow::Result<()> {
    if is_wanted(&[SPEED])? {
        speed()?;
    }
    if is_wanted(&[CSV_SPEED])? {
        speed_of_csv()?;
    }
    if is_wanted(&[MEMORY])? {
        memory()?;
    }
    Ok(())
}

/// What reads a run's file.
struct Reader {
    decoder: Decoder,
    aggregator: Aggregator,
    /// Bytes of the seconds as they are stored.
    stored: usize,
}

impl Reader {
    fn new() -> anyhow::Result<Self> {
        let mut decoder = Decoder::default();
        for line in definitions() {
            let decoded = decoder.decode(line.as_bytes());
            ensure!(decoded == Ok(None), "a line that introduces a metric");
        }
        Ok(Self {
            decoder,
            aggregator: Aggregator::new(Vec::new()),
            stored: 0,
        })
    }

    fn read(&mut self, lines: &str) -> anyhow::Result<()> {
        for line in lines.lines() {
            match self.decoder.decode(line.as_bytes()) {
                Ok(Some(sample)) => self.aggregator.add(&sample),
                other => ensure!(other == Ok(None), "{line}"),
            }
        }
        for second in self.aggregator.take_passed() {
            let bytes = second.series.iter().map(|(_, it)| it.to_bytes().len());
            self.stored += bytes.sum::<usize>();
        }
        Ok(())
    }
}

fn speed() -> anyhow::Result<()> {
    let seconds = (0..SHORT).map(|second| lines_of(second, FAST));
    let input: Vec<String> = seconds.collect();
    let mut reader = Reader::new()?;
    let begun = Instant::now();
    for second in &input {
        reader.read(second)?;
    }
    let took = begun.elapsed();
    let requests = tell_speed(SPEED, took, &reader.aggregator)?;
    let bytes = input.iter().map(String::len).sum();
    note(&format!(
        "ingest: {:.0} MB/s; {:.1} bytes stored for each request",
        real(bytes) / 1e6 / took.as_secs_f64(),
        real(reader.stored) / requests
    ))
}

/// The same from a file of CSV, since its decoder has no other way in. The tags that have no column
/// come in another order from line to line, as k6 writes them.
fn speed_of_csv() -> anyhow::Result<()> {
    let run = tempfile::tempdir()?;
    let artifacts = RunArtifacts::within(run.path(), 1, SampleFormat::Csv);
    let files = artifacts.processes.first().context("a k6")?;
    std::fs::create_dir(&files.directory)?;
    let lines = (0..SHORT).map(|second| csv_of(second, FAST));
    let text: String = std::iter::once(CSV_HEADER.to_owned())
        .chain(lines)
        .collect();
    std::fs::write(&files.samples, &text)?;
    let mut samples = RunSamples::new(&artifacts);
    samples.note_end();
    let mut aggregator = Aggregator::new(Vec::new());
    let begun = Instant::now();
    while samples.read(|sample| aggregator.add(sample))?.more {
        black_box(aggregator.take_passed());
    }
    let took = begun.elapsed();
    ensure!(samples.unreadable_lines() == 0);
    tell_speed(CSV_SPEED, took, &aggregator)?;
    note(&format!(
        "ingest of CSV: {:.0} MB/s",
        real(text.len()) / 1e6 / took.as_secs_f64()
    ))
}

/// Prints how many requests were read in this time, all of them, and gives their number.
fn tell_speed(what: &str, took: Duration, aggregator: &Aggregator) -> anyhow::Result<f64> {
    let results = black_box(aggregator.results(None));
    let requests = f64::from(SHORT * FAST);
    let counted = results.metrics.get("http_reqs");
    let counted = counted.and_then(|metric| metric.values.get("count"));
    ensure!(counted == Some(&requests), "{counted:?} of {requests}");
    let rate = requests / took.as_secs_f64();
    let value = format!("{rate:.0}/s");
    let bar = format!(">= {SPEED_BAR:.0}");
    row(what, &value, &bar, rate / SPEED_BAR, rate >= SPEED_BAR)?;
    Ok(requests)
}

/// The resident set after ten minutes of a run, and an hour later.
fn memory() -> anyhow::Result<()> {
    let mut reader = Reader::new()?;
    for second in 0..WARM_UP {
        reader.read(&lines_of(second, SLOW))?;
    }
    let before = resident_mib()?;
    let begun = Instant::now();
    for second in WARM_UP..WARM_UP + HOUR {
        reader.read(&lines_of(second, SLOW))?;
    }
    let growth = resident_mib()? - before;
    let results = black_box(reader.aggregator.results(None));
    let coverage = results.metrics.get("http_reqs").context("requests")?;
    ensure!(coverage.values.get("count") == Some(&f64::from((WARM_UP + HOUR) * SLOW)));
    row(
        MEMORY,
        &format!("{growth:.1} MiB of {} requests", HOUR * SLOW),
        &format!("<= {MEMORY_BAR} MiB"),
        growth.max(0.0) / MEMORY_BAR,
        growth <= MEMORY_BAR,
    )?;
    let took: Duration = begun.elapsed();
    note(&format!(
        "ingest: {before:.1} MiB resident after ten minutes of load; the hour was read in {:.0} s",
        took.as_secs_f64()
    ))
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

/// What k6 writes of a second, counted from the begin of the run.
fn lines_of(second: u32, requests: u32) -> String {
    let mut lines = String::new();
    for index in 0..requests {
        append_request(&mut lines, (second, index), requests);
    }
    lines
}

fn append_request(lines: &mut String, (second, index): (u32, u32), requests: u32) {
    let time = format!(
        "2026-11-21T{:02}:{:02}:{:02}.{:09}Z",
        15 + second / 3_600,
        second / 60 % 60,
        second % 60,
        index * (1_000_000_000 / requests)
    );
    let number = second * requests + index;
    let route = number % 10;
    let tags = format!(
        r#""expected_response":"true","group":"","journey":"reader","method":"GET","name":"GET /api/v1/route-{route}","proto":"HTTP/1.1","route_class":"catalogue","scenario":"load","status":"200","url":"http://127.0.0.1:7002/api/v1/route-{route}/{number}""#
    );
    let mut line = |metric: &str, value: f64, tags: &str| {
        let written = writeln!(
            lines,
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

const CSV_HEADER: &str = "metric_name,timestamp,metric_value,check,error,error_code,expected_response,\
                          group,method,name,proto,scenario,service,status,subproto,tls_version,url,\
                          extra_tags,metadata\n";

/// The same lines of a second as CSV.
fn csv_of(second: u32, requests: u32) -> String {
    let mut lines = String::new();
    for index in 0..requests {
        append_csv(&mut lines, (second, index), requests);
    }
    lines
}

fn append_csv(lines: &mut String, (second, index): (u32, u32), requests: u32) {
    let micros = u64::from(index) * (1_000_000 / u64::from(requests));
    let time = (1_795_275_900 + u64::from(second)) * 1_000_000 + micros;
    let number = second * requests + index;
    let route = number % 10;
    let tags = format!(
        ",,,true,,GET,GET /api/v1/route-{route},HTTP/1.1,load,,200,,,\
         http://127.0.0.1:7002/api/v1/route-{route}/{number}"
    );
    let extra = [
        "journey=reader&route_class=catalogue",
        "route_class=catalogue&journey=reader",
    ];
    let mut turn = number as usize;
    let mut line = |metric: &str, value: f64, tags: &str, extra: &[&str]| {
        turn += 1;
        let extra = extra.get(turn % 2).copied().unwrap_or_default();
        let written = writeln!(lines, "{metric},{time},{value:.6},{tags},{extra},");
        debug_assert!(written.is_ok(), "writing to a string");
    };
    let value = f64::from(number.wrapping_mul(2_654_435_761) >> 12) / 65_536.0;
    line("http_reqs", 1.0, &tags, &extra);
    for metric in TIMES {
        line(metric, value, &tags, &extra);
    }
    line("http_req_failed", 0.0, &tags, &extra);
    line("checks", 1.0, "status is 200,,,,,,,,load,,,,,", &[]);
    line("iteration_duration", value, ",,,,,,,,load,,,,,", &[]);
}

/// Lengths are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "see above")]
const fn real(bytes: usize) -> f64 {
    bytes as f64
}
