//! One request found again by its ids: in its reply, in Jaeger, in the log.

use std::time::Duration;

use anyhow::{Context, ensure};
use http::Method;
use serde_json::{Value, json};
use test_support::{
    Jaeger, jaeger,
    jaeger::{Span, Trace},
    port, wait,
};

use crate::{
    caller::{BOOKS, NO_ID},
    llm_fixture::SimulatedLlm,
    reply::Reply,
    test_api::{Setup, TestApi},
};

/// The log is written by a thread of its own.
const LOG_DEADLINE: Duration = Duration::from_secs(10);

pub(crate) async fn traced() -> anyhow::Result<(Jaeger, SimulatedLlm)> {
    traced_with(&[]).await
}

/// An API with further settings whose traces go to a Jaeger.
pub(crate) async fn traced_with(
    settings: &[(&str, &str)],
) -> anyhow::Result<(Jaeger, SimulatedLlm)> {
    let jaeger = jaeger().await?;
    let mut setup = Setup::default().with("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint());
    for (name, value) in settings {
        setup = setup.with(name, value);
    }
    let llm = SimulatedLlm::start_with(setup).await?;
    Ok((jaeger, llm))
}

/// A caller's trace: its id and the id of its span.
pub(crate) fn ids() -> (String, String) {
    (
        format!("{:032x}", fastrand::u128(1..)),
        format!("{:016x}", fastrand::u64(1..)),
    )
}

pub(crate) async fn called(
    llm: &SimulatedLlm,
    (method, path): (Method, &str),
    (trace, span, flags): (&str, &str, &str),
) -> anyhow::Result<Reply> {
    let request = llm
        .caller
        .request(method, path)
        .header("traceparent", format!("00-{trace}-{span}-{flags}"))
        .header("baggage", "test.id=run-7,test.scenario=smoke")
        .header("X-Correlation-ID", format!("order-{span}"));
    llm.caller.send(request).await
}

pub(crate) fn kind<'a>(trace: &'a Trace, kind: &str, name: &str) -> anyhow::Result<&'a Span> {
    let wanted = |span: &&Span| {
        span.tag("span.kind").as_deref() == Some(kind) && span.name.starts_with(name)
    };
    let span = trace.spans.iter().find(wanted);
    span.with_context(|| format!("no {kind} span {name} in {:?}", trace.span_names()))
}

pub(crate) async fn whole_trace(jaeger: &Jaeger, id: &str) -> anyhow::Result<Trace> {
    jaeger
        .trace_where(id, "is whole", |trace| {
            ["POST ", "chat ", "get books"]
                .iter()
                .all(|name| trace.span(name).is_some())
        })
        .await
}

