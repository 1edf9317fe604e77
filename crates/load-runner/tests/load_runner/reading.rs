//! Samples are read while k6 writes them, and what is lost of them shows.

use anyhow::ensure;
use load_analysis::aggregate::Aggregator;
use load_analysis::verdict::Level;
use load_runner::exit::K6Exit;
use load_runner::sample::{SampleFormat, SampleReader};
use load_runner::sandbox::Limits;

use crate::lab::{Lab, finish, on_both_versions, users_and_duration, written_as};

on_both_versions!(
    samples_come_while_k6_runs,
    lost_samples_make_the_run_invalid,
    lost_samples_of_csv_make_the_run_invalid,
);

async fn samples_come_while_k6_runs(lab: Lab) -> anyhow::Result<()> {
    let handle = lab
        .start(lab.plan("default.js", &users_and_duration(2, "4s")))
        .await?;
    let mut reader = SampleReader::new(&handle.artifacts.processes[0]);
    let mut aggregator = Aggregator::new(handle.requirements.thresholds.clone());
    let second = test_support::wait::until(
        "a whole second",
        std::time::Duration::from_secs(10),
        async || {
            reader.read(|sample| aggregator.add(sample))?;
            let passed = aggregator.take_passed();
            let with_load = passed
                .into_iter()
                .find(|second| second.merged("http_reqs").is_some());
            with_load.ok_or_else(|| anyhow::anyhow!("not yet"))
        },
    )
    .await?;
    ensure!(handle.process.is_running(), "k6 was to run for longer");
    let requests = second
        .merged("http_reqs")
        .map_or(0, |value| value.samples());
    let durations = second
        .merged("http_req_duration")
        .map_or(0, |value| value.samples());
    ensure!(
        requests > 0 && requests == durations,
        "{requests} requests, {durations} durations"
    );
    finish(&handle).await?;
    Ok(())
}

/// k6 exits with 0 when its samples cannot be written; only its log says so.
async fn lost_samples_make_the_run_invalid(lab: Lab) -> anyhow::Result<()> {
    lose_samples(lab, SampleFormat::Json, "file too large").await
}

async fn lost_samples_of_csv_make_the_run_invalid(lab: Lab) -> anyhow::Result<()> {
    lose_samples(lab, SampleFormat::Csv, "CSV: Error writing to file").await
}

async fn lose_samples(lab: Lab, format: SampleFormat, logged: &str) -> anyhow::Result<()> {
    let lab = lab.with_limits(Limits {
        file_length: 256 * 1024,
        ..Limits::default()
    });
    let finished = lab.run(lab.plan("kinds.js", &written_as(format))).await?;
    ensure!(finished.end.exit == K6Exit::Code(0), "{:?}", finished.end);
    ensure!(
        finished.verdict.level == Level::Invalid,
        "{:?}",
        finished.verdict
    );
    let reasons = finished.verdict.reasons.join("\n");
    ensure!(
        reasons.contains("could not be read") && reasons.contains(logged),
        "{reasons}"
    );
    Ok(())
}
