//! Jaeger gives back the span that it was sent; Prometheus scrapes a real
//! endpoint, exemplars included.

use serde_json::json;
use test_support::{http, jaeger, prometheus};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const ROOT: &str = "b7ad6b7169203331";
const CHILD: &str = "00f067aa0ba902b7";

fn span(id: &str, parent: &str, name: &str, kind: u8) -> serde_json::Value {
    json!({
        "traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": kind,
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000002000000",
        "attributes": [{"key": "answer", "value": {"intValue": "42"}}],
    })
}

#[tokio::test]
async fn jaeger_gives_back_a_trace_that_grows() -> anyhow::Result<()> {
    let jaeger = jaeger().await?;
    let client = http::client()?;
    for part in [
        span(ROOT, "", "GET /books", 2),
        span(CHILD, ROOT, "find books", 3),
    ] {
        let resource = json!({"attributes": [
            {"key": "service.name", "value": {"stringValue": "bookstore-api"}}]});
        let body = json!({"resourceSpans": [
            {"resource": resource, "scopeSpans": [{"spans": [part]}]}]});
        let url = format!("{}/v1/traces", jaeger.otlp_http_endpoint());
        client
            .post(url)
            .json(&body)
            .send()
            .await?
            .error_for_status()?;
    }

    let trace = jaeger
        .trace_where(TRACE, "has both spans", |it| it.spans.len() == 2)
        .await?;
    let root = trace.span("GET").expect("the root");
    let child = trace.span("find").expect("the child");
    assert_eq!(
        (root.parent_id.as_deref(), child.parent_id.as_deref()),
        (None, Some(ROOT))
    );
    assert_eq!(root.service, "bookstore-api");
    assert_eq!(root.duration, 2_000);
    assert_eq!(root.tag("answer").as_deref(), Some("42"));
    assert_eq!(child.tag("span.kind").as_deref(), Some("client"));
    assert_eq!(jaeger.trace(TRACE).await?.spans.len(), 2);
    Ok(())
}

/// Answers every request with one metric that has an exemplar.
async fn serve_metrics(listener: TcpListener) -> anyhow::Result<()> {
    let text = format!(
        "# TYPE wait_seconds histogram\n\
         wait_seconds_bucket{{le=\"1.0\"}} 3 # {{trace_id=\"{TRACE}\"}} 0.25\n\
         wait_seconds_bucket{{le=\"+Inf\"}} 3\nwait_seconds_sum 1.5\nwait_seconds_count 3\n# EOF\n"
    );
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let length = text.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    loop {
        let (mut connection, _) = listener.accept().await?;
        let mut request = [0; 4_096];
        if connection.read(&mut request).await? > 0 {
            connection.write_all(head.as_bytes()).await?;
            connection.write_all(text.as_bytes()).await?;
        }
    }
}

#[tokio::test]
async fn prometheus_scrapes_values_and_exemplars() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let server = tokio::spawn(serve_metrics(listener));

    let prometheus = prometheus(&[("shop", &address)]).await?;
    let found = prometheus
        .query_until_found("wait_seconds_sum / wait_seconds_count")
        .await?;
    assert_eq!(found.len(), 1);
    assert!((found[0].value - 0.5).abs() < f64::EPSILON);
    assert_eq!(found[0].labels["job"], "shop");

    let exemplars = prometheus.exemplars("wait_seconds_bucket").await?;
    assert_eq!(exemplars.len(), 1);
    assert_eq!(exemplars[0].labels["trace_id"], TRACE);
    assert_eq!(exemplars[0].series["le"], "1.0");

    assert!(prometheus.query("no_such_metric").await?.is_empty());
    let refusal = prometheus.query("sum(").await.unwrap_err();
    assert!(
        format!("{refusal:#}").contains("parse error"),
        "{refusal:#}"
    );
    server.abort();
    Ok(())
}
