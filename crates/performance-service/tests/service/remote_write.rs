//! A run in Prometheus while it goes on.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::prometheus::Prometheus;
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService};

/// Users for three seconds.
fn short_run() -> Value {
    json!({"scenario": "Smoke", "options": {"virtualUsers": 2, "duration": "3s"}})
}

async fn service_that_writes_to(address: &str) -> anyhow::Result<TestService> {
    let url = format!("{address}/api/v1/write");
    TestService::start_with(&[("PERFORMANCE_REMOTE_WRITE_URL", &url)]).await
}

/// The last value of an expression's only series, whether or not it has ended.
async fn value(prometheus: &Prometheus, promql: &str) -> anyhow::Result<f64> {
    let found = prometheus.query(promql).await?;
    ensure!(found.len() == 1, "{promql}: {found:?}");
    Ok(found[0].value)
}

#[tokio::test]
async fn what_k6_measures_is_in_prometheus() -> anyhow::Result<()> {
    let prometheus = test_support::prometheus(&[]).await?;
    let service = service_that_writes_to(&prometheus.url()).await?;
    let id = service.begin(&short_run()).await?;
    let of_run = format!("test_id=\"{id}\",scenario=\"smoke\"");
    let users = format!("k6_vus{{{of_run}}}");
    wait::until(
        "the run is seen while it goes on",
        RUN_DEADLINE,
        async || {
            ensure!((value(&prometheus, &users).await? - 2.0).abs() < f64::EPSILON);
            Ok(())
        },
    )
    .await?;
    let run = service.wait_for_end(&id).await?;
    ensure!(run["status"] == "Completed", "{run}");
    let metrics = &run["results"]["metrics"];
    let counted = metrics["http_reqs"]["values"]["count"].as_f64();
    let counted = counted.context("a count")?;
    let verdict = run["verdict"]["level"].as_str().context("a level")?;
    let verdict = verdict.to_ascii_lowercase();
    let judged = format!("max_over_time(k6_run_verdict{{{of_run},verdict=\"{verdict}\"}}[5m])");
    wait::until("its verdict is marked", RUN_DEADLINE, async || {
        ensure!((value(&prometheus, &judged).await? - 1.0).abs() < f64::EPSILON);
        Ok(())
    })
    .await?;
    // The last second is written under its end, which may be still to come.
    wait::until("all is written", RUN_DEADLINE, async || {
        for metric in ["k6_http_reqs_total", "k6_http_req_duration_seconds_count"] {
            let sum = format!("sum(last_over_time({metric}{{{of_run}}}[5m]))");
            let written = value(&prometheus, &sum).await?;
            ensure!(
                (written - counted).abs() < f64::EPSILON,
                "{metric}: {written} of {counted}"
            );
        }
        Ok(())
    })
    .await?;
    wait::until("its series end", RUN_DEADLINE, async || {
        let left = prometheus
            .query(&format!("{{{of_run},verdict=\"\"}}"))
            .await?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await
}

/// The seconds before the death of the service are counted and not written a second time.
#[tokio::test]
async fn the_sums_of_an_adopted_run_go_on() -> anyhow::Result<()> {
    let prometheus = test_support::prometheus(&[]).await?;
    let service = service_that_writes_to(&prometheus.url()).await?;
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": {"virtualUsers": 2, "duration": "6s"}}))
        .await?;
    let of_run = format!("{{test_id=\"{id}\"}}");
    prometheus
        .query_until_found(&format!("k6_vus{of_run}"))
        .await?;
    service.process.kill();
    service.process.start_again()?;
    service.ready().await?;
    let run = service.wait_for_end(&id).await?;
    ensure!(run["status"] == "Completed", "{run}");
    let counted = run["results"]["metrics"]["http_reqs"]["values"]["count"].as_f64();
    let sum = format!("sum(last_over_time(k6_http_reqs_total{of_run}[5m]))");
    wait::until("all is written", RUN_DEADLINE, async || {
        let written = value(&prometheus, &sum).await?;
        ensure!(Some(written) == counted, "{written} of {counted:?}");
        Ok(())
    })
    .await?;
    let fell = format!("sum(resets(k6_http_reqs_total{of_run}[5m]))");
    ensure!(
        value(&prometheus, &fell).await? < f64::EPSILON,
        "a sum fell"
    );
    Ok(())
}

#[tokio::test]
async fn a_prometheus_that_does_not_answer_costs_a_run_nothing() -> anyhow::Result<()> {
    let nobody = format!("http://127.0.0.1:{}", test_support::port::free()?);
    let service = service_that_writes_to(&nobody).await?;
    let id = service.begin(&short_run()).await?;
    let run = service.wait_for_end(&id).await?;
    ensure!(run["status"] == "Completed", "{run}");
    let metrics = service.get_text("/metrics").await?;
    let failed = "performance_remote_write_requests_total{outcome=\"failed\"}";
    ensure!(metrics.contains(failed), "{metrics}");
    let log = service.process.log();
    ensure!(
        log.matches("the run is not in Prometheus").count() == 1,
        "{log}"
    );
    Ok(())
}
