//! Which traces are kept that nobody asked for at their beginning: failed and slow requests.

use http::Method;
use serde_json::json;
use test_support::{
    Jaeger,
    jaeger::{Span, Trace},
};

use crate::{
    llm_fixture::SimulatedLlm,
    telemetry::{called, ids, kind, logged, traced_with, whole_trace},
};

const NOTHING_SAMPLED: (&str, &str) = ("BOOKSTORE_TRACE_SAMPLING", "catalogue=0,ai=0,ops=0");

async fn unsampled(slow: &str) -> anyhow::Result<(Jaeger, SimulatedLlm)> {
    traced_with(&[NOTHING_SAMPLED, ("BOOKSTORE_TRACE_SLOW", slow)]).await
}

/// Whether Jaeger has nothing of a trace. What was sent later must have arrived before.
async fn is_unknown(jaeger: &Jaeger, id: &str) -> anyhow::Result<bool> {
    let url = format!("{}/api/traces/{id}", jaeger.url());
    let reply = test_support::http::client()?.get(url).send().await?;
    Ok(reply.status().as_u16() == 404)
}

fn check(span: &Span, tags: &[(&str, &str)]) {
    for (name, value) in tags {
        assert_eq!(span.tag(name).as_deref(), Some(*value), "{name}");
    }
}

#[tokio::test]
async fn a_failure_is_told_by_one_span() -> anyhow::Result<()> {
    let (jaeger, llm) = unsampled("catalogue=off,ai=off").await?;
    let (well, parent) = ids();
    let path = "/api/v1/errortest/404";
    let reply = called(&llm, (Method::GET, path), (&well, &parent, "00")).await?;
    assert!(reply.expect(404)?.header("traceresponse").ends_with("-00"));

    let (failed, parent) = ids();
    let path = "/api/v1/errortest/503";
    let reply = called(&llm, (Method::GET, path), (&failed, &parent, "00")).await?;
    let header = reply.expect(503)?.header("traceresponse").to_owned();
    let trace = jaeger.trace(&failed).await?;
    let span = kind(&trace, "server", "GET /api/v1/errortest/{code}")?;
    assert_eq!(header, format!("00-{failed}-{}-01", span.id));
    assert_eq!(span.parent_id.as_deref(), Some(parent.as_str()));
    assert_eq!(span.service, "bookstore-api");
    check(
        span,
        &[
            ("http.response.status_code", "503"),
            ("error.type", "503"),
            ("error", "true"),
            ("url.path", path),
            ("tenant.id", llm.caller.tenant()),
            ("bookstore.trace.kept_for", "fault"),
            ("test.id", "run-7"),
            ("test.scenario", "smoke"),
            ("request.id", &format!("order-{parent}")),
        ],
    );
    assert!(is_unknown(&jaeger, &well).await?);
    let line = logged(&llm.api, "trace_id", &failed).await?;
    assert_eq!(line["span_id"], span.id.as_str());
    Ok(())
}

#[tokio::test]
async fn a_slow_read_is_told_by_one_span() -> anyhow::Result<()> {
    let (jaeger, llm) = unsampled("catalogue=1us").await?;
    let book = llm.book().await?;
    let reply = llm.caller.get(&book).await?;
    let id = reply.expect(200)?.trace_id()?;
    let trace = jaeger.trace(id).await?;
    assert_eq!(trace.spans.len(), 1);
    let span = kind(&trace, "server", "GET /api/v1/books/{id}")?;
    check(span, &[("bookstore.trace.kept_for", "slow")]);
    Ok(())
}

#[tokio::test]
async fn a_summary_keeps_its_whole_trace_if_anything_in_it_failed() -> anyhow::Result<()> {
    let (jaeger, llm) = unsampled("catalogue=off,ai=off").await?;
    let book = llm.book().await?;
    let path = format!("{book}/generate-summary?provider=claude&refresh=true");
    let (well, parent) = ids();
    let reply = called(&llm, (Method::POST, &path), (&well, &parent, "00")).await?;
    assert!(reply.expect(200)?.header("traceresponse").ends_with("-00"));

    llm.break_by(&json!([{"times": 1, "fault": {"status": {"code": 503}}}]))?;
    let (repaired, parent) = ids();
    let reply = called(&llm, (Method::POST, &path), (&repaired, &parent, "00")).await?;
    // With the reply's head nobody knows yet.
    assert!(reply.expect(200)?.header("traceresponse").ends_with("-00"));
    let both = |trace: &Trace| {
        let chats = trace
            .spans
            .iter()
            .filter(|span| span.name.starts_with("chat "));
        chats.count() == 2 && trace.span("POST ").is_some()
    };
    let trace = jaeger
        .trace_where(&repaired, "has both attempts", both)
        .await?;
    let server = kind(&trace, "server", "POST ")?;
    assert_eq!(server.parent_id.as_deref(), Some(parent.as_str()));
    for span in trace.spans.iter().filter(|span| span.id != server.id) {
        assert_eq!(span.parent_id.as_deref(), Some(server.id.as_str()));
    }
    assert!(is_unknown(&jaeger, &well).await?);
    Ok(())
}

#[tokio::test]
async fn a_slow_summary_keeps_its_whole_trace() -> anyhow::Result<()> {
    let (jaeger, llm) = unsampled("ai=1us").await?;
    let reply = llm.ask(&llm.book().await?, "provider=claude").await?;
    let id = reply.expect(200)?.trace_id()?;
    let trace = whole_trace(&jaeger, id).await?;
    let server = kind(&trace, "server", "POST ")?;
    check(server, &[("bookstore.trace.kept_for", "slow")]);
    Ok(())
}
