//! Results from the samples are those of k6's own summary, for every kind of metric.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use load_analysis::distribution::{ABSOLUTE_ERROR, RELATIVE_ERROR};
use load_analysis::results::MetricResult;
use load_analysis::verdict::Level;
use load_runner::options::RequestedOptions;
use load_runner::summary::SummaryMetric;

use crate::lab::{Lab, on_both_versions};

on_both_versions!(results_equal_the_summary_of_k6);

async fn results_equal_the_summary_of_k6(lab: Lab) -> anyhow::Result<()> {
    let finished = lab
        .run(lab.plan("kinds.js", &RequestedOptions::default()))
        .await?;
    let summary = finished.summary.context("a summary")?;
    let ours = &finished.results.metrics;
    let names = |metrics: Vec<&String>| metrics.into_iter().cloned().collect::<Vec<_>>();
    ensure!(names(ours.keys().collect()) == names(summary.metrics.keys().collect()));
    ensure!(
        ours.len() > 20,
        "k6's own metrics and those of the script: {}",
        ours.len()
    );
    for (name, theirs) in &summary.metrics {
        let load = finished.results.coverage.load_seconds;
        compare(&ours[name], theirs, summary.duration_seconds / load)
            .with_context(|| name.clone())?;
    }

    // The load is all but setup and teardown, a request each.
    let load = finished.results.coverage.load_seconds;
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
        let is_counter_rate = statistic == "rate" && ours.values.contains_key("count");
        let (expected, tolerance) = if is_quantile {
            (*theirs, theirs.abs() * RELATIVE_ERROR + ABSOLUTE_ERROR)
        } else if is_counter_rate {
            // k6 divides by the whole run, we by its load.
            (theirs * time_ratio, theirs.abs() * 1e-6)
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
