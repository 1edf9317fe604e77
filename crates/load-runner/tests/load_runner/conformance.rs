//! What every runner of load does, whatever it starts: with one k6 and with several.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, ensure};
use load_analysis::verdict::Level;
use load_runner::exit::K6Exit;
use load_runner::options::RequestedOptions;
use load_runner::runner::LoadRunner;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{
    Lab, STOP_LIMIT, check_end, environment, finish, k6_of, stopped, until_running,
    users_and_duration,
};

/// Makes the suite's tests for one way to run load: a function that opens its lab, the line of k6,
/// and how many k6 share each run.
macro_rules! conforms {
    ($module:ident, $open:path, $version:ident, $processes:literal) => {
        $crate::conformance::conforms!(
            @ $module, $open, $version, $processes,
            a_load_begins_and_ends_and_all_of_it_is_counted,
            iterations_are_shared_and_none_is_run_twice,
            setup_and_teardown_are_run_once,
            a_stop_ends_all,
            an_end_of_one_ends_all,
            what_fails_to_start_leaves_nothing,
            a_run_is_found_again,
        );
    };
    (@ $module:ident, $open:path, $version:ident, $processes:literal, $($name:ident),+ $(,)?) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> anyhow::Result<()> {
                let lab = $open(load_runner::binary::MajorVersion::$version).await?;
                $crate::conformance::$name(lab.with_processes($processes)).await
            })+
        }
    };
}
pub(crate) use conforms;

pub(crate) async fn a_load_begins_and_ends_and_all_of_it_is_counted(
    lab: Lab<impl LoadRunner>,
) -> anyhow::Result<()> {
    let plan = lab.plan("default.js", &users_and_duration(4, "2500ms"));
    let handle = lab.start(plan).await?;
    ensure!(k6_of(&handle).len() == lab.processes);
    ensure!(handle.requirements.max_virtual_users == 4);
    let finished = finish(&handle).await?;
    check_end(&finished.end, K6Exit::Code(0), None)?;
    ensure!(
        finished.verdict.level == Level::Pass,
        "{:?}",
        finished.verdict
    );
    ensure!(
        finished.results.thresholds.all_passed && finished.results.thresholds.results.len() == 2
    );

    let reports = lab.target.reports();
    let counted = finished.results.metrics["http_reqs"].values["count"];
    ensure!(
        (counted - f64::from(u32::try_from(reports.len())?)).abs() < 0.5,
        "{counted}"
    );
    let users: BTreeSet<_> = reports
        .iter()
        .map(|report| report["vu"].to_string())
        .collect();
    ensure!(users.len() == 4, "{users:?}");
    for gauge in ["vus", "vus_max"] {
        let most = finished.results.metrics[gauge].values["max"];
        ensure!((most - 4.0).abs() < 0.5, "{gauge}: {most}");
    }
    for files in &handle.artifacts.processes {
        ensure!(files.samples.is_file() && files.log.is_file() && files.summary.is_file());
    }
    ensure!(std::fs::read(&handle.artifacts.supervisor_log)?.is_empty());
    let id = handle.artifacts.container_id();
    ensure!(id.is_some() == lab.has_an_engine(), "{id:?}");
    Ok(())
}

pub(crate) async fn iterations_are_shared_and_none_is_run_twice(
    lab: Lab<impl LoadRunner>,
) -> anyhow::Result<()> {
    let requested = RequestedOptions {
        virtual_users: Some(3),
        iterations: Some(11),
        ..RequestedOptions::default()
    };
    let finished = lab.run(lab.plan("default.js", &requested)).await?;
    let reports = lab.target.reports().len();
    ensure!(reports == 11, "{reports} iterations");
    let counted = finished.results.metrics["iterations"].values["count"];
    ensure!((counted - 11.0).abs() < 0.5, "{counted} counted");
    Ok(())
}

