//! Searches for a capacity, with real k6 against a target whose knee is known.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::wait;

use crate::test_service::TestService;

const FAMILY: &str = "/api/v1/performancetest/capacity";

/// Twenty runs of some seconds on a machine under load.
const SEARCH_DEADLINE: Duration = Duration::from_secs(240);

fn request(from: f64, to: f64) -> Value {
    json!({
        "testName": "knee",
        "testScript": "tests/smoke.js",
        "fromRate": from,
        "toRate": to,
        "stepDuration": "2s",
        "precision": 0.15,
        "confirmations": 1,
        "options": {"thresholds": {"http_req_failed": ["rate<0.01"]}},
    })
}

async fn begin(service: &TestService, body: &Value) -> anyhow::Result<String> {
    let url = format!("{}{FAMILY}", service.base_url);
    let reply = service.client.post(url).json(body).send().await?;
    let status = reply.status();
    let search: Value = reply.json().await?;
    ensure!(status == 201, "{status}: {search}");
    Ok(search["searchId"].as_str().context("an id")?.to_owned())
}

async fn ended(service: &TestService, id: &str) -> anyhow::Result<Value> {
    wait::until("the search is over", SEARCH_DEADLINE, async || {
        let search = service.get_json(&format!("{FAMILY}/{id}")).await?;
        ensure!(search["completedAt"].is_string(), "{search}");
        Ok(search)
    })
    .await
}

fn probes(search: &Value) -> Vec<(f64, String)> {
    let probes = search["probes"].as_array().cloned().unwrap_or_default();
    let read = |probe: &Value| {
        let level = probe["level"].as_str().unwrap_or_default();
        (probe["rate"].as_f64().unwrap_or(0.0), level.to_owned())
    };
    probes.iter().map(read).collect()
}

/// The target takes 40 requests a second for ever, and 60 more at once after a pause of 1.5 s. In
/// five seconds these are 260, so that 52.5/s are the most of which less than 1 % fail; how long
/// the pause between two runs is depends on the machine.
#[tokio::test]
async fn a_knee_is_found() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    service.target.admit(40.0, 60.0);
    let mut body = request(10.0, 200.0);
    body["stepDuration"] = json!("5s");
    let id = begin(&service, &body).await?;
    let search = ended(&service, &id).await?;
    println!("{}: {:?}", search["result"]["sentence"], probes(&search));
    assert_eq!(search["status"], "Done", "{search}");
    assert_eq!(search["result"]["end"], "found", "{search}");
    let rate = search["result"]["rate"].as_f64().context("a rate")?;
    assert!((40.0..=53.0).contains(&rate), "{search}");
    let beyond = search["result"]["beyond"].as_f64().context("a bound")?;
    assert!(beyond > rate && beyond / rate < 1.17, "{search}");

    // The evidence: each run is there, of a test of its own, at the rate that was asked.
    let mut numbers = BTreeSet::new();
    for probe in search["probes"].as_array().context("probes")? {
        let run = service
            .run(probe["testId"].as_str().context("an id")?)
            .await?;
        assert_eq!(run["testName"], "knee (capacity)");
        assert_eq!(run["options"]["rate"], probe["rate"]);
        assert_eq!(run["verdict"]["level"], probe["level"]);
        numbers.insert(run["number"].as_u64());
    }
    assert_eq!(numbers.len(), probes(&search).len(), "no run twice");

    let page = service.get_text(&format!("/capacity/{id}")).await?;
    let sentence = search["result"]["sentence"]
        .as_str()
        .context("a sentence")?;
    let confirmed = sentence.split(',').next().context("a part")?;
    assert!(page.contains(confirmed), "{page}");
    let list = service.get_text("/capacity").await?;
    assert!(list.contains(&format!("/capacity/{id}")), "{list}");
    let report = service.get_text(&format!("{FAMILY}/{id}/report")).await?;
    assert!(report.starts_with("### Capacity of knee"), "{report}");
    assert_eq!(report.matches("| #").count(), numbers.len(), "{report}");
    Ok(())
}

#[tokio::test]
async fn no_bad_rate_and_no_good_rate_are_told() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = begin(&service, &request(10.0, 20.0)).await?;
    let search = ended(&service, &id).await?;
    assert_eq!(search["result"]["end"], "at-highest", "{search}");
    assert_eq!(search["result"]["rate"], 20.0);
    assert!(search["result"].get("beyond").is_none(), "{search}");

    service.target.admit(1.0, 1.0);
    let id = begin(&service, &request(10.0, 20.0)).await?;
    let search = ended(&service, &id).await?;
    assert_eq!(search["result"]["end"], "below-lowest", "{search}");
    assert!(search["result"].get("rate").is_none(), "{search}");
    let sentence = search["result"]["sentence"]
        .as_str()
        .context("a sentence")?;
    assert!(
        sentence.starts_with("Not even 10/s is carried"),
        "{sentence}"
    );
    assert!(sentence.contains("http_req_failed"), "{sentence}");
    assert_eq!(probes(&search).len(), 2, "{search}");
    Ok(())
}

