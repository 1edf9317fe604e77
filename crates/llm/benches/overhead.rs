//! The time that the LLM layer adds to a call that the simulator answers at once.
//!
//! In one run and in turn, one call at a time: a bare HTTP/1.1 client that sends the same bytes and
//! reads the reply without understanding it, and the layer, whole and streamed. The layer includes
//! writing and reading JSON, the price, the ledger, metrics, and a span that goes to a collector,
//! as every call has by default. It has a core to itself; the simulator and the collector share
//! another one.
//!
//! Each row is five fields between tabs: what, value, bar, ratio to it, verdict; other lines are
//! notes. A missed bar is a result, no error.

use std::{
    io::Write,
    net::SocketAddr,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use instrumentation::{LogFormat, Telemetry, TelemetryConfig};
use llm::{
    Budgets, CallContext, ChatRequest, Ledger, Llm, LlmConfig, LlmProvider, Message, Prices,
};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use service_defaults::environment::Environment;
use tenancy::TenantId;
use test_support::{
    Jaeger, jaeger,
    llm_simulator::{Profile, Simulator, SimulatorConfig},
};
use tokio::net::{TcpListener, TcpStream};
use tracing::Instrument;

/// Calls of each kind in a block. A result is the median over the blocks, so that a disturbance of
/// the machine spoils blocks, not the result.
const BLOCK: usize = 500;

/// Blocks, the first of which does not count: connections, caches and the ledger's file are warm.
const BLOCKS: usize = 12;

/// What the layer may add to a call, in microseconds: the median, and the 99th percentile.
const BARS: [(f64, f64); 2] = [(0.50, 100.0), (0.99, 500.0)];

/// The kinds of calls, in the order in which they take turns.
const KINDS: usize = 5;

/// The bare client's requests: the same length as the layer's, within a few bytes.
const WHOLE: &str = r#"{"model":"claude-sonnet-5-5","max_tokens":300,"system":"You summarise books.","messages":[{"role":"user","content":"Summarise The Great Gatsby in two sentences."}],"stream":false}"#;
const STREAMED: &str = r#"{"model":"claude-sonnet-5-5","max_tokens":300,"system":"You summarise books.","messages":[{"role":"user","content":"Summarise The Great Gatsby in two sentences."}],"stream":true}"#;

/// The time of each call of a block, by kind.
type Times = [Vec<Duration>; KINDS];

fn main() -> anyhow::Result<()> {
    if !wanted()? {
        return Ok(());
    }
    drop(rustls::crypto::ring::default_provider().install_default());
    let [own, others] = two_cores()?;
    let (started, others_started) = mpsc::channel();
    std::thread::spawn(move || {
        if let Err(failure) = run_others(others, &started) {
            drop(started.send(Err(failure)));
        }
    });
    let (simulator, collector) = others_started.recv().context("nobody to ask")??;
    pin(own)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure(simulator, collector))
}

/// Whether `--filter TEXT` asks for this bench; its calls have a number, so other options of
/// `make bench` do not matter.
fn wanted() -> anyhow::Result<bool> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--filter");
    if arguments.next().is_none() {
        return Ok(true);
    }
    let filter = arguments.next().context("--filter needs a value")?;
    let rows = ["", ", streamed"].map(|kind| format!("LLM layer{kind}, added p50 p99"));
    Ok(rows
        .iter()
        .any(|row| row.to_lowercase().contains(&filter.to_lowercase())))
}

/// Two of the cores that this process may use.
fn two_cores() -> anyhow::Result<[usize; 2]> {
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let mut usable = (0..CpuSet::count()).filter(|&core| matches!(allowed.is_set(core), Ok(true)));
    let cores = usable.next().zip(usable.next());
    let (one, other) = cores.context("two cores are needed")?;
    Ok([one, other])
}

/// Moves this thread, and what it starts from here on, to a core.
fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

type Others = anyhow::Result<(SocketAddr, String)>;

/// Serves the simulator, beside a collector of traces, until the process ends.
fn run_others(core: usize, started: &mpsc::Sender<Others>) -> anyhow::Result<()> {
    pin(core)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let collector: Jaeger = jaeger().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let config = SimulatorConfig {
            profile: Profile::instant(),
            ..SimulatorConfig::standard()
        };
        let running = Simulator::build(config).spawn(listener)?;
        started.send(Ok((running.address(), collector.otlp_endpoint())))?;
        std::future::pending::<anyhow::Result<()>>().await
    })
}

