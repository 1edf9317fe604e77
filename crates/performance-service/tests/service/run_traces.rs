//! A run in the traces: its span is found by its id, and its processes are told of it.

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::jaeger::Jaeger;
use test_support::{http, wait};

use crate::test_service::{RUN_DEADLINE, TestService, processes_of};

#[tokio::test]
async fn the_span_of_a_run_is_found_by_its_id() -> anyhow::Result<()> {
    let jaeger = test_support::jaeger().await?;
    let collector = jaeger.otlp_endpoint();
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str())];
    let service = TestService::start_with(&settings).await?;
    let options = json!({"virtualUsers": 1, "duration": "3s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    service.wait_for(&id, "Running").await?;
    let trace = told_trace(&service.directory(&id), &id, "smoke")?;
    service.wait_for_end(&id).await?;
    let (found, span) = span_of(&jaeger, &id).await?;
    assert_eq!(found, trace);
    assert_eq!(span["operationName"], "run Smoke");
    let tag = |name: &str| tag(&span, name);
    assert_eq!(tag("test.verdict"), "pass", "{span}");
    assert_eq!(tag("test.status"), "Completed");
    assert_eq!(tag("test.runner"), "process");
    assert_eq!(tag("test.scenario"), "Smoke");
    let version = tag("k6.version");
    let version = version.as_str().context("a version")?;
    assert!(version.starts_with("2."), "{version}");
    let lasted = span["duration"].as_u64();
    assert!(
        lasted > Some(2_000_000),
        "from its start to its end: {span}"
    );

    // Another life of the service goes on in the same trace.
    let id = service.begin_long().await?;
    let trace = told_trace(&service.directory(&id), &id, "load")?;
    service.process.kill();
    service.process.start_again()?;
    service.ready().await?;
    let cancel = format!("/api/v1/performancetest/{id}/cancel");
    assert_eq!(service.post(&cancel).await?.status(), 204);
    let (found, span) = span_of(&jaeger, &id).await?;
    assert_eq!(found, trace);
    assert_eq!(self::tag(&span, "test.verdict"), "invalid");
    Ok(())
}

/// The trace that the processes of a run are told of, supervisor and k6 alike.
fn told_trace(directory: &Path, id: &str, scenario: &str) -> anyhow::Result<String> {
    let mut traces = Vec::new();
    for pid in processes_of(directory) {
        let variables = std::fs::read_to_string(format!("/proc/{pid}/environ"))?;
        let mut variables = variables.split_terminator('\0');
        let baggage = format!("BAGGAGE=test.id={id},test.scenario={scenario}");
        ensure!(variables.clone().any(|it| it == baggage), "{baggage}");
        let parent = variables.find_map(|it| it.strip_prefix("TRACEPARENT=00-"));
        let parent = parent.context("a parent")?;
        let (trace, _) = parent.split_once('-').context("a trace")?;
        traces.push(trace.to_owned());
    }
    ensure!(traces.len() == 2, "k6 and its supervisor: {traces:?}");
    traces.dedup();
    ensure!(traces.len() == 1, "{traces:?}");
    traces.pop().context("a trace")
}

/// The span of a run as somebody finds it who knows the run's id alone; and its trace.
async fn span_of(jaeger: &Jaeger, id: &str) -> anyhow::Result<(String, Value)> {
    let client = http::client()?;
    let tags = format!("%7B%22test.id%22%3A%22{id}%22%7D");
    let url = format!(
        "{}/api/traces?service=performance-service&lookback=1h&limit=5&tags={tags}",
        jaeger.url()
    );
    wait::until("the span of the run", RUN_DEADLINE, async || {
        let found = client.get(&url).send().await?;
        let found: Value = found.error_for_status()?.json().await?;
        let trace = &found["data"][0];
        let id = trace["traceID"].as_str().context("no trace yet")?;
        let span = trace["spans"][0].clone();
        Ok((id.to_owned(), span))
    })
    .await
}

fn tag(span: &Value, name: &str) -> Value {
    let tags = span["tags"].as_array();
    let found = tags.and_then(|tags| tags.iter().find(|tag| tag["key"] == name));
    found.map_or(Value::Null, |tag| tag["value"].clone())
}

#[tokio::test]
async fn watchers_and_verdicts_are_counted() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let metrics = async || service.get_text("/metrics").await;
    let watched = async |count: u32| {
        let line = format!("performance_events_subscribers {count}\n");
        wait::until(&line, RUN_DEADLINE, async || {
            let metrics = metrics().await?;
            ensure!(metrics.contains(&line), "{metrics}");
            Ok(())
        })
        .await
    };
    watched(0).await?;
    let stream = service.get("/performance-hub").await?;
    watched(1).await?;
    drop(stream);
    // The end of the connection is seen with the next event.
    let options = json!({"virtualUsers": 1, "duration": "1s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    service.wait_for_end(&id).await?;
    watched(0).await?;
    let metrics = metrics().await?;
    let judged = "performance_verdict_duration_seconds_count 1\n";
    assert!(metrics.contains(judged), "{metrics}");
    Ok(())
}
