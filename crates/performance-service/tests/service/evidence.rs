//! What stands behind the figures of a run: phases, validity, resources.

use anyhow::Context;
use serde_json::{Value, json};
use test_support::{Prometheus, wait};

use crate::test_service::{RUN_DEADLINE, TestService};

const FAMILY: &str = "/api/v1/performancetest";

fn condition<'a>(run: &'a Value, name: &str) -> &'a Value {
    let checks = run["results"]["validity"]["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()
}

/// What users wait for when their time is over leaves no sample, so that every figure is fine.
#[tokio::test]
async fn users_whose_target_froze_have_no_figures_that_count() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let body = json!({"testScript": "tests/users.js", "scenario": "Smoke"});
    let id = service.begin(&body).await?;
    wait::until("some requests were answered", RUN_DEADLINE, async || {
        let asked = service.target.requests();
        anyhow::ensure!(asked >= 20, "{asked} requests");
        Ok(())
    })
    .await?;
    service.target.delay(RUN_DEADLINE * 10);
    let run = service.wait_for_end(&id).await?;
    let failed = &run["results"]["metrics"]["http_req_failed"]["values"]["rate"];
    assert_eq!(failed, &json!(0.0), "{run}");
    assert_eq!(run["verdict"]["level"], "INVALID", "{run}");
    let reason = run["verdict"]["reasons"][0].as_str().context("a reason")?;
    assert!(
        reason.starts_with("Nothing came to an end in the last 1"),
        "{reason}"
    );
    let summary = &run["results"]["validity"]["summary"];
    assert_eq!(summary, "INVALID, 10 of 11");
    Ok(())
}

#[tokio::test]
async fn ramps_are_apart_from_the_steady_load() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let body = json!({"testScript": "tests/ramp.js", "scenario": "Smoke"});
    let id = service.begin(&body).await?;
    let run = service.wait_for_end(&id).await?;
    let phases = &run["results"]["phases"];
    let all = phases["phases"].as_array().context("phases")?;
    let kinds: Vec<&str> = all
        .iter()
        .filter_map(|phase| phase["kind"].as_str())
        .collect();
    assert!(
        kinds.starts_with(&["rampUp", "steady", "rampDown"]),
        "{phases}"
    );
    let steady = &all[1];
    assert_eq!(
        (&steady["judged"], &steady["load"]),
        (&json!(true), &json!("3 users"))
    );
    let of_all: u64 = all
        .iter()
        .filter_map(|phase| phase["figures"]["requests"].as_u64())
        .sum();
    let counted = run["results"]["metrics"]["http_reqs"]["values"]["count"].as_f64();
    let of_all = f64::from(u32::try_from(of_all)?);
    assert_eq!(Some(of_all), counted, "every request is of one phase");
    let count = &phases["steady"]["http_req_duration"]["values"]["count"];
    assert_eq!(count.as_f64(), steady["figures"]["requests"].as_f64());
    assert_eq!(
        run["results"]["validity"]["summary"], "VALID, 10 of 10",
        "{run}"
    );

    let page = service.get_text(&format!("/runs/{id}")).await?;
    assert!(
        page.contains("<h2>Phases</h2>") && page.contains("(judged)"),
        "{page}"
    );
    assert!(page.contains("VALID, 10 of 10"), "{page}");
    assert!(page.contains("no Prometheus is set"), "{page}");
    let comment = service
        .get_text(&format!("{FAMILY}/{id}/export?format=markdown"))
        .await?;
    assert!(comment.contains("judge the steady phase"), "{comment}");

    let second = service.begin(&body).await?;
    service.wait_for_end(&second).await?;
    let compared = service
        .get_json(&format!("{FAMILY}/compare?runs={id},{second}"))
        .await?;
    assert_eq!(compared["phase"], "steady");
    Ok(())
}

#[tokio::test]
async fn a_warm_up_is_measured_and_not_judged() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 1, "duration": "5s", "warmUp": "2s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    let run = service.wait_for_end(&id).await?;
    let phases = run["results"]["phases"]["phases"]
        .as_array()
        .context("phases")?;
    let first = (&phases[0]["kind"], &phases[1]["kind"], &phases[1]["judged"]);
    assert_eq!(first, (&json!("warmUp"), &json!("steady"), &json!(true)));
    assert_eq!(run["options"]["warmUp"], "2s");
    for wrong in ["5s", "-1s", "soon"] {
        let options = json!({"virtualUsers": 1, "duration": "5s", "warmUp": wrong});
        let reply = service.ask(&json!({"options": options})).await?;
        assert_eq!(reply.status(), 400, "{wrong}");
    }
    Ok(())
}

