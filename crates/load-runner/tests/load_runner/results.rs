//! Results from the samples are those of k6's own summary, for every kind of metric.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use load_analysis::distribution::{ABSOLUTE_ERROR, RELATIVE_ERROR};
use load_analysis::metric::MetricKind;
use load_analysis::results::MetricResult;
use load_analysis::verdict::Level;
use load_runner::sample::SampleFormat;
use load_runner::summary::SummaryMetric;

use crate::lab::{Finished, Lab, on_both_versions, written_as};

/// The share of setup and teardown in what a counter counted: two of 2,002 requests, each of
/// about as many bytes as the others.
const OUTSIDE_THE_LOAD: f64 = 0.002;

on_both_versions!(
    results_equal_the_summary_of_k6,
    results_of_csv_equal_the_summary_of_k6,
);

async fn results_equal_the_summary_of_k6(lab: Lab) -> anyhow::Result<()> {
    equal_the_summary(&lab, SampleFormat::Json).await
}

async fn results_of_csv_equal_the_summary_of_k6(lab: Lab) -> anyhow::Result<()> {
    equal_the_summary(&lab, SampleFormat::Csv).await
}

async fn equal_the_summary(lab: &Lab, format: SampleFormat) -> anyhow::Result<()> {
    let finished = lab.run(lab.plan("kinds.js", &written_as(format))).await?;
    let summary = finished.summary.as_ref().context("a summary")?;
    let ours = &finished.results.metrics;
    let names = |metrics: Vec<&String>| metrics.into_iter().cloned().collect::<Vec<_>>();
    ensure!(names(ours.keys().collect()) == names(summary.metrics.keys().collect()));
    ensure!(
        ours.len() > 20,
        "k6's own metrics and those of the script: {}",
        ours.len()
    );
    let load = finished.results.coverage.load_seconds;
    for (name, theirs) in &summary.metrics {
        compare(&ours[name], theirs, summary.duration_seconds / load)
            .with_context(|| name.clone())?;
    }
    let requests = &ours["http_reqs"].values;
    let of_the_load = requests["rate"] * load;
    ensure!(
        (of_the_load - 2_000.0).abs() < 1e-6,
        "{of_the_load} requests without setup and teardown"
    );

    // The load is all but setup and teardown, a request each.
    ensure!(
        (0.0..0.25).contains(&(summary.duration_seconds - load)),
        "{load} of {}",
        summary.duration_seconds
    );

    let checks: BTreeMap<_, _> = finished
        .results
        .checks
        .iter()
        .map(|check| (check.name.as_str(), (check.passes, check.fails)))
        .collect();
    ensure!(checks["status is 200"] == (2_000, 0), "{checks:?}");
    let (passes, fails) = checks["turn is even"];
    ensure!(
        passes + fails == 2_000 && passes > 0 && fails > 0,
        "{checks:?}"
    );
    check_thresholds(&finished)
}

fn check_thresholds(finished: &Finished) -> anyhow::Result<()> {
    let thresholds = &finished.results.thresholds;
    ensure!(
        thresholds.all_passed && thresholds.results.len() == 5,
        "{thresholds:?}"
    );
    ensure!(
        thresholds
            .results
            .values()
            .all(|result| result.reported_ok == Some(true)),
        "{thresholds:?}"
    );
    ensure!(
        finished.verdict.level == Level::Pass,
        "{:?}",
        finished.verdict
    );
    Ok(())
}

fn compare(ours: &MetricResult, theirs: &SummaryMetric, time_ratio: f64) -> anyhow::Result<()> {
    ensure!((ours.kind, ours.contains) == (theirs.kind, theirs.contains));
    ensure!(
        ours.values.keys().eq(theirs.values.keys()),
        "{:?}",
        ours.values
    );
    for (statistic, theirs) in &theirs.values {
        let our = ours.values[statistic];
        let is_quantile = statistic.starts_with("p(") || statistic == "med";
        let is_counter_rate = statistic == "rate" && ours.kind == MetricKind::Counter;
        let (expected, tolerance) = if is_quantile {
            (*theirs, theirs.abs() * RELATIVE_ERROR + ABSOLUTE_ERROR)
        } else if is_counter_rate {
            // k6 divides all it counted by the whole run, we what the load counted by its time.
            let all = theirs * time_ratio;
            (all, all.abs() * OUTSIDE_THE_LOAD)
        } else {
            (*theirs, theirs.abs() * 1e-9)
        };
        ensure!(
            (our - expected).abs() <= tolerance,
            "{statistic}: {our}, expected {expected}"
        );
    }
    Ok(())
}