pub(crate) async fn setup_and_teardown_are_run_once(
    lab: Lab<impl LoadRunner>,
) -> anyhow::Result<()> {
    let finished = lab
        .run(lab.plan("setup.js", &users_and_duration(2, "1s")))
        .await?;
    check_end(&finished.end, K6Exit::Code(0), None)?;
    let reports = lab.target.reports();
    let of = |part: &str| {
        reports
            .iter()
            .filter(|it| it["part"] == part)
            .collect::<Vec<_>>()
    };
    ensure!(
        of("setup").len() == 1 && of("teardown").len() == 1,
        "{reports:?}"
    );
    let load = of("load");
    let users: BTreeSet<_> = load.iter().map(|report| report["vu"].to_string()).collect();
    ensure!(users.len() == 2, "{users:?}");
    let value = serde_json::json!({"made": "by setup \"once\""});
    ensure!(
        load.iter()
            .chain(&of("teardown"))
            .all(|it| it["value"] == value),
        "{reports:?}"
    );
    Ok(())
}

pub(crate) async fn a_stop_ends_all(lab: Lab<impl LoadRunner>) -> anyhow::Result<()> {
    let handle = lab
        .start(lab.plan("default.js", &users_and_duration(2, "60s")))
        .await?;
    until_running(&handle).await?;
    let asked = Instant::now();
    let finished = stopped(&handle, K6Exit::Code(105)).await?;
    ensure!(asked.elapsed() < STOP_LIMIT && k6_of(&handle).is_empty());
    ensure!(finished.verdict.level == Level::Invalid);
    Ok(())
}

/// Without one of them it is not the load that was asked for.
pub(crate) async fn an_end_of_one_ends_all(lab: Lab<impl LoadRunner>) -> anyhow::Result<()> {
    let handle = lab
        .start(lab.plan("default.js", &users_and_duration(2, "60s")))
        .await?;
    until_running(&handle).await?;
    let all = k6_of(&handle);
    let one = all.last().context("a k6")?;
    kill(Pid::from_raw(i32::try_from(one.pid)?), Signal::SIGKILL)?;
    let finished = finish(&handle).await?;
    check_end(&finished.end, K6Exit::Signal(9), None)?;
    ensure!(
        finished.verdict.level == Level::Invalid,
        "{:?}",
        finished.verdict
    );
    ensure!(k6_of(&handle).is_empty());
    Ok(())
}

pub(crate) async fn what_fails_to_start_leaves_nothing(
    lab: Lab<impl LoadRunner>,
) -> anyhow::Result<()> {
    let mut plan = lab.plan("endings.js", &users_and_duration(2, "1s"));
    plan.environment = environment(&[("SCENARIO", "throw-at-init")]);
    let directory = plan.directory.clone();
    ensure!(lab.start(plan).await.is_err());
    let mut plan = lab.plan("endings.js", &users_and_duration(2, "1s"));
    plan.environment = environment(&[("SCENARIO", "throw-in-setup")]);
    match lab.start(plan).await {
        // One k6 runs its setup by itself, when its run has begun.
        Ok(handle) => check_end(&finish(&handle).await?.end, K6Exit::Code(107), None)?,
        Err(error) => ensure!(error.to_string().contains("thrown in setup"), "{error}"),
    }
    let runs = directory.parent().context("the runs")?.to_owned();
    test_support::wait::until("nothing is left", STOP_LIMIT, async || {
        let left: Vec<_> = std::fs::read_dir("/proc")?
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path().join("cwd")).ok())
            .filter(|works_in| works_in.starts_with(&runs))
            .collect();
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await
}

pub(crate) async fn a_run_is_found_again(lab: Lab<impl LoadRunner>) -> anyhow::Result<()> {
    let handle = lab
        .start(lab.plan("default.js", &users_and_duration(2, "1s")))
        .await?;
    let found = lab
        .runner
        .adopt(&handle.artifacts.directory, handle.process)
        .await?;
    ensure!(found.artifacts == handle.artifacts && found.requirements == handle.requirements);
    let finished = finish(&found).await?;
    ensure!(
        finished.verdict.level == Level::Pass,
        "{:?}",
        finished.verdict
    );
    ensure!(finished.end == handle.ended().await);
    Ok(())
}