#[tokio::test]
async fn a_search_survives_the_service() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = begin(&service, &request(10.0, 20.0)).await?;
    wait::until("a run is over", SEARCH_DEADLINE, async || {
        let search = service.get_json(&format!("{FAMILY}/{id}")).await?;
        ensure!(!probes(&search).is_empty(), "{search}");
        Ok(())
    })
    .await?;
    service.process.kill();
    service.process.start_again()?;
    service.ready().await?;
    let search = ended(&service, &id).await?;
    assert_eq!(search["result"]["end"], "at-highest", "{search}");
    let tests = service.get_json("/api/v1/performancetest/tests").await?;
    let runs = tests.as_array().context("runs")?.len();
    assert_eq!(runs, probes(&search).len(), "no run is lost or made twice");
    Ok(())
}

#[tokio::test]
async fn a_search_is_stopped_with_its_run() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let mut body = request(10.0, 200.0);
    body["stepDuration"] = json!("60s");
    let id = begin(&service, &body).await?;
    let run = wait::until("a run is under way", SEARCH_DEADLINE, async || {
        let search = service.get_json(&format!("{FAMILY}/{id}")).await?;
        let run = search["underWay"]["testId"]
            .as_str()
            .context("none yet")?
            .to_owned();
        ensure!(service.run(&run).await?["status"] == "Running", "not yet");
        Ok(run)
    })
    .await?;
    let stopped = service.post(&format!("{FAMILY}/{id}/cancel")).await?;
    assert_eq!(stopped.status(), 204);
    assert_eq!(service.run(&run).await?["status"], "Cancelled");
    let search = ended(&service, &id).await?;
    assert_eq!(search["status"], "Cancelled");
    assert_eq!(search["result"]["end"], "stopped");
    let again = service.post(&format!("{FAMILY}/{id}/cancel")).await?;
    assert_eq!(again.status(), 409);
    let unknown = format!("{FAMILY}/{}/cancel", "0".repeat(32));
    assert_eq!(service.post(&unknown).await?.status(), 404);
    Ok(())
}

#[tokio::test]
async fn money_ends_a_search() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let mut body = request(5.0, 1_000.0);
    body["testScript"] = json!("tests/costly.js");
    body["maxSearchDollars"] = json!(2.5);
    let id = begin(&service, &body).await?;
    let search = ended(&service, &id).await?;
    // Ten arrivals and twenty at a tenth of a dollar each.
    assert_eq!(search["result"]["end"], "out-of-money", "{search}");
    let spent = search["spent"]["simulatedPicoUsd"]
        .as_u64()
        .context("money")?;
    assert!(spent >= 2_500_000_000_000, "{search}");
    assert_eq!(search["spent"]["realPicoUsd"], 0);
    let page = service.get_text(&format!("/capacity/{id}")).await?;
    assert!(page.contains("simulated $"), "{page}");
    Ok(())
}

#[tokio::test]
async fn searches_that_make_no_sense_are_refused() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let url = format!("{}{FAMILY}", service.base_url);
    let with = |changes: Value| {
        let mut body = request(10.0, 20.0);
        for (name, value) in changes.as_object().cloned().unwrap_or_default() {
            body[name] = value;
        }
        body
    };
    for (body, field) in [
        (with(json!({"toRate": 5})), "toRate"),
        (with(json!({"precision": 0.9})), "precision"),
        (with(json!({"stepDuration": "5h"})), "options.duration"),
        (with(json!({"options": {}})), "options.thresholds"),
        (
            with(json!({"options": {"rate": 3, "duration": "1s"}})),
            "options.rate",
        ),
        (with(json!({"testScript": "tests/none.js"})), "testScript"),
        (with(json!({"maxRuns": 1})), "maxRuns"),
        (json!({}), "toRate"),
    ] {
        let reply = service.client.post(&url).json(&body).send().await?;
        assert_eq!(reply.status(), 400, "{body}");
        let problem: Value = reply.json().await?;
        assert!(problem["errors"].get(field).is_some(), "{field}: {problem}");
    }
    let page = format!("{}/capacity", service.base_url);
    let form = service.client.post(page);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let form = form.body("testName=x&testScript=tests%2Fsmoke.js&toRate=many");
    let reply = form.send().await?;
    assert_eq!(reply.status(), 400);
    let none = service.get_json(FAMILY).await?;
    assert_eq!(none, json!([]));
    Ok(())
}
