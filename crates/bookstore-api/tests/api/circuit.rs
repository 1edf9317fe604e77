//! A failing provider is left alone, and that can be seen.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::{jaeger, wait};

use crate::{caller::BOOKS, event_stream, llm_fixture::SimulatedLlm, test_api::Setup};

/// Faults in a row that open a circuit, by default.
const FAULTS: usize = 5;

/// Long beside the times below, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// An API that tries each call once and leaves a failing model alone for `open`.
fn setup(open: &str) -> Setup {
    Setup::default()
        .with("BOOKSTORE_LLM_ATTEMPTS", "1")
        .with("BOOKSTORE_LLM_CIRCUIT_OPEN", open)
}

/// Fails Claude's configured model until its circuit opens; the last failure's trace.
async fn open_circuit(llm: &SimulatedLlm, book: &str) -> anyhow::Result<String> {
    llm.break_by(&json!([{"fault": {"status": {"code": 500}}}]))?;
    let mut trace = String::new();
    for number in 1..=FAULTS {
        ensure!(circuit(llm, "claude").await? == "closed", "before {number}");
        let reply = llm.ask(book, "provider=claude").await?;
        reply.problem(502)?;
        trace = reply.trace_id()?.to_owned();
    }
    Ok(trace)
}

/// The state of a provider's circuit in the list of providers.
async fn circuit(llm: &SimulatedLlm, name: &str) -> anyhow::Result<String> {
    let list = llm.caller.read(&format!("{BOOKS}/llm-providers")).await?;
    let providers = list["providers"].as_array().context("providers")?;
    let provider = providers.iter().find(|provider| provider["name"] == name);
    let state = provider.context("the provider")?["circuit"].as_str();
    Ok(state.context("its circuit")?.to_owned())
}

#[tokio::test]
async fn five_faults_open_it_for_this_model_only() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start_with(setup("1m")).await?;
    let book = llm.book().await?;
    open_circuit(&llm, &book).await?;
    let asked = llm.metered().calls;
    llm.break_by(&json!([]))?;
    for _ in 0..3 {
        let reply = llm.ask(&book, "provider=claude").await?;
        let problem = reply.problem(503)?;
        assert_eq!(problem.member("type"), "/problems/circuit-open");
        assert!(problem.member("detail").contains("claude"), "{problem:?}");
        let seconds: u64 = reply.header("retry-after").parse()?;
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    assert_eq!(llm.metered().calls, asked, "the provider is not asked");
    assert_eq!(circuit(&llm, "claude").await?, "open");
    assert_eq!(circuit(&llm, "ollama").await?, "closed");

    llm.summary(&book, "provider=claude&model=claude-haiku-4-5")
        .await?;
    llm.summary(&book, "provider=ollama").await?;
    for (family, labels, expected) in [
        ("bookstore_gen_ai_circuit_state", "anthropic", 2.0),
        ("bookstore_gen_ai_circuit_state", "ollama", 0.0),
        ("bookstore_gen_ai_refusals_total", "circuit_open", 3.0),
    ] {
        let counted: f64 = llm.counted(family, &[labels]).await?;
        assert!((counted - expected).abs() < 0.5, "{family} {counted}");
    }
    Ok(())
}

#[tokio::test]
async fn a_probe_opens_it_again_or_closes_it() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start_with(setup("300ms")).await?;
    let book = llm.book().await?;
    open_circuit(&llm, &book).await?;
    half_open(&llm).await?;
    llm.ask(&book, "provider=claude").await?.problem(502)?;
    llm.ask(&book, "provider=claude").await?.problem(503)?;

    llm.break_by(&json!([]))?;
    half_open(&llm).await?;
    llm.summary(&book, "provider=claude").await?;
    assert_eq!(circuit(&llm, "claude").await?, "closed");
    llm.summary(&book, "provider=claude&refresh=true").await?;
    Ok(())
}

#[tokio::test]
async fn without_calls_its_metric_and_the_list_say_when_the_next_one_may_try() -> anyhow::Result<()>
{
    let llm = SimulatedLlm::start_with(setup("500ms")).await?;
    let book = llm.book().await?;
    open_circuit(&llm, &book).await?;
    wait::until("the gauge is half open", PATIENCE, async || {
        let state = "bookstore_gen_ai_circuit_state";
        let shown: f64 = llm.counted(state, &["anthropic"]).await?;
        ensure!((shown - 1.0).abs() < 0.5, "it is {shown}");
        Ok(())
    })
    .await?;
    assert_eq!(circuit(&llm, "claude").await?, "half_open");
    assert_eq!(llm.metered().calls, u64::try_from(FAULTS)?);
    Ok(())
}

