//! From a chart to a trace: what `/metrics` says of traces, and whether they are there.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, ensure};
use http::{Method, header};
use serde_json::json;
use test_support::{Jaeger, process::Program, prometheus, tools, wait};

use crate::{
    caller::{BOOKS, Caller},
    llm_fixture::SimulatedLlm,
    reply::Reply,
    telemetry::{kind, logged, traced_with},
    test_api::Setup,
};

/// The job looks every fifteen seconds at what is five seconds old.
const CHECK_DEADLINE: Duration = Duration::from_secs(60);

/// A few hundred requests of two users.
const K6_DEADLINE: Duration = Duration::from_secs(60);

const EVERYTHING: (&str, &str) = ("BOOKSTORE_TRACE_SAMPLING", "catalogue=1,ai=1,ops=0");

const LOAD: &str = r"
import http from 'k6/http';
export const options = { vus: 2, iterations: 100 };
export default function () {
  http.get(`${__ENV.BASE}/api/v1/books?pageSize=5`);
  http.get(`${__ENV.BASE}/api/v1/errortest/500`);
}
";

async fn metrics(caller: &Caller, accept: &str) -> anyhow::Result<Reply> {
    let request = caller.request(Method::GET, "/metrics");
    let reply = caller.send(request.header(header::ACCEPT, accept)).await?;
    reply.expect(200)?;
    Ok(reply)
}

/// The traces that the exemplars of a family lead to.
pub(crate) async fn traces_of(caller: &Caller, family: &str) -> anyhow::Result<BTreeSet<String>> {
    let text = metrics(caller, "application/openmetrics-text")
        .await?
        .text();
    ensure!(text.ends_with("\n# EOF\n"), "no end");
    let lines = text.lines().filter(|line| line.starts_with(family));
    let ids = lines.filter_map(|line| {
        let (_, exemplar) = line.split_once(" # {trace_id=\"")?;
        Some(exemplar.split_once('"')?.0.to_owned())
    });
    Ok(ids.collect())
}

