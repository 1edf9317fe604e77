//! Runs, and what is told of them.

use crate::command::{call, end, perf, service, text};

const STEADY: [&str; 6] = ["--name", "steady", "--vus", "1", "--duration", "2s"];

#[tokio::test]
async fn the_exit_code_is_the_verdicts() -> anyhow::Result<()> {
    let service = service().await?;
    let run = [&["run", "tests/smoke.js"], &STEADY[..]].concat();
    let text = call(&service, &run).await?.ended_with(0);
    assert!(text.contains("#1 steady"), "{text}");
    assert!(text.contains("PASS"), "{text}");
    assert!(text.contains(" req/s"), "{text}");
    assert!(text.contains("of checks held"), "{text}");
    assert!(
        text.contains(&format!("{}/runs/", service.base_url)),
        "{text}"
    );

    let tight = [
        "--threshold",
        "http_req_duration:p(95)<0.0001",
        "--no-watch",
    ];
    let text = call(&service, &[&run[..], &tight].concat())
        .await?
        .ended_with(2);
    assert!(text.contains("FAIL"), "{text}");
    assert!(!text.contains(" req/s"), "{text}");
    let row = text.lines().find(|line| line.contains("p(95)<0.0001 "));
    assert!(row.unwrap().trim_end().ends_with("crossed"), "{text}");

    let stress = call(&service, &["run", "tests/smoke.js", "--scenario", "stress"]).await?;
    let text = stress.ended_with(2);
    assert!(text.contains("CRITICAL"), "{text}");
    assert!(text.contains("max of http_req_duration"), "{text}");

    let broken = call(&service, &["run", "tests/broken.js"]).await?;
    let text = broken.ended_with(2);
    assert!(text.contains("INVALID"), "{text}");
    assert_eq!(text.matches("this script is broken").count(), 1, "{text}");
    Ok(())
}

#[tokio::test]
async fn a_run_is_one_document_on_request() -> anyhow::Result<()> {
    let service = service().await?;
    let arguments = [
        &["--json", "run", "smoke", "--env", "COUNT=7", "--k6", "v1"],
        &STEADY[..],
    ];
    let outcome = call(&service, &arguments.concat()).await?;
    let run = outcome.json();
    assert_eq!(outcome.code, 0, "{run}");
    assert_eq!(run["testName"], "steady");
    assert_eq!(run["scenario"], "Smoke");
    assert_eq!(run["verdict"]["level"], "PASS");
    assert_eq!(run["options"]["k6Version"], "v1");
    assert!(run["results"]["metrics"]["http_reqs"].is_object(), "{run}");
    let queries = service.target.queries();
    assert!(
        queries.iter().all(|query| query.ends_with("count=7")),
        "{queries:?}"
    );

    let listed = call(&service, &["list", "--json"]).await?.json();
    assert_eq!(listed[0]["testId"], run["testId"]);
    let table = call(&service, &["list", "--test", "steady"])
        .await?
        .ended_with(0);
    assert!(table.contains("#1  steady  Smoke"), "{table}");
    let none = call(&service, &["list", "--test", "other"])
        .await?
        .ended_with(0);
    assert_eq!(none, "no runs\n");
    Ok(())
}

#[tokio::test]
async fn reports_are_named_by_number_and_written_to_files() -> anyhow::Result<()> {
    let service = service().await?;
    let run = [&["run", "smoke"], &STEADY[..]].concat();
    call(&service, &run).await?.ended_with(0);
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("report.xml");
    let report = ["report", "1", "--format", "junit", "-o", text(&file)];
    call(&service, &report).await?.ended_with(0);
    let suites = std::fs::read_to_string(&file)?;
    assert!(suites.contains("<testsuite name=\"steady #1\""), "{suites}");
    let console = call(&service, &["report", "#1"]).await?.ended_with(0);
    assert!(
        console.contains("#1 steady (Smoke, local): PASS"),
        "{console}"
    );

    for (run, reason) in [
        ("2", "no run #2"),
        ("../x", "neither the number nor the id"),
    ] {
        let text = call(&service, &["report", run]).await?.ended_with(3);
        assert!(text.contains(reason), "{text}");
    }
    let unknown = "0".repeat(32);
    let text = call(&service, &["report", &unknown]).await?.ended_with(3);
    assert!(text.contains("404"), "{text}");
    Ok(())
}

#[tokio::test]
async fn what_keeps_a_run_from_starting_is_told() -> anyhow::Result<()> {
    let service = service().await?;
    let text = call(&service, &["run", "nothing"]).await?.ended_with(3);
    assert!(text.contains("scenario must be one of Smoke"), "{text}");
    assert!(text.contains("such as tests/smoke.js"), "{text}");
    let many = ["run", "smoke", "--vus", "9999", "--duration", "soon"];
    let text = call(&service, &many).await?.ended_with(3);
    assert!(text.contains("options.virtualUsers"), "{text}");
    assert!(text.contains("options.duration"), "{text}");
    assert_eq!(service.target.requests(), 0);

    service.process.kill();
    let call = perf(&service.base_url, &["run", "smoke"])?.start()?;
    let text = end(&call).await?.ended_with(3);
    assert!(text.contains("does not answer at"), "{text}");
    assert!(text.contains("refused"), "{text}");
    Ok(())
}