#[tokio::test]
async fn a_summary_is_a_trace_from_the_caller_to_the_model() -> anyhow::Result<()> {
    let (jaeger, llm) = traced().await?;
    let book = llm.book().await?;
    let (id, parent) = ids();
    let path = format!("{book}/generate-summary?provider=claude");
    let reply = called(&llm, (Method::POST, &path), (&id, &parent, "01")).await?;
    let summary = reply.expect(200)?.json()?;
    assert_eq!(reply.trace_id()?, id);
    assert!(reply.header("traceresponse").ends_with("-01"));

    let trace = whole_trace(&jaeger, &id).await?;
    let server = kind(&trace, "server", "POST /api/v1/books/{id}/generate-summary")?;
    assert_eq!(server.parent_id.as_deref(), Some(parent.as_str()));
    assert_eq!(server.service, "bookstore-api");
    for (name, value) in [
        ("http.route", "/api/v1/books/{id}/generate-summary"),
        ("http.response.status_code", "200"),
        ("tenant.id", llm.caller.tenant()),
        ("test.id", "run-7"),
        ("test.scenario", "smoke"),
        ("request.id", &format!("order-{parent}")),
        ("bookstore.gen_ai.cached", "false"),
        ("bookstore.gen_ai.coalesced", "false"),
    ] {
        assert_eq!(server.tag(name).as_deref(), Some(value), "{name}");
    }
    let store = kind(&trace, "client", "get books")?;
    assert_eq!(store.tag("db.system.name").as_deref(), Some("sqlite"));
    let chat = kind(&trace, "client", "chat claude-sonnet-5-5")?;
    check_chat(chat, &summary, &llm);
    for span in &trace.spans {
        ensure!(span.parent_id.is_some(), "{} hangs in the air", span.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_request_says_that_its_answer_was_there() -> anyhow::Result<()> {
    let (jaeger, llm) = traced().await?;
    let path = format!("{}/generate-summary?provider=claude", llm.book().await?);
    for cached in ["false", "true"] {
        let (id, parent) = ids();
        called(&llm, (Method::POST, &path), (&id, &parent, "01")).await?;
        let there = |trace: &Trace| trace.span("POST ").is_some();
        let trace = jaeger.trace_where(&id, "is there", there).await?;
        let tag = kind(&trace, "server", "POST ")?.tag("bookstore.gen_ai.cached");
        assert_eq!(tag.as_deref(), Some(cached));
    }
    Ok(())
}

#[tokio::test]
async fn long_texts_of_a_caller_are_cut() -> anyhow::Result<()> {
    let (jaeger, llm) = traced().await?;
    let (id, parent) = ids();
    let long = "x".repeat(60_000);
    let request = llm.caller.request(Method::GET, &format!("{BOOKS}/{long}"));
    let request = request
        .header("traceparent", format!("00-{id}-{parent}-01"))
        .header("user-agent", &long);
    llm.caller.send(request).await?.expect(400)?;
    let trace = jaeger.trace(&id).await?;
    let span = kind(&trace, "server", "GET /api/v1/books/{id}")?;
    for (name, begin) in [("url.path", BOOKS), ("user_agent.original", "xxx")] {
        let text = span.tag(name).context(name)?;
        assert!(text.starts_with(begin) && text.len() < 1_100, "{text}");
    }
    Ok(())
}

fn check_chat(chat: &Span, summary: &Value, llm: &SimulatedLlm) {
    let (usage, cost) = (&summary["usage"], &summary["cost"]);
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    for (name, value) in [
        ("gen_ai.operation.name", "chat".to_owned()),
        ("gen_ai.provider.name", "anthropic".to_owned()),
        ("gen_ai.request.model", "claude-sonnet-5-5".to_owned()),
        ("gen_ai.usage.input_tokens", text(&usage["inputTokens"])),
        ("gen_ai.usage.output_tokens", text(&usage["outputTokens"])),
        ("bookstore.gen_ai.cost.pico_usd", text(&cost["picoUsd"])),
        ("bookstore.gen_ai.cost.usd", text(&cost["usd"])),
        (
            "bookstore.gen_ai.price_version",
            text(&cost["priceVersion"]),
        ),
        ("bookstore.gen_ai.simulated", "true".to_owned()),
        ("bookstore.gen_ai.attempt", "1".to_owned()),
        ("server.address", "127.0.0.1".to_owned()),
        ("server.port", llm.simulator.address().port().to_string()),
    ] {
        assert_eq!(chat.tag(name), Some(value), "{name}");
    }
    let first = chat.tag("gen_ai.response.time_to_first_chunk");
    let first: f64 = first
        .and_then(|first| first.parse().ok())
        .unwrap_or(f64::MAX);
    let took = Duration::from_micros(chat.duration).as_secs_f64();
    assert!(
        took > first,
        "it ended after {took} s, before its first token"
    );
    let told: Vec<String> = chat.tags.values().map(Value::to_string).collect();
    let text = summary["aiGeneratedSummary"].as_str().unwrap_or("");
    assert!(
        told.iter().all(|tag| !tag.contains(text)),
        "an answer is in the trace"
    );
}

#[tokio::test]
async fn model_calls_are_traced_by_default_and_callers_decide() -> anyhow::Result<()> {
    let (jaeger, llm) = traced().await?;
    let (silent, parent) = ids();
    let path = format!("{}/generate-summary?provider=claude", llm.book().await?);
    let reply = called(&llm, (Method::POST, &path), (&silent, &parent, "00")).await?;
    assert_eq!(reply.expect(200)?.trace_id()?, silent);
    assert!(reply.header("traceresponse").ends_with("-00"));

    let reply = llm.ask(&llm.book().await?, "provider=claude").await?;
    let id = reply.expect(200)?.trace_id()?.to_owned();
    assert!(reply.header("traceresponse").ends_with("-01"));
    whole_trace(&jaeger, &id).await?;
    // What was asked for later is there, so the earlier one never comes.
    let url = format!("{}/api/traces/{silent}", jaeger.url());
    let status = test_support::http::client()?
        .get(url)
        .send()
        .await?
        .status();
    assert_eq!(status.as_u16(), 404);
    Ok(())
}

#[tokio::test]
async fn a_failed_attempt_is_a_span_with_its_error() -> anyhow::Result<()> {
    let (jaeger, llm) = traced().await?;
    let book = llm.book().await?;
    llm.break_by(&json!([{"times": 1, "fault": {"status": {"code": 503}}}]))?;
    let reply = llm.ask(&book, "provider=claude").await?;
    let id = reply.expect(200)?.trace_id()?.to_owned();
    let chats = |trace: &Trace| {
        let chats = trace
            .spans
            .iter()
            .filter(|span| span.name.starts_with("chat "));
        chats.cloned().collect::<Vec<_>>()
    };
    let trace = jaeger
        .trace_where(&id, "has both attempts", |trace| chats(trace).len() == 2)
        .await?;
    let mut attempts: Vec<_> = chats(&trace)
        .iter()
        .map(|span| {
            (
                span.tag("bookstore.gen_ai.attempt"),
                span.tag("error.type"),
                span.tag("bookstore.gen_ai.retry.reason"),
            )
        })
        .collect();
    attempts.sort();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        attempts,
        [
            (text("1"), text("upstream"), None),
            (text("2"), None, text("upstream"))
        ]
    );
    Ok(())
}

/// The first line of the log with this field.
pub(crate) async fn logged(api: &TestApi, field: &str, value: &str) -> anyhow::Result<Value> {
    wait::until("the request's line", LOG_DEADLINE, async || {
        let log = api.process().log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut lines = lines.filter(|line| line[field] == value);
        lines.next().context("no line")
    })
    .await
}

#[tokio::test]
async fn the_log_has_the_ids_of_the_reply() -> anyhow::Result<()> {
    let api = Setup::default().start().await?;
    let caller = api.caller()?;
    let request = caller
        .request(Method::POST, BOOKS)
        .header("X-Correlation-ID", "order-4711");
    let reply = caller.send(request.json(&json!({"price": -1}))).await?;
    let problem = reply.problem(400)?;
    assert_eq!(problem.member("instance"), "order-4711");
    assert_eq!(reply.header("x-request-id"), "order-4711");
    let line = logged(&api, "request.id", "order-4711").await?;
    for (name, value) in [
        ("trace_id", json!(problem.member("traceId"))),
        ("service.name", json!("bookstore-api")),
        ("level", json!("INFO")),
        ("http.route", json!("/api/v1/books")),
        ("http.response.status_code", json!(400)),
    ] {
        assert_eq!(line[name], value, "{name}: {line}");
    }
    assert!(
        line["timestamp"].is_string() && line["message"].is_string(),
        "{line}"
    );
    assert!(line["duration_ms"].is_f64(), "{line}");
    Ok(())
}

#[tokio::test]
async fn every_line_of_the_log_is_json_without_secrets() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start_with(Setup::default().with("RUST_LOG", "debug")).await?;
    let body = json!({"title": "T", "author": "A", "description": "canary-in-a-book"});
    let created = llm.caller.create(BOOKS, &body).await?;
    let book = crate::caller::address(BOOKS, &created)?;
    llm.summary(&book, "provider=claude").await?;
    llm.break_by(&json!([{"fault": {"status": {"code": 401}}}]))?;
    llm.ask(&book, "provider=claude&refresh=true")
        .await?
        .problem(502)?;
    llm.caller
        .get(&format!("{BOOKS}/{NO_ID}?token=canary-in-a-query"))
        .await?
        .problem(404)?;
    llm.api.terminate().await?;
    let log = llm.api.process().log();
    assert!(log.lines().count() > 5, "{log}");
    for line in log.lines() {
        serde_json::from_str::<Value>(line).with_context(|| line.to_owned())?;
        for secret in ["sk-test-key", "canary-in"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_collector_that_is_not_there_costs_nothing() -> anyhow::Result<()> {
    let nobody = format!("http://127.0.0.1:{}", port::free()?);
    let setup = Setup::default()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", nobody)
        .with("BOOKSTORE_TRACE_SAMPLING", "catalogue=1,ai=1,ops=1");
    let api = setup.start().await?;
    let caller = api.caller()?;
    let mut times = Vec::new();
    for n in 0..50 {
        let began = std::time::Instant::now();
        caller.create_book(&format!("Book {n}")).await?;
        times.push(began.elapsed());
    }
    times.sort();
    assert!(times[25] < Duration::from_millis(200), "{times:?}");
    assert!(api.terminate().await?.success());
    Ok(())
}
