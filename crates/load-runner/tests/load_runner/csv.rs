//! Samples as CSV: what they say is what JSON says.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, ensure};
use load_analysis::aggregate::Aggregator;
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::results::Results;
use load_analysis::sample::Sample;
use load_analysis::verdict::Level;
use load_runner::entry;
use load_runner::options::{RequestedOptions, RunOptions};
use load_runner::runner::{LoadRunner, RunArtifacts};
use load_runner::sample::{MAX_LINE_LENGTH, RunSamples, SampleFormat, SampleReader};
use tokio::process::Command;

use crate::lab::{Lab, finish, on_both_versions, users_and_duration, written_as};

on_both_versions!(
    both_formats_of_one_run_say_the_same,
    metrics_of_a_script_are_known_while_k6_runs,
    a_run_is_found_again,
    broken_lines_are_counted,
    many_requests_are_written_as_csv,
);

/// One sample of one format, as far as they may agree.
#[derive(Debug)]
struct Told {
    time: i64,
    metric: String,
    kind: (MetricKind, Contains),
    value: f64,
    /// Those with a value, sorted: k6 writes them in CSV as they come.
    tags: Vec<(String, String)>,
    trace_id: Option<String>,
}

impl Told {
    fn of(sample: &Sample<'_>) -> Self {
        let tags = sample.tags.0.iter().filter(|(_, value)| !value.is_empty());
        let mut tags: Vec<_> = tags
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        tags.sort();
        Self {
            time: sample.time,
            metric: sample.metric.to_string(),
            kind: (sample.kind, sample.contains),
            value: sample.value,
            tags,
            trace_id: sample.trace_id.map(str::to_owned),
        }
    }

    /// CSV has six digits after the point.
    fn agrees(&self, csv: &Self) -> bool {
        (self.time, self.kind) == (csv.time, csv.kind)
            && (&self.metric, &self.tags, &self.trace_id) == (&csv.metric, &csv.tags, &csv.trace_id)
            && (self.value - csv.value).abs() <= 5.1e-7
    }
}

async fn both_formats_of_one_run_say_the_same(lab: Lab) -> anyhow::Result<()> {
    for script in ["kinds.js", "odd.js"] {
        let run = tempfile::tempdir()?;
        run_with_both(&lab, script, run.path()).await?;
        let (json, from_json) = folded(run.path(), SampleFormat::Json)?;
        let (csv, from_csv) = folded(run.path(), SampleFormat::Csv)?;
        let counts = (json.len(), csv.len());
        ensure!(counts.0 == counts.1 && counts.0 > 3_000, "{counts:?}");
        for (json, csv) in json.iter().zip(&csv) {
            ensure!(json.agrees(csv), "{json:?}\n{csv:?}");
        }
        check_results(&from_json, &from_csv)?;
        let traces = from_json.slowest.iter().filter(|it| it.trace_id.is_some());
        ensure!((script == "odd.js") == (traces.count() > 0));
    }
    Ok(())
}

/// Every sample of a format, and what is made of them.
fn folded(run: &Path, format: SampleFormat) -> anyhow::Result<(Vec<Told>, Results)> {
    let mut samples = RunSamples::new(&RunArtifacts::within(run, 1, format));
    samples.note_end();
    let mut aggregator = Aggregator::new(Vec::new());
    let mut told = Vec::new();
    let mut add = |sample: &Sample<'_>| {
        aggregator.add(sample);
        told.push(Told::of(sample));
    };
    while samples.read(&mut add)?.more {}
    let unreadable = samples.unreadable_lines();
    ensure!(unreadable == 0, "{format:?}: {unreadable} unreadable lines");
    Ok((told, aggregator.results(None)))
}

fn check_results(json: &Results, csv: &Results) -> anyhow::Result<()> {
    ensure!(json.checks == csv.checks, "{:?}", csv.checks);
    ensure!(json.coverage == csv.coverage, "{:?}", csv.coverage);
    ensure!(json.slowest == csv.slowest, "{:?}", csv.slowest);
    ensure!(json.metrics.len() == csv.metrics.len());
    for (name, json) in &json.metrics {
        let csv = &csv.metrics[name];
        let alike = (json.kind, json.contains) == (csv.kind, csv.contains)
            && json.values.keys().eq(csv.values.keys());
        ensure!(alike, "{name}: {json:?} {csv:?}");
        for (statistic, json) in &json.values {
            let csv = csv.values[statistic];
            let tolerance = json.abs().mul_add(1e-9, 1e-6);
            ensure!(
                (json - csv).abs() <= tolerance,
                "{name} {statistic}: {json} {csv}"
            );
        }
    }
    Ok(())
}

/// Has k6 write the samples of one run twice, where the files of a run are.
#[expect(
    clippy::disallowed_methods,
    reason = "no runner starts a k6 with two outputs"
)]
async fn run_with_both(lab: &Lab, script: &str, run: &Path) -> anyhow::Result<()> {
    let files = RunArtifacts::within(run, 1, SampleFormat::Csv)
        .processes
        .remove(0);
    std::fs::create_dir(&files.directory)?;
    let script = lab.plan(script, &RequestedOptions::default()).script;
    let entry = entry::write(run, &script, &RunOptions::default())?;
    let binary = lab.runner.binary(lab.version).await?;
    let ended = Command::new(binary.path)
        .args([
            "run",
            "-q",
            "--address",
            &format!("127.0.0.1:{}", test_support::port::free()?),
        ])
        .args([
            "--out",
            SampleFormat::Json.output(),
            "--out",
            SampleFormat::Csv.output(),
        ])
        .args(["-e", &format!("BASE_URL={}", lab.target.base_url)])
        .arg(entry)
        .current_dir(&files.directory)
        .env_clear()
        .env("K6_NO_USAGE_REPORT", "true")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let log = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{}: {log}", ended.status);
    Ok(())
}

