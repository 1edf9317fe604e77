//! The time that the LLM layer adds to a call that the simulator answers at once.
//!
//! In one run and in turn: a bare HTTP/1.1 client that sends the same bytes and reads the reply
//! without understanding it, the layer with a span, the layer without one, and a stream. The layer
//! includes writing and reading JSON, the price, the ledger, metrics and, where said, the span.
//! The simulator runs on a thread of its own; the exporter's collector does not answer.

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use instrumentation::{LogFormat, Telemetry, TelemetryConfig};
use llm::{CallContext, ChatRequest, Ledger, Llm, LlmConfig, LlmProvider, Message, PriceCatalogue};
use service_defaults::environment::Environment;
use tenancy::TenantId;
use test_support::llm_simulator::{Profile, Simulator, SimulatorConfig};
use tokio::net::{TcpListener, TcpStream};
use tracing::Instrument;

/// Calls of each kind before the first that counts.
const WARM_UP: usize = 500;

/// Calls of each kind that count.
const CALLS: usize = 5_000;

/// What the layer may add to a call: the median, and the 99th percentile.
const TARGETS: [(f64, Duration); 2] = [
    (0.50, Duration::from_micros(100)),
    (0.99, Duration::from_micros(500)),
];

/// The bare client's request: the same length as the layer's, within a few bytes.
const BARE_BODY: &str = r#"{"model":"claude-sonnet-5-5","max_tokens":300,"system":"You summarise books.","messages":[{"role":"user","content":"Summarise The Great Gatsby in two sentences."}],"stream":false}"#;

fn main() -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let (address, simulator) = std::sync::mpsc::channel();
    std::thread::spawn(move || serve_simulator(&address));
    let address = simulator.recv().context("the simulator did not start")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure(address))
}

fn serve_simulator(address: &std::sync::mpsc::Sender<std::net::SocketAddr>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let config = SimulatorConfig {
            profile: Profile::instant(),
            ..SimulatorConfig::standard()
        };
        let running = Simulator::build(config).spawn(listener)?;
        address.send(running.address())?;
        std::future::pending::<anyhow::Result<()>>().await
    })
}

async fn measure(simulator: std::net::SocketAddr) -> anyhow::Result<()> {
    let _telemetry = Telemetry::start(&TelemetryConfig {
        service_name: "overhead".to_owned(),
        service_version: "0",
        environment: "bench".to_owned(),
        otlp_endpoint: Some("http://127.0.0.1:9".to_owned()),
        log_filter: "off".to_owned(),
        log_format: LogFormat::Json,
    })?;
    let directory = tempfile::tempdir()?;
    let ledger = Arc::new(Ledger::open(&directory.path().join("ledger.db"))?);
    let llm = build(simulator, &ledger)?;
    let claude = llm.select(None)?;
    let mut bare = connect(simulator).await?;

    let mut times: [Vec<Duration>; 4] = Default::default();
    for round in 0..WARM_UP + CALLS {
        let taken = [
            bare_call(&mut bare).await?,
            layered_call(&*claude, tracing::info_span!("request")).await?,
            layered_call(&*claude, tracing::Span::none()).await?,
            streamed_call(&*claude).await?,
        ];
        if round >= WARM_UP {
            for (kind, time) in times.iter_mut().zip(taken) {
                kind.push(time);
            }
        }
    }
    ledger.close().await?;
    report(&mut times)
}

fn build(simulator: std::net::SocketAddr, ledger: &Arc<Ledger>) -> anyhow::Result<Llm> {
    let pairs = [
        ("LLM_PROVIDER", "claude".to_owned()),
        ("ANTHROPIC_API_KEY", "simulated".to_owned()),
        ("ANTHROPIC_BASE_URL", format!("http://{simulator}")),
        ("BOOKSTORE_SIMULATED_PROVIDERS", "claude".to_owned()),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    let config = LlmConfig::read(&mut Environment::of_pairs(pairs));
    let prices = Arc::new(PriceCatalogue::built_in()?);
    Ok(Llm::build(&config, ledger, &prices)?)
}

async fn connect(simulator: std::net::SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(simulator).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn bare_call(sender: &mut SendRequest<Full<Bytes>>) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let request = hyper::Request::post("/v1/messages")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("x-api-key", "simulated")
        .header("anthropic-version", "2023-06-01")
        .body(Full::new(Bytes::from_static(BARE_BODY.as_bytes())))?;
    let response = sender.send_request(request).await?;
    anyhow::ensure!(response.status().is_success(), "{}", response.status());
    response.into_body().collect().await?;
    Ok(begun.elapsed())
}

async fn layered_call(
    provider: &dyn LlmProvider,
    parent: tracing::Span,
) -> anyhow::Result<Duration> {
    let request = request();
    let begun = Instant::now();
    let response = provider.complete(&request).instrument(parent).await?;
    let taken = begun.elapsed();
    anyhow::ensure!(response.cost.is_some(), "unpriced");
    Ok(taken)
}

async fn streamed_call(provider: &dyn LlmProvider) -> anyhow::Result<Duration> {
    let request = request();
    let begun = Instant::now();
    let mut events = provider.stream(&request).await?;
    let mut count: u32 = 0;
    while let Some(event) = events.next().await {
        event?;
        count += 1;
    }
    anyhow::ensure!(count > 2, "an empty stream");
    Ok(begun.elapsed() / count)
}

fn request() -> ChatRequest {
    ChatRequest {
        model: None,
        system: Some("You summarise books.".to_owned()),
        messages: vec![Message::user(
            "Summarise The Great Gatsby in two sentences.",
        )],
        max_tokens: 300,
        temperature: None,
        context: CallContext::new(TenantId::development(), "summary", None),
    }
}

fn report(times: &mut [Vec<Duration>; 4]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for kind in times.iter_mut() {
        kind.sort_unstable();
    }
    let [bare, sampled, unsampled, event] = times;
    for (percentile, target) in TARGETS {
        let floor = quantile(bare, percentile);
        let sampled = quantile(sampled, percentile).saturating_sub(floor);
        let unsampled = quantile(unsampled, percentile).saturating_sub(floor);
        let verdict = if sampled <= target { "met" } else { "missed" };
        writeln!(
            out,
            "llm overhead p{:.0}: {sampled:?} with a span, {unsampled:?} without, over {floor:?} \
             of a bare client; target {target:?} {verdict}",
            percentile * 100.0
        )?;
    }
    let per_event = quantile(event, 0.5);
    writeln!(
        out,
        "llm stream: {per_event:?} per event, simulator included"
    )?;
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index below a few thousand"
)]
fn quantile(sorted: &[Duration], quantile: f64) -> Duration {
    let rank = (sorted.len() as f64 * quantile).ceil() as usize;
    let index = rank.saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}
