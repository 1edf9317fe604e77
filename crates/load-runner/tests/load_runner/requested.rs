//! What is asked for reaches any script.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use load_analysis::verdict::Level;
use load_runner::options::RequestedOptions;
use load_runner::runner::LoadRunner as _;
use load_runner::trace::TraceContext;

use crate::lab::{
    Finished, Lab, environment, finish, k6_of, on_both_versions, thresholds, users_and_duration,
};

on_both_versions!(
    users_and_duration_replace_stages,
    users_and_duration_replace_scenarios_without_a_default,
    iterations_replace_the_load,
    a_rate_replaces_the_load,
    thresholds_are_merged_over_those_of_the_suite,
    the_environment_holds_what_was_given_and_nothing_else,
);

/// Within the time that k6 takes to start and to end.
fn check_load(finished: &Finished, users: f64, seconds: f64) -> anyhow::Result<()> {
    let summary = finished.summary.as_ref().context("a summary")?;
    let took = summary.duration_seconds;
    ensure!(
        (seconds..seconds + 1.5).contains(&took),
        "took {took} s, asked were {seconds}"
    );
    let seen = summary.metrics["vus_max"].values["max"];
    ensure!(
        (seen - users).abs() < 0.5,
        "{seen} users, asked were {users}"
    );
    Ok(())
}

async fn users_and_duration_replace_stages(lab: Lab) -> anyhow::Result<()> {
    let finished = lab
        .run(lab.plan("default.js", &users_and_duration(3, "1500ms")))
        .await?;
    check_load(&finished, 3.0, 1.5)?;
    ensure!(
        finished.verdict.level == Level::Pass,
        "{:?}",
        finished.verdict
    );
    let users: BTreeSet<_> = lab
        .target
        .reports()
        .iter()
        .map(|report| report["vu"].to_string())
        .collect();
    ensure!(users.len() == 3, "{users:?}");
    Ok(())
}

async fn users_and_duration_replace_scenarios_without_a_default(lab: Lab) -> anyhow::Result<()> {
    let finished = lab
        .run(lab.plan("scenarios.js", &users_and_duration(4, "1s")))
        .await?;
    check_load(&finished, 4.0, 1.0)?;
    let ran: BTreeSet<_> = lab
        .target
        .reports()
        .iter()
        .map(|report| report["ran"].to_string())
        .collect();
    ensure!(ran.len() == 2, "both functions take turns: {ran:?}");
    let judged: Vec<_> = finished.results.thresholds.results.keys().collect();
    ensure!(judged == ["http_req_duration: p(95)<60000"], "{judged:?}");
    ensure!(
        finished.verdict.level == Level::Pass,
        "{:?}",
        finished.verdict
    );
    Ok(())
}

async fn iterations_replace_the_load(lab: Lab) -> anyhow::Result<()> {
    let requested = RequestedOptions {
        virtual_users: Some(2),
        iterations: Some(7),
        ..RequestedOptions::default()
    };
    let finished = lab.run(lab.plan("default.js", &requested)).await?;
    let reports = lab.target.reports().len();
    ensure!(reports == 7, "{reports} iterations");
    let counted = finished.results.metrics["iterations"].values["count"];
    ensure!((counted - 7.0).abs() < 0.5, "{counted} counted");
    Ok(())
}

/// Arrivals that do not wait for each other.
async fn a_rate_replaces_the_load(lab: Lab) -> anyhow::Result<()> {
    for script in ["default.js", "scenarios.js"] {
        let before = lab.target.reports().len();
        let requested = RequestedOptions {
            rate: Some(12.5),
            duration: Some("2s".to_owned()),
            ..RequestedOptions::default()
        };
        let finished = lab.run(lab.plan(script, &requested)).await?;
        let seen = lab.target.reports().len() - before;
        ensure!((20..=26).contains(&seen), "{script}: {seen} arrivals");
        ensure!(
            finished.verdict.level == Level::Pass,
            "{script}: {:?}",
            finished.verdict
        );
    }
    Ok(())
}

async fn thresholds_are_merged_over_those_of_the_suite(lab: Lab) -> anyhow::Result<()> {
    let requested = RequestedOptions {
        thresholds: thresholds(&[
            ("http_req_duration", "p(95)<0.001"),
            ("http_reqs", "count>1"),
        ]),
        ..users_and_duration(1, "1s")
    };
    let finished = lab.run(lab.plan("default.js", &requested)).await?;
    let held: BTreeMap<_, _> = finished
        .results
        .thresholds
        .results
        .iter()
        .map(|(name, result)| (name.as_str(), (result.ok, result.reported_ok)))
        .collect();
    let expected = BTreeMap::from([
        ("http_req_duration: p(95)<0.001", (false, Some(false))),
        ("http_req_failed: rate<0.5", (true, Some(true))),
        ("http_reqs: count>1", (true, Some(true))),
    ]);
    ensure!(held == expected, "{held:?}");
    ensure!(finished.verdict.level == Level::Fail && finished.verdict.exit_code == 2);
    let reason = &finished.verdict.reasons[0];
    ensure!(
        reason.contains("http_req_duration: p(95)<0.001"),
        "{reason}"
    );
    Ok(())
}

async fn the_environment_holds_what_was_given_and_nothing_else(lab: Lab) -> anyhow::Result<()> {
    let hostile = "'); throw 1; // \u{2028} ${x} </script> $(id) `id` \\";
    let mut plan = lab.plan("default.js", &users_and_duration(1, "2s"));
    plan.environment = environment(&[
        ("SCENARIO", hostile),
        ("TEST_ID", "run-1"),
        ("BASE_URL", "http://127.0.0.9:1"),
    ]);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    plan.trace = TraceContext {
        traceparent: Some(traceparent.to_owned()),
        baggage: Some("test.id=run-1".to_owned()),
    };
    let handle = lab.start(plan).await?;
    let found = lab
        .runner
        .adopt(&handle.artifacts.directory, handle.process);
    let found = found.await?;
    ensure!((&found.trace, &found.version) == (&handle.trace, &handle.version));
    let system = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/environ"));
    let both = [system(k6_of(&handle)[0].pid)?, system(handle.process.pid)?];
    finish(&handle).await?;
    for system in both {
        let variables: Vec<_> = system.split_terminator('\0').collect();
        let names = variables.iter().filter_map(|line| line.split('=').next());
        let names: Vec<_> = names.collect();
        let expected = [
            "BAGGAGE",
            "HOME",
            "K6_AUTO_EXTENSION_RESOLUTION",
            "K6_NO_USAGE_REPORT",
            "TRACEPARENT",
        ];
        ensure!(names == expected, "{names:?}");
        ensure!(variables[0] == "BAGGAGE=test.id=run-1", "{variables:?}");
        ensure!(variables[4] == format!("TRACEPARENT={traceparent}"));
    }
    let report = lab.target.reports().first().context("a report")?.clone();
    let expected = serde_json::json!({
        "SCENARIO": hostile, "TEST_ID": "run-1", "BASE_URL": lab.target.base_url,
    });
    ensure!(report["environment"] == expected, "{report}");
    Ok(())
}