async fn metrics_of_a_script_are_known_while_k6_runs(lab: Lab) -> anyhow::Result<()> {
    let requested = RequestedOptions {
        output_format: Some("CSV".to_owned()),
        ..users_and_duration(1, "4s")
    };
    let handle = lab.start(lab.plan("kinds.js", &requested)).await?;
    let mut reader = SampleReader::new(&handle.artifacts.processes[0]);
    let mut seen = Vec::new();
    test_support::wait::until(
        "each kind of metric",
        std::time::Duration::from_secs(10),
        async || {
            reader.read(|sample| {
                seen.push((sample.metric.to_string(), sample.kind, sample.contains));
            })?;
            for expected in [
                ("numbers", MetricKind::Trend, Contains::Default),
                ("times", MetricKind::Trend, Contains::Time),
                ("bytes", MetricKind::Counter, Contains::Default),
                ("level", MetricKind::Gauge, Contains::Default),
                ("odd", MetricKind::Rate, Contains::Default),
            ] {
                let is = |it: &(String, _, _)| (it.0.as_str(), it.1, it.2) == expected;
                ensure!(seen.iter().any(is), "{expected:?}");
            }
            Ok(())
        },
    )
    .await?;
    ensure!(handle.process.is_running(), "k6 was to run for longer");
    ensure!(finish(&handle).await?.verdict.level == Level::Pass);
    ensure!(reader.unreadable_lines() == 0);
    Ok(())
}

async fn a_run_is_found_again(lab: Lab) -> anyhow::Result<()> {
    let plan = lab.plan("kinds.js", &written_as(SampleFormat::Csv));
    let handle = lab.start(plan).await?;
    let directory = &handle.artifacts.directory;
    let found = lab.runner.adopt(directory, handle.process).await?;
    ensure!(found.artifacts == handle.artifacts && found.artifacts.format() == SampleFormat::Csv);
    let finished = finish(&found).await?;
    ensure!(
        finished.verdict.level == Level::Pass,
        "{:?}",
        finished.verdict
    );
    ensure!(finished.results == finish(&handle).await?.results);
    ensure!(RunArtifacts::found_in(directory) == handle.artifacts);
    Ok(())
}

/// Each costs itself and nothing else, whatever is wrong with it.
async fn broken_lines_are_counted(lab: Lab) -> anyhow::Result<()> {
    let plan = lab.plan("kinds.js", &written_as(SampleFormat::Csv));
    let handle = lab.start(plan).await?;
    let whole = finish(&handle).await?.results.coverage.samples;
    let path = &handle.artifacts.processes[0].samples;
    let text = std::fs::read_to_string(path)?;
    // A mark is known to be broken once more follows than a record may have.
    let marked = text.len() - 2 * MAX_LINE_LENGTH;
    let (mut broken, mut before) = (0, 0);
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let garbled = match number % 500 {
            100 => line.replacen(',', ";", 1),
            200 => format!("{line},one more"),
            300 => line.replace(['.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], ""),
            // A mark opens a quotation that only the next one, in another column, would close.
            400 if before > marked => line.to_owned(),
            400 if number % 1_000 == 400 => line.replacen(",,", ",\",", 1),
            400 => line.replacen(",default", ",\"default", 1),
            _ => line.to_owned(),
        };
        broken += u64::from(garbled != line);
        before += line.len() + 1;
        lines.push(garbled);
    }
    lines.push("http_reqs,17952759703".to_owned());
    std::fs::write(path, lines.join("\n"))?;
    let mut samples = RunSamples::new(&handle.artifacts);
    let mut read = 0;
    while samples.read(|_| read += 1)?.more {}
    let unreadable = samples.unreadable_lines();
    ensure!(
        unreadable == broken && broken > 100,
        "{unreadable} of {broken} broken ones, {read} read, {whole} in all"
    );
    samples.note_end();
    ensure!(samples.unreadable_lines() == broken + 1, "a cut line");
    ensure!(read + broken == whole, "{read} and {broken} of {whole}");
    Ok(())
}

async fn many_requests_are_written_as_csv(lab: Lab) -> anyhow::Result<()> {
    let at = |rate: f64, format: Option<&str>| RequestedOptions {
        rate: Some(rate),
        duration: Some("1s".to_owned()),
        virtual_users: Some(10),
        output_format: format.map(str::to_owned),
        ..RequestedOptions::default()
    };
    for (requested, expected_rate, format) in [
        (at(3_500.0, None), None, SampleFormat::Csv),
        (at(3_500.0, Some("json")), None, SampleFormat::Json),
        (at(20.0, None), Some(5_000.0), SampleFormat::Csv),
        (at(20.0, None), Some(5.0), SampleFormat::Json),
    ] {
        let mut plan = lab.plan("default.js", &requested);
        plan.expected_rate = expected_rate;
        let handle = lab.start(plan).await?;
        ensure!(handle.artifacts.format() == format, "{requested:?}");
        let finished = finish(&handle).await?;
        let counted = finished
            .results
            .metrics
            .get("http_reqs")
            .context("requests")?;
        let reported = finished.summary.context("a summary")?.count("http_reqs");
        let counted = counted.values["count"];
        ensure!((counted - reported).abs() < 0.5, "{counted} of {reported}");
    }
    Ok(())
}
