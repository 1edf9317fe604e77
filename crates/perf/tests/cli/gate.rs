//! A gate: runs, a baseline, one exit code, and the files of a pipeline.

use std::time::Duration;

use test_support::performance_service::PerformanceService;

use crate::command::{call, end, perf, service, text};

/// What takes no time at all would be as noisy as the machine.
const QUICK: Duration = Duration::from_millis(40);
const SLOW: Duration = Duration::from_millis(250);

const LOAD: [&str; 4] = ["--vus", "1", "--duration", "1s"];

#[tokio::test]
async fn a_gate_tells_the_worse_of_verdict_and_comparison() -> anyhow::Result<()> {
    let service = service().await?;
    service.target.delay(QUICK);
    let first = [
        &["gate", "--test", "steady", "smoke", "--runs", "5"],
        &LOAD[..],
    ]
    .concat();
    let told = call(&service, &first).await?.ended_with(0);
    assert!(
        told.contains("no baseline of steady (Smoke, local) is in force"),
        "{told}"
    );
    assert!(told.contains("gate of steady: PASS, exit code 0"), "{told}");

    let establish = ["baseline", "establish", "--test", "steady"];
    let told = call(&service, &establish).await?.ended_with(0);
    assert!(told.contains("version 1, 5 runs"), "{told}");
    let told = call(&service, &establish).await?.ended_with(1);
    assert!(told.contains("the baseline stays"), "{told}");
    let reason = [&establish[..], &["--reason", "another machine"]].concat();
    call(&service, &reason).await?.ended_with(0);
    let told = call(&service, &["baseline", "show", "--test", "steady"])
        .await?
        .ended_with(0);
    assert!(told.contains("another machine"), "{told}");
    let listed = call(&service, &["--json", "baseline", "list"])
        .await?
        .json();
    assert_eq!(listed[0]["version"], 2);

    slower(&service).await?;
    compared(&service).await?;
    back(&service).await
}

/// The baseline goes back to its first version, and out of force.
async fn back(service: &PerformanceService) -> anyhow::Result<()> {
    let which = ["--test", "steady", "--reason", "the index is gone"];
    let rollback = [&["baseline", "rollback", "--to", "1"], &which[..]].concat();
    // The reason was another one, the runs are the same.
    let told = call(service, &rollback).await?.ended_with(3);
    assert!(told.contains("in force"), "{told}");
    let withdraw = [&["baseline", "withdraw"], &which[..]].concat();
    let told = call(service, &withdraw).await?.ended_with(0);
    assert!(told.contains("none is in force"), "{told}");
    let told = call(service, &withdraw).await?.ended_with(3);
    assert!(told.contains("no such baseline of steady"), "{told}");
    // Its name is all that is left to go back by.
    let named = ["--scenario", "Smoke", "--test", "steady"];
    let show = [&["baseline", "show"], &named[..]].concat();
    let told = call(service, &show).await?.ended_with(0);
    assert!(
        told.contains("none is in force") && told.contains("version 2 of"),
        "{told}"
    );
    let again = [&rollback[..], &["--scenario", "Smoke"]].concat();
    let told = call(service, &again).await?.ended_with(0);
    assert!(told.contains("version 4, 5 runs"), "{told}");
    Ok(())
}

/// The latest run again, of a target that became slow: four against five can be told.
async fn slower(service: &PerformanceService) -> anyhow::Result<()> {
    service.target.delay(SLOW);
    let directory = tempfile::tempdir()?;
    let [junit, comment, summary] =
        ["junit.xml", "comment.md", "summary.md"].map(|name| directory.path().join(name));
    std::fs::write(&summary, "before\n")?;
    let gate = ["gate", "--test", "steady", "--runs", "4", "--json"];
    let files = ["--junit", text(&junit), "--comment", text(&comment)];
    let outcome = perf(&service.base_url, &[&gate[..], &files].concat())?
        .env("GITHUB_STEP_SUMMARY", &summary)
        .start()?;
    let outcome = end(&outcome).await?;
    let gate = outcome.json();
    assert_eq!(outcome.code, 2, "{}", gate["comparison"]["level"]);
    assert_eq!(
        gate["comparedWith"],
        "compared with version 2 of the baseline"
    );
    assert_eq!(gate["comparison"]["level"], gate["level"]);
    assert_eq!(gate["runs"][3]["verdict"]["level"], "PASS");

    let suites = std::fs::read_to_string(&junit)?;
    assert!(suites.contains("name=\"steady #9\""), "{suites}");
    assert!(
        suites.contains("<failure message=\"p95 of http_req_duration is slower"),
        "{suites}"
    );
    assert_eq!(suites.matches("<testsuites>").count(), 1);
    assert_eq!(suites.matches("</testsuite>").count(), 5);
    let comment = std::fs::read_to_string(&comment)?;
    assert!(
        comment.contains("p95 of http\\_req\\_duration is slower"),
        "{comment}"
    );
    assert!(comment.contains("steady ([run #9]"), "{comment}");
    assert_eq!(
        std::fs::read_to_string(&summary)?,
        format!("before\n{comment}")
    );

    Ok(())
}

/// The same runs by other commands, which start none.
async fn compared(service: &PerformanceService) -> anyhow::Result<()> {
    let told = call(service, &["compare", "1,2,3,4,5", "6,7,8,9"])
        .await?
        .ended_with(2);
    assert!(told.contains("slower"), "{told}");
    let json = call(service, &["--json", "compare", "baseline", "9"])
        .await?
        .json();
    assert_eq!(json["reference"].as_array().unwrap().len(), 5);

    let taken = ["gate", "--test", "steady", "--run", "1,2", "--baseline"];
    let told = call(service, &[&taken[..], &["none"]].concat())
        .await?
        .ended_with(0);
    assert!(told.contains("compared with nothing"), "{told}");
    // One run on a side shows a difference and proves none.
    let one = [
        "gate",
        "--test",
        "steady",
        "--run",
        "2",
        "--baseline",
        "1",
        "--comment",
        "-",
    ];
    let comment = call(service, &one).await?.ended_with(1);
    assert!(
        comment.starts_with("## INCONCLUSIVE: steady\n"),
        "{comment}"
    );
    let suggested = "more runs of the candidate could tell";
    assert!(comment.contains(suggested), "{comment}");
    let told = call(service, &["compare", "1", "2"]).await?.ended_with(1);
    assert!(told.contains(suggested) && told.contains("$0.00"), "{told}");
    let other = ["gate", "--test", "other", "--run", "1"];
    let told = call(service, &other).await?.ended_with(3);
    assert!(told.contains("#1 steady is no run of other"), "{told}");
    let told = call(service, &["gate", "--test", "other"])
        .await?
        .ended_with(3);
    assert!(told.contains("name a scenario or a script"), "{told}");
    assert_eq!(
        call(service, &["list", "--json"])
            .await?
            .json()
            .as_array()
            .unwrap()
            .len(),
        9
    );
    Ok(())
}