#[tokio::test]
async fn a_target_that_was_restarted_makes_a_run_invalid() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 1, "duration": "5s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    wait::until("three seconds of load", RUN_DEADLINE, async || {
        let points = service.get_json(&format!("{FAMILY}/{id}/timeline")).await?;
        anyhow::ensure!(points.as_array().is_some_and(|points| points.len() >= 3));
        Ok(())
    })
    .await?;
    service.target.seem_restarted();
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "INVALID", "{run}");
    let reason = run["verdict"]["reasons"][0].as_str().unwrap();
    assert!(
        reason.starts_with("The target was started anew"),
        "{reason}"
    );
    let check = condition(&run, "targetRestart");
    assert_eq!(check["state"], "failed");
    assert!(!check["advice"].as_str().unwrap().is_empty());
    Ok(())
}

/// Nothing was dropped, and k6 ends with 0: the iterations of the last second are cut off.
#[tokio::test]
async fn a_load_below_its_rate_makes_a_run_invalid() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    service.target.delay(std::time::Duration::from_secs(1));
    let body = json!({"testScript": "tests/arrivals.js", "scenario": "Smoke"});
    let id = service.begin(&body).await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "INVALID", "{run}");
    let reason = run["verdict"]["reasons"][0].as_str().unwrap();
    assert!(
        reason.contains("iterations that were asked for"),
        "{reason}"
    );
    assert_eq!(condition(&run, "droppedIterations")["state"], "held");
    assert_eq!(condition(&run, "askedRate")["state"], "failed");
    Ok(())
}

/// The iterations that wait for it are interrupted at the end, and leave neither a sample nor an
/// error.
#[tokio::test]
async fn a_target_that_freezes_makes_an_open_run_invalid() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let before = service.target.requests();
    let body = json!({"testScript": "tests/arrivals.js", "scenario": "Smoke"});
    let id = service.begin(&body).await?;
    wait::until("load reaches the target", RUN_DEADLINE, async || {
        anyhow::ensure!(service.target.requests() > before, "no request yet");
        Ok(())
    })
    .await?;
    service.target.delay(RUN_DEADLINE);
    let run = service.wait_for_end(&id).await?;
    assert_eq!(condition(&run, "generatorEnd")["value"], "exit code 0");
    assert_eq!(condition(&run, "askedRate")["state"], "failed", "{run}");
    assert_eq!(run["verdict"]["level"], "INVALID", "{run}");
    Ok(())
}

#[tokio::test]
async fn resources_stand_on_the_time_axis_of_the_run() -> anyhow::Result<()> {
    let target = test_support::load_target::LoadTarget::start().await?;
    let address = target.base_url.trim_start_matches("http://").to_owned();
    let prometheus = test_support::prometheus(&[("target", &address)]).await?;
    let service = TestService::start_with(&[
        ("PERFORMANCE_TARGETS", &format!("local={}", target.base_url)),
        ("PERFORMANCE_PROMETHEUS_URL", &prometheus.url()),
    ])
    .await?;
    prometheus
        .query_until_found("process_memory_usage_bytes")
        .await?;
    let options = json!({"virtualUsers": 1, "duration": "8s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    let path = format!("{FAMILY}/{id}/resources");
    let live = wait::until(
        "resources of a run that goes on",
        RUN_DEADLINE,
        async || {
            let resources = service.get_json(&path).await?;
            anyhow::ensure!(resources["available"] == true, "{resources}");
            Ok(resources)
        },
    )
    .await?;
    assert!(live["note"].as_str().unwrap().contains(&address), "{live}");
    let run = service.wait_for_end(&id).await?;
    let kept = service.get_json(&path).await?;
    let series = kept["series"].as_array().context("series")?;
    let memory = series
        .iter()
        .find(|one| one["signal"] == "memory")
        .context("memory")?;
    let points = memory["points"].as_array().context("points")?;
    assert!(points.len() >= 5, "{kept}");
    let seconds: Vec<f64> = points
        .iter()
        .filter_map(|point| point[0].as_f64())
        .collect();
    assert!(seconds.iter().all(|t| (0.0..=12.0).contains(t)), "{kept}");
    assert_eq!(points[0][1], 1_048_576.0);
    let note = run["results"]["findings"]["note"].as_str().unwrap();
    assert!(note.starts_with("Looked at"), "{note}");
    let page = service.get_text(&format!("/runs/{id}")).await?;
    assert!(page.contains("Memory, MiB"), "{page}");
    absent(&service, &prometheus).await
}

/// A Prometheus that is gone is said, and fails nothing.
async fn absent(service: &TestService, prometheus: &Prometheus) -> anyhow::Result<()> {
    prometheus.process().kill();
    let options = json!({"virtualUsers": 1, "duration": "2s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(
        run["verdict"]["level"], "PASS",
        "its absence is no failure: {run}"
    );
    let kept = service
        .get_json(&format!("{FAMILY}/{id}/resources"))
        .await?;
    assert_eq!(kept["available"], false);
    assert!(
        kept["note"].as_str().unwrap().contains("cannot be asked"),
        "{kept}"
    );
    Ok(())
}