#[tokio::test]
async fn values_of_a_kept_trace_lead_to_it_and_others_lead_nowhere() -> anyhow::Result<()> {
    // The book is created unsampled; however slow that is, it is no trace to keep.
    let settings = [
        ("BOOKSTORE_TRACE_SAMPLING", "catalogue=0,ai=1,ops=0"),
        ("BOOKSTORE_TRACE_SLOW", "catalogue=off"),
    ];
    let (jaeger, llm) = traced_with(&settings).await?;
    let book = llm.book().await?;
    let reply = llm.ask(&book, "provider=claude").await?;
    let id = reply.expect(200)?.trace_id()?.to_owned();
    jaeger.trace(&id).await?;
    for family in [
        "http_server_request_duration_seconds_bucket",
        "http_server_response_body_size_bytes_bucket",
        "http_client_request_duration_seconds_bucket",
        "db_client_operation_duration_seconds_bucket",
        "gen_ai_client_operation_duration_seconds_bucket",
        "gen_ai_client_operation_time_to_first_chunk_seconds_bucket",
        "gen_ai_client_operation_time_per_output_chunk_seconds_bucket",
        "gen_ai_client_token_usage_bucket",
        "bookstore_gen_ai_operation_cost_usd_bucket",
        "bookstore_gen_ai_request_cost_usd_bucket",
        "bookstore_gen_ai_cost_pico_usd_total",
        "bookstore_gen_ai_queue_duration_seconds_bucket",
        "bookstore_gen_ai_overhead_duration_seconds_bucket",
    ] {
        let traces = traces_of(&llm.caller, family).await?;
        assert_eq!(traces, BTreeSet::from([id.clone()]), "{family}");
    }
    let classic = metrics(&llm.caller, "text/plain").await?;
    assert_eq!(
        classic.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(!classic.text().contains("trace_id"));
    Ok(())
}

#[tokio::test]
async fn prometheus_keeps_exemplars() -> anyhow::Result<()> {
    let (jaeger, llm) = traced_with(&[EVERYTHING]).await?;
    let book = llm.book().await?;
    llm.summary(&book, "provider=claude").await?;
    let prometheus = prometheus(&[("bookstore-api", llm.api.address())]).await?;
    for metric in [
        "http_server_request_duration_seconds_bucket",
        "db_client_operation_duration_seconds_bucket",
        "bookstore_gen_ai_operation_cost_usd_bucket",
    ] {
        prometheus.query_until_found(metric).await?;
        let exemplars = prometheus.exemplars(metric).await?;
        let exemplar = exemplars.first().with_context(|| metric.to_owned())?;
        let bound: f64 = exemplar.series["le"].parse()?;
        assert!(exemplar.value <= bound, "{exemplar:?}");
        jaeger.trace(&exemplar.labels["trace_id"]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn one_request_is_found_by_one_id_in_five_places() -> anyhow::Result<()> {
    let (jaeger, llm) = traced_with(&[]).await?;
    let book = llm.book().await?;
    llm.break_by(&json!([{"fault": {"status": {"code": 401}}}]))?;
    let reply = llm.ask(&book, "provider=claude").await?;
    let problem = reply.problem(502)?;
    let header = reply.header("traceresponse");
    let id = reply.trace_id()?;
    assert_eq!(problem.member("traceId"), id);
    let trace = jaeger
        .trace_where(id, "has its root", |trace| trace.span("POST ").is_some())
        .await?;
    let root = kind(&trace, "server", "POST ")?;
    assert_eq!(header, format!("00-{id}-{}-01", root.id));
    let line = logged(&llm.api, "trace_id", id).await?;
    assert_eq!(line["span_id"].as_str().map(str::len), Some(16), "{line}");
    let line = logged(&llm.api, "span_id", &root.id).await?;
    assert_eq!(line["trace_id"], id, "{line}");
    let family = "http_server_request_duration_seconds_bucket";
    assert!(traces_of(&llm.caller, family).await?.contains(id));
    Ok(())
}

async fn dangling(llm: &SimulatedLlm, wanted: impl Fn(f64) -> bool) -> anyhow::Result<f64> {
    wait::until(
        "the share of dangling exemplars",
        CHECK_DEADLINE,
        async || {
            let share = llm
                .counted("bookstore_exemplars_dangling_ratio", &[])
                .await?;
            ensure!(wanted(share), "it is {share}");
            Ok(share)
        },
    )
    .await
}

/// Waits until the job has looked at what was sent so far: it says so by a change.
async fn checked(jaeger: &Jaeger, llm: &SimulatedLlm) -> anyhow::Result<()> {
    jaeger.process().freeze()?;
    dangling(llm, f64::is_nan).await?;
    jaeger.process().thaw()?;
    dangling(llm, |share| !share.is_nan()).await?;
    Ok(())
}

#[tokio::test]
async fn exemplars_that_lead_nowhere_are_noticed() -> anyhow::Result<()> {
    let jaeger = test_support::jaeger().await?;
    let setup = Setup::default()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint())
        .with("BOOKSTORE_TRACE_QUERY", jaeger.url())
        .with(EVERYTHING.0, EVERYTHING.1);
    let llm = SimulatedLlm::start_with(setup).await?;
    let program = Program::new("k6", tools::k6()?)?;
    let script = program.directory().join("load.js");
    std::fs::write(&script, LOAD)?;
    let k6 = program
        .args(["run", "--quiet", "--env"])
        .arg(format!("BASE={}", llm.api.base_url()))
        .arg(script)
        .start()?;
    let ended = k6.wait(K6_DEADLINE).await?;
    ensure!(ended.success(), "{}", k6.log());
    let traces = traces_of(&llm.caller, "http_server_request_duration_seconds_bucket").await?;
    ensure!(!traces.is_empty(), "no exemplars");
    for id in &traces {
        jaeger.trace(id).await?;
    }

    checked(&jaeger, &llm).await?;
    let share = dangling(&llm, |_| true).await?;
    assert!(
        share < f64::EPSILON,
        "{share} of the exemplars lead nowhere"
    );
    jaeger.empty().await?;
    let share = dangling(&llm, |share| share > 0.0).await?;
    assert!(share > 0.9, "{share}");
    llm.caller.get(BOOKS).await?.expect(200)?;
    Ok(())
}
