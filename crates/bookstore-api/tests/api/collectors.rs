//! Several collectors at once, and what becomes of requests when they fail.

use std::time::{Duration, Instant};

use anyhow::ensure;
use axum::{Router, body::Bytes, extract::State, routing::post};
use http::{HeaderMap, StatusCode};
use test_support::{
    fault_proxy::{Behaviour, Mode},
    jaeger, wait,
};
use tokio::{net::TcpListener, sync::mpsc};

use crate::{llm_fixture::SimulatedLlm, telemetry::whole_trace, test_api::Setup};

/// An export is given up after this; no request may wait for it.
const EXPORT: Duration = Duration::from_secs(3);

/// The rest is room for a busy machine.
const DROP_DEADLINE: Duration = Duration::from_secs(30);

/// A span waits half a second for company; the rest is room for a busy machine.
const ARRIVAL: Duration = Duration::from_secs(5);

const SAMPLED: (&str, &str) = ("BOOKSTORE_TRACE_SAMPLING", "catalogue=1,ai=1,ops=1");

type Taken = (HeaderMap, Bytes);

/// A collector that keeps what it is sent to `/v1/traces`; its address.
async fn collector() -> anyhow::Result<(String, mpsc::Receiver<Taken>)> {
    let (sender, taken) = mpsc::channel(100);
    let take =
        async |State(sender): State<mpsc::Sender<Taken>>, headers: HeaderMap, body: Bytes| {
            match sender.try_send((headers, body)) {
                Ok(()) => StatusCode::OK,
                Err(_) => StatusCode::TOO_MANY_REQUESTS,
            }
        };
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, taken))
}

#[tokio::test]
async fn every_collector_gets_the_trace_and_its_own_key() -> anyhow::Result<()> {
    let (grpc, http) = (jaeger().await?, jaeger().await?);
    let (traceloop, mut taken) = collector().await?;
    let setup = Setup::default()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", grpc.otlp_endpoint())
        .with("BOOKSTORE_OTLP_HTTP_ENDPOINT", http.otlp_http_endpoint())
        .with("BOOKSTORE_OTLP_HTTP_HEADERS", "x-key=canary-of-another")
        .with("TRACELOOP_BASE_URL", traceloop)
        .with("TRACELOOP_API_KEY", "canary-of-traceloop")
        .with("RUST_LOG", "debug");
    let llm = SimulatedLlm::start_with(setup).await?;
    let reply = llm.ask(&llm.book().await?, "provider=claude").await?;
    let id = reply.expect(200)?.trace_id()?.to_owned();
    for jaeger in [&grpc, &http] {
        let trace = whole_trace(jaeger, &id).await?;
        assert!(
            trace
                .spans
                .iter()
                .all(|span| span.service == "bookstore-api")
        );
    }
    let sent = tokio::time::timeout(DROP_DEADLINE, taken.recv()).await?;
    let (headers, body) = sent.expect("the collector lives");
    assert_eq!(headers["authorization"], "Bearer canary-of-traceloop");
    assert!(!headers.contains_key("x-key"));
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert!(!body.is_empty());
    let metrics = llm.caller.get("/metrics").await?.text();
    llm.api.terminate().await?;
    for shown in [metrics, llm.api.process().log()] {
        assert!(!shown.contains("canary"), "a key is shown");
    }
    Ok(())
}

#[tokio::test]
async fn a_silent_collector_costs_requests_nothing_and_its_losses_are_counted() -> anyhow::Result<()>
{
    let jaeger = jaeger().await?;
    let upstream = jaeger.otlp_endpoint().replace("http://", "");
    let proxy = test_support::fault_proxy(upstream)?;
    proxy.set(Behaviour::mode(Mode::Silent));
    let endpoint = format!("http://{}", proxy.address());
    let setup = Setup::default()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .with(SAMPLED.0, SAMPLED.1);
    let llm = SimulatedLlm::start_with(setup).await?;
    let book = llm.book().await?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        llm.caller.get(&book).await?.expect(200)?;
        times.push(began.elapsed());
    }
    times.sort();
    assert!(times[100] < Duration::from_millis(50), "{times:?}");
    assert!(times[199] < EXPORT, "{times:?}");
    let labels = ["exporter=\"otlp_grpc\"", "reason=\"export_failed\""];
    wait::until("the losses are counted", DROP_DEADLINE, async || {
        let lost = llm.counted("bookstore_telemetry_dropped_spans_total", &labels);
        let lost = lost.await?;
        ensure!(lost > 0.0, "none");
        Ok(())
    })
    .await?;

    proxy.heal();
    wait::until("a trace arrives again", DROP_DEADLINE, async || {
        let reply = llm.caller.get(&book).await?;
        tokio::time::timeout(ARRIVAL, jaeger.trace(reply.trace_id()?)).await??;
        Ok(())
    })
    .await?;
    Ok(())
}
