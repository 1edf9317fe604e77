//! Each switch of telemetry turns its own part off, and nothing else.

use http::Method;
use serde_json::json;
use test_support::{exposition::Exposition, jaeger, jaeger::Trace};

use crate::{
    cache_events::look_ups,
    caller::{BOOKS, Caller},
    llm_fixture::SimulatedLlm,
    reply::Reply,
    test_api::Setup,
};

/// Whether a family of metrics is shown whose name begins so.
async fn shows(caller: &Caller, start: &str) -> anyhow::Result<bool> {
    let text = caller.get("/metrics").await?.expect(200)?.text();
    let shown = Exposition::read(&text)?.samples;
    Ok(shown.iter().any(|sample| sample.name.starts_with(start)))
}

#[tokio::test]
async fn metrics_of_process_and_runtime_can_be_left_out() -> anyhow::Result<()> {
    for (setting, without, with) in [
        ("BOOKSTORE_PROCESS_METRICS", "process_", "tokio_"),
        ("BOOKSTORE_RUNTIME_METRICS", "tokio_", "process_"),
    ] {
        let api = Setup::default().with(setting, "off").start().await?;
        let caller = api.caller()?;
        assert!(!shows(&caller, without).await?, "{setting}");
        assert!(shows(&caller, with).await?, "{setting}");
        assert!(shows(&caller, "http_server_").await?, "{setting}");
    }
    Ok(())
}

#[tokio::test]
async fn without_metrics_everything_else_is_there() -> anyhow::Result<()> {
    for (setting, value) in [("BOOKSTORE_METRICS", "off"), ("OTEL_SDK_DISABLED", "true")] {
        let llm = SimulatedLlm::start_with(Setup::default().with(setting, value)).await?;
        llm.caller.get("/metrics").await?.problem(404)?;
        llm.summary(&llm.book().await?, "provider=claude").await?;
        assert!(llm.api.terminate().await?.success(), "{setting}");
        let log = llm.api.process().log();
        assert!(log.contains("generate-summary answered 200"), "{log}");
    }
    Ok(())
}

/// A request that asks for its trace to be recorded.
async fn traced(caller: &Caller, path: &str) -> anyhow::Result<Reply> {
    let parent = format!(
        "00-{:032x}-{:016x}-01",
        fastrand::u128(1..),
        fastrand::u64(1..)
    );
    let request = caller.request(Method::GET, path);
    caller.send(request.header("traceparent", parent)).await
}

#[tokio::test]
async fn excluded_paths_have_no_trace_and_attributes_are_added() -> anyhow::Result<()> {
    let jaeger = jaeger().await?;
    let api = Setup::default()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint())
        .with("BOOKSTORE_TRACE_EXCLUDED_PATHS", "/api/v1/authors")
        .with("OTEL_RESOURCE_ATTRIBUTES", "team=books,shelf=a%2Cb")
        .start()
        .await?;
    let caller = api.caller()?;
    let silent = traced(&caller, "/api/v1/authors").await?;
    assert!(silent.expect(200)?.header("traceresponse").ends_with("-00"));
    let told = traced(&caller, BOOKS).await?;
    assert!(told.expect(200)?.header("traceresponse").ends_with("-01"));
    let trace = jaeger.trace(told.trace_id()?).await?;
    let resource = &trace.spans[0].resource;
    assert_eq!(resource["team"], json!("books"));
    assert_eq!(resource["shelf"], json!("a,b"));
    assert!(resource.contains_key("service.version"));
    // The later one is there, so the earlier one never comes.
    assert!(jaeger.read(silent.trace_id()?).await.is_err());
    Ok(())
}

#[tokio::test]
async fn spans_below_a_request_come_from_the_sources_that_are_on() -> anyhow::Result<()> {
    let jaeger = jaeger().await?;
    for (sources, store, model) in [
        ("store", true, false),
        ("model", false, true),
        ("none", false, false),
    ] {
        let setup = Setup::default()
            .with("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint())
            .with("BOOKSTORE_TRACE_SOURCES", sources);
        let llm = SimulatedLlm::start_with(setup).await?;
        let reply = llm.ask(&llm.book().await?, "provider=claude").await?;
        let id = reply.expect(200)?.trace_id()?.to_owned();
        // What ended is exported, all that belongs to it included.
        assert!(llm.api.terminate().await?.success());
        let there = |trace: &Trace| trace.span("POST ").is_some();
        let trace = jaeger.trace_where(&id, "is there", there).await?;
        let names = trace.span_names();
        assert_eq!(trace.span("chat ").is_some(), model, "{sources}: {names:?}");
        let stores = ["get ", "set ", "update "];
        let any = names
            .iter()
            .any(|name| stores.iter().any(|start| name.starts_with(start)));
        assert_eq!(any, store, "{sources}: {names:?}");
        let told = look_ups(&trace)?;
        let missed = ["summary", "l1", "miss"].map(str::to_owned);
        assert_eq!(told.contains(&missed), store, "{sources}: {told:?}");
    }
    Ok(())
}