async fn measure(simulator: SocketAddr, collector: String) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&TelemetryConfig {
        service_name: "overhead".to_owned(),
        service_version: "0",
        environment: "bench".to_owned(),
        otlp_endpoint: Some(collector),
        log_filter: "warn".to_owned(),
        log_format: LogFormat::Json,
    })?;
    let directory = tempfile::tempdir()?;
    let ledger = Arc::new(Ledger::open(&directory.path().join("ledger.db"))?);
    let llm = build(simulator, &ledger)?;
    let claude = llm.select(None)?;
    let mut bare = connect(simulator).await?;
    let mut blocks: Vec<Times> = Vec::with_capacity(BLOCKS);
    for _ in 0..BLOCKS {
        let mut times = Times::default();
        for _ in 0..BLOCK {
            let taken = [
                bare_call(&mut bare, WHOLE).await?,
                layered_call(&*claude, tracing::info_span!("request")).await?,
                layered_call(&*claude, tracing::Span::none()).await?,
                bare_call(&mut bare, STREAMED).await?,
                streamed_call(&*claude, tracing::info_span!("request")).await?,
            ];
            for (kind, time) in times.iter_mut().zip(taken) {
                kind.push(time);
            }
        }
        blocks.push(times);
    }
    ledger.close().await?;
    telemetry.shutdown().await;
    blocks.remove(0);
    report(&mut blocks)
}

fn build(simulator: SocketAddr, ledger: &Arc<Ledger>) -> anyhow::Result<Llm> {
    let pairs = [
        ("LLM_PROVIDER", "claude".to_owned()),
        ("ANTHROPIC_API_KEY", "simulated".to_owned()),
        ("ANTHROPIC_BASE_URL", format!("http://{simulator}")),
        ("BOOKSTORE_SIMULATED_PROVIDERS", "claude".to_owned()),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    let config = LlmConfig::read(&mut Environment::of_pairs(pairs));
    let prices = Arc::new(Prices::load(None)?);
    let budgets = Arc::new(Budgets::none(ledger));
    Ok(Llm::build(&config, ledger, &prices, &budgets)?)
}

async fn connect(simulator: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(simulator).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn bare_call(
    sender: &mut SendRequest<Full<Bytes>>,
    body: &'static str,
) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let request = hyper::Request::post("/v1/messages")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("x-api-key", "simulated")
        .header("anthropic-version", "2023-06-01")
        .body(Full::new(Bytes::from_static(body.as_bytes())))?;
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

async fn streamed_call(
    provider: &dyn LlmProvider,
    parent: tracing::Span,
) -> anyhow::Result<Duration> {
    let request = request();
    let begun = Instant::now();
    let count = async {
        let mut events = provider.stream(&request).await?;
        let mut count: u32 = 0;
        while let Some(event) = events.next().await {
            event?;
            count += 1;
        }
        anyhow::Ok(count)
    };
    let count = count.instrument(parent).await?;
    let taken = begun.elapsed();
    anyhow::ensure!(count > 2, "an empty stream");
    Ok(taken)
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

fn report(blocks: &mut [Times]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for kind in blocks.iter_mut().flatten() {
        kind.sort_unstable();
    }
    for (name, bare, ours) in [("", 0, 1), (", streamed", 3, 4)] {
        for (percentile, bar) in BARS {
            let (floor, added) = added(blocks, percentile, bare, ours);
            let verdict = if added <= bar { "met" } else { "MISSED" };
            let ratio = added / bar;
            writeln!(
                out,
                "LLM layer{name}, added p{:.0}\t{added:.1} µs over {floor:.1} µs\t<= {bar} µs\t{ratio:.3}\t{verdict}",
                percentile * 100.0
            )?;
        }
    }
    let (_, unsampled) = added(blocks, 0.5, 0, 2);
    writeln!(
        out,
        "LLM layer: without a span it adds {unsampled:.1} µs at the median"
    )?;
    Ok(())
}

/// The bare client's time at a percentile and what another kind of call takes more, both as the
/// median over the blocks, in microseconds.
fn added(blocks: &[Times], percentile: f64, bare: usize, ours: usize) -> (f64, f64) {
    let at = |times: &Times, kind: usize| quantile(&times[kind], percentile).as_secs_f64() * 1e6;
    let floor = median(blocks.iter().map(|times| at(times, bare)));
    let more = blocks.iter().map(|times| at(times, ours) - at(times, bare));
    (floor, median(more))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
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