async fn half_open(llm: &SimulatedLlm) -> anyhow::Result<()> {
    wait::until("the circuit is half open", PATIENCE, async || {
        let state = circuit(llm, "claude").await?;
        ensure!(state == "half_open", "it is {state}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn its_change_is_an_event_of_the_trace_and_a_line_of_the_log() -> anyhow::Result<()> {
    let jaeger = jaeger().await?;
    let setup = setup("1m").with("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint());
    let llm = SimulatedLlm::start_with(setup).await?;
    let book = llm.book().await?;
    let id = open_circuit(&llm, &book).await?;
    let trace = jaeger
        .trace_where(&id, "has its root", |trace| trace.span("POST ").is_some())
        .await?;
    let events = &trace.span("POST ").context("the root")?.events;
    let event = events
        .iter()
        .find(|event| event["event"] == "bookstore.gen_ai.circuit.change");
    let event = event.with_context(|| format!("{events:?}"))?;
    assert_eq!(event["bookstore.gen_ai.circuit.state"], "open");
    assert_eq!(event["gen_ai.request.model"], "claude-sonnet-5-5");
    let line = wait::until("the line", PATIENCE, async || {
        let log = llm.api.process().log();
        let lines = log.lines().map(serde_json::from_str::<Value>);
        let mut lines = lines.filter_map(Result::ok);
        let line = lines.find(|line| {
            let message = line["message"].as_str();
            message.is_some_and(|message| message.starts_with("the circuit opens"))
        });
        line.context("no line")
    })
    .await?;
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["trace_id"], json!(id));
    assert_eq!(line["model"], "claude-sonnet-5-5");
    Ok(())
}

#[tokio::test]
async fn refused_requests_never_open_it() -> anyhow::Result<()> {
    let llm = SimulatedLlm::start_with(setup("1m")).await?;
    let book = llm.book().await?;
    for status in [400, 401, 404, 429] {
        llm.break_by(&json!([{"fault": {"status": {"code": status}}}]))?;
        for _ in 0..FAULTS {
            let reply = llm.ask(&book, "provider=claude").await?;
            ensure!(reply.status >= 500, "{}", reply.text());
        }
    }
    assert_eq!(circuit(&llm, "claude").await?, "closed");
    Ok(())
}

#[tokio::test]
async fn callers_that_leave_never_open_it() -> anyhow::Result<()> {
    let setup = setup("1m").with("BOOKSTORE_LLM_IDLE_TIMEOUT", "1m");
    let llm = SimulatedLlm::start_with(setup).await?;
    llm.break_by(&json!([{"fault": {"silence": {"afterTokens": 3}}}]))?;
    for _ in 0..2 * FAULTS {
        let book = llm.book().await?;
        let mut events = event_stream::open(&llm.caller, &book, "provider=claude").await?;
        events.expect("summary.start").await?;
    }
    wait::until("every call is cancelled", PATIENCE, async || {
        let attempts = "bookstore_gen_ai_attempts_total";
        let cancelled = llm.counted(attempts, &["outcome=\"cancelled\""]).await?;
        ensure!(cancelled.to_string() == "10", "{cancelled} are");
        Ok(())
    })
    .await?;
    assert_eq!(circuit(&llm, "claude").await?, "closed");
    llm.break_by(&json!([]))?;
    llm.summary(&llm.book().await?, "provider=claude").await?;
    Ok(())
}

#[tokio::test]
async fn a_full_provider_refuses_at_once() -> anyhow::Result<()> {
    let setup = setup("1m")
        .with("BOOKSTORE_LLM_CONCURRENCY", "1")
        .with("BOOKSTORE_LLM_QUEUE", "0")
        .with("BOOKSTORE_LLM_FIRST_BYTE_TIMEOUT", "30s");
    let llm = SimulatedLlm::start_with(setup).await?;
    let (silent, other) = (llm.book().await?, llm.book().await?);
    llm.break_by(&json!([{"times": 1, "fault": {"silence": {}}}]))?;
    let refused = async {
        wait::until("the first call is under way", PATIENCE, async || {
            let under_way = llm
                .counted("bookstore_gen_ai_in_flight", &["anthropic"])
                .await?;
            ensure!(under_way > 0.5, "nothing is");
            Ok(())
        })
        .await?;
        let began = std::time::Instant::now();
        let reply = llm.ask(&other, "provider=claude").await?;
        let problem = reply.problem(503)?;
        assert_eq!(problem.member("type"), "/problems/overloaded");
        assert!(problem.member("detail").contains("claude"), "{problem:?}");
        assert!(reply.header("retry-after").parse::<u64>()? > 0);
        assert!(began.elapsed() < Duration::from_secs(10));
        anyhow::Ok(())
    };
    // The silent call is dropped when the other one has been refused.
    tokio::select! {
        reply = llm.ask(&silent, "provider=claude") => ensure!(false, "{:?}", reply?.text()),
        result = refused => result?,
    }
    Ok(())
}
