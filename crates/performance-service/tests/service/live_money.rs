//! What a run costs is told while it goes on, also when the service or the ledger fails meanwhile.

use anyhow::{Context, ensure};
use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use serde_json::{Value, json};
use test_support::wait;
use tokio::time::timeout;

use crate::paid_target::{Money, PaidService, paid, pico};
use crate::test_service::{RUN_DEADLINE, TestService};

const SPEND: &str = "/api/v1/performancetest/spend";

/// So many dollars last a slow model for minutes, and a quick one for seconds.
const CAP: &str = "0.05";

#[tokio::test]
async fn money_is_watched_live_and_after_a_crash() -> anyhow::Result<()> {
    let paid_service = PaidService::start(Money::Simulated, &[]).await?;
    let service = &paid_service.service;
    paid_service.spend_slowly()?;
    let body = json!({"maxDollars": CAP, "vus": 1, "duration": "5m"});
    let id = service.begin(&paid(&body)).await?;
    let first = first_cost_told(service, &id).await?;
    let text = first["text"].as_str().context("the cost in words")?;
    let page = service.get_text(&format!("/runs/{id}")).await?;
    let tile = "<dd data-live=\"cost\">sim $0.0";
    assert!(text.starts_with("sim $0.0"), "{first}");
    assert!(page.contains(tile), "{page}");
    let page = service.get_text("/spend").await?;
    assert!(page.contains("Reserved by runs under way"), "{page}");
    assert!(page.contains("#1 paid"), "{page}");
    let month = service.get_json(SPEND).await?["month"].take();
    // Its cap holds for either kind of dollars.
    for kind in ["real", "simulated"] {
        assert_eq!(month[kind]["reserved"]["usd"], CAP, "{month}");
        assert_eq!(pico(&month[kind]["spent"]), 0, "{month}");
    }
    assert_eq!(month["reservations"][0]["testId"], *id, "{month}");
    let left = pico(&month["real"]["left"]);
    service.process.kill();
    service.process.start_again()?;
    service.ready().await?;
    paid_service.spend_quickly();
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["status"], "Cancelled", "{run}");
    let spend = &run["results"]["spend"];
    assert_eq!(spend["reached"]["stopped"], true, "{run}");
    let told = costs_told(service, &id).await?;
    assert!(told.is_sorted(), "{told:?}");
    assert!(told.contains(&pico(&first["simulated"])), "{told:?}");
    // The last second was told when its cost had reached the cap.
    let cap = pico(&spend["reached"]["allowed"]);
    let cost = pico(&spend["simulated"]["cost"]);
    let last = told.last().copied().context("a second with its cost")?;
    assert!((cap..=cost).contains(&last), "{told:?}: {spend}");
    let month = service.get_json(SPEND).await?["month"].take();
    assert_eq!(
        month["simulated"]["spent"], spend["simulated"]["cost"],
        "{month}"
    );
    assert_eq!(pico(&month["simulated"]["reserved"]), 0, "{month}");
    assert_eq!(month["reservations"], json!([]), "{month}");
    // No real dollar was spent, so that what was reserved came back.
    let back = pico(&month["real"]["left"]) - left;
    assert_eq!(back, pico(&spend["reached"]["allowed"]), "{month}");
    counted_and_reported(service, &id, spend).await
}

/// What the metrics and the report for pipelines say of a run that was stopped.
async fn counted_and_reported(
    service: &TestService,
    id: &str,
    spend: &Value,
) -> anyhow::Result<()> {
    let metrics = service.get_text("/metrics").await?;
    let stops = "performance_budget_stops_total{simulated=\"true\"} 1";
    assert!(metrics.contains(stops), "{metrics}");
    let cost = &spend["simulated"]["cost"];
    let spent = format!(
        "performance_run_spend_pico_usd_total{{simulated=\"true\"}} {}",
        cost["picoUsd"]
    );
    assert!(metrics.contains(&spent), "{spent}: {metrics}");
    let export = format!("/api/v1/performancetest/{id}/export?format=junit");
    let suite = service.get_text(&export).await?;
    for property in [
        format!("name=\"cost.simulated.usd\" value={}/>", cost["usd"]),
        "name=\"cost.real.usd\" value=\"0\"/>".to_owned(),
    ] {
        assert!(suite.contains(&property), "{property}: {suite}");
    }
    Ok(())
}

/// Waits for the first second of a run that is told with its cost, and gives that.
async fn first_cost_told(service: &TestService, id: &str) -> anyhow::Result<Value> {
    let reply = service.get(&format!("/performance-hub?test={id}")).await?;
    let mut events = reply.error_for_status()?.bytes_stream().eventsource();
    let told = async {
        while let Some(event) = events.next().await {
            let cost = points(&event?.data)?
                .into_iter()
                .find(|point| point["cost"].is_object());
            if let Some(mut point) = cost {
                return Ok(point["cost"].take());
            }
        }
        anyhow::bail!("the stream ended without a cost")
    };
    timeout(RUN_DEADLINE, told).await?
}

/// The simulated pico-dollars that the seconds of a finished run were told with, in their order.
async fn costs_told(service: &TestService, id: &str) -> anyhow::Result<Vec<u64>> {
    let stream = service
        .get_text(&format!("/performance-hub?test={id}&after=0"))
        .await?;
    let mut costs = Vec::new();
    for data in stream.lines().filter_map(|line| line.strip_prefix("data:")) {
        let points = points(data)?;
        let told = points.iter().filter(|point| point["cost"].is_object());
        costs.extend(told.map(|point| pico(&point["cost"]["simulated"])));
    }
    Ok(costs)
}

/// The seconds of an event: its own, or those that were put together.
fn points(data: &str) -> anyhow::Result<Vec<Value>> {
    let data: Value = serde_json::from_str(data)?;
    let together = data["points"].as_array().cloned();
    Ok(together.unwrap_or_else(|| vec![data]))
}

/// A ledger that falls silent while real dollars flow.
#[tokio::test]
async fn nobody_spends_blindly() -> anyhow::Result<()> {
    let paid_service = PaidService::start(Money::Real, &[]).await?;
    let service = &paid_service.service;
    let body = json!({"vus": 1, "duration": "120s"});
    let id = service.begin(&paid(&body)).await?;
    let seen = wait::until("money is seen", RUN_DEADLINE, async || {
        let run = service.run(&id).await?;
        let cost = &run["spendSoFar"]["real"]["cost"]["picoUsd"];
        ensure!(cost.as_u64() > Some(0), "{run}");
        Ok(run)
    });
    let seen = seen.await?;
    paid_service.api.freeze()?;
    let run = service.wait_for_end(&id).await?;
    paid_service.api.thaw()?;
    assert_eq!(run["status"], "Cancelled", "{run}");
    assert_eq!(run["verdict"]["level"], "INVALID");
    let reason = run["verdict"]["reasons"][0].as_str().context("a reason")?;
    assert!(
        reason.contains("nobody can tell what it spends"),
        "{reason}"
    );
    assert!(reason.contains("nothing within 2 s"), "{reason}");
    // What was known last is what is booked.
    let known = pico(&seen["spendSoFar"]["real"]["cost"]);
    assert!(
        pico(&run["results"]["spend"]["real"]["cost"]) >= known,
        "{run}"
    );
    Ok(())
}
