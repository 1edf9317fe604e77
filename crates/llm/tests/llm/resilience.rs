//! All decorators together, over HTTP: what a provider's faults cost it, and what a caller sees.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, future::join_all};
use jiff::{Timestamp, ToSpan, fmt::rfc2822};
use llm::{
    ChatEvent, ChatResponse, CircuitState, Llm, LlmError, LlmProvider, Outcome, ProviderName, Stage,
};
use test_support::wait;
use tokio::time::{Instant, timeout};

use crate::{
    fixture::{Accounts, drain, request},
    registry::build,
    responder::{Responder, Script, response},
};

/// An Ollama answer.
const ANSWER: &[u8] =
    b"{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"done\":true}";

/// The start of an Ollama stream.
const START: &[u8] =
    b"{\"model\":\"llama3.2\",\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"done\":false}\n";

/// A client that leaves frees the provider within this time.
const LEAVING: Duration = Duration::from_millis(250);

fn answer() -> Script {
    let headers = [("content-type", "application/json")];
    Script::Close(response("200 OK", &headers, ANSWER))
}

fn status(line: &str, headers: &[(&str, &str)]) -> Script {
    let body = b"{\"error\":\"words of the provider\"}";
    Script::Close(response(line, headers, body))
}

fn started() -> Vec<u8> {
    response("200 OK", &[("content-type", "application/x-ndjson")], START)
}

/// Ollama at `host`, in all its decorators.
fn ollama(accounts: &Accounts, host: &str, settings: &[(&str, &str)]) -> Llm {
    let short = [
        ("OLLAMA_HOST", host),
        ("BOOKSTORE_LLM_CONNECT_TIMEOUT", "1s"),
        ("BOOKSTORE_LLM_FIRST_BYTE_TIMEOUT", "300ms"),
        ("BOOKSTORE_LLM_IDLE_TIMEOUT", "300ms"),
        ("BOOKSTORE_LLM_TOTAL_TIMEOUT", "20s"),
    ];
    build(accounts, &[&short[..], settings].concat())
}

/// Runs one call against a server: how it ended, how long it took, how often it was sent.
async fn call(scripts: Vec<Script>) -> (Result<ChatResponse, LlmError>, Duration, usize) {
    let server = Responder::start(scripts).await;
    let accounts = Accounts::open();
    let llm = ollama(&accounts, server.base(), &[]);
    let provider = llm.select(None).expect("ollama");
    let begun = Instant::now();
    let result = provider.complete(&request()).await;
    (result, begun.elapsed(), server.requests().len())
}

fn circuit(llm: &Llm) -> CircuitState {
    let statuses = llm.statuses();
    let ollama = statuses
        .iter()
        .find(|status| status.name == ProviderName::Ollama);
    ollama.expect("ollama").circuit
}

#[tokio::test]
async fn a_limit_is_waited_for_in_whatever_form_it_comes() {
    const LIMIT: &str = "429 Too Many Requests";
    let date = Timestamp::now() + 3.seconds();
    let printer = rfc2822::DateTimePrinter::new();
    let date = printer.timestamp_to_rfc9110_string(&date).expect("a date");
    for (header, least) in [
        // First, as it comes nearer; it has no fractions of a second.
        (("retry-after", date.as_str()), Duration::from_secs(1)),
        (("retry-after", "1"), Duration::from_secs(1)),
        (("retry-after-ms", "700"), Duration::from_millis(700)),
        (("retry-after", "soon"), Duration::ZERO),
    ] {
        let (result, took, sent) = call(vec![status(LIMIT, &[header]), answer()]).await;
        assert!(result.is_ok(), "{header:?}");
        assert_eq!(sent, 2, "{header:?}");
        let most = least + Duration::from_secs(3);
        assert!((least..most).contains(&took), "{header:?}: {took:?}");
    }
    let hour = status(LIMIT, &[("retry-after", "3600")]);
    let (result, took, sent) = call(vec![hour, answer()]).await;
    let error = result.expect_err("an hour is too long");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    assert_eq!(sent, 1);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_failing_server_gets_three_attempts() {
    for line in [
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "529 Overloaded",
    ] {
        let (result, took, sent) = call(vec![status(line, &[])]).await;
        let error = result.expect_err(line);
        assert_eq!(error.error_type(), "upstream", "{line}");
        assert_eq!(sent, 3, "{line}");
        assert!(took < Duration::from_secs(5), "{line}: {took:?}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_three_attempts_too() {
    let plain = Responder::start(vec![status("200 OK", &[])]).await;
    let port = test_support::port::free().expect("a port");
    for host in [
        format!("http://127.0.0.1:{port}"),
        "http://nobody.invalid:7".to_owned(),
        plain.base().replace("http://", "https://"),
    ] {
        let accounts = Accounts::open();
        let llm = ollama(
            &accounts,
            &host,
            &[("BOOKSTORE_LLM_HOSTS", "nobody.invalid")],
        );
        let provider = llm.select(None).expect("ollama");
        let error = provider.complete(&request()).await.expect_err(&host);
        let reached = matches!(
            error,
            LlmError::Unreachable { .. } | LlmError::Timeout(Stage::Connect)
        );
        assert!(reached, "{host}: {error:?}");
        let rows = accounts.rows().await;
        assert_eq!(rows.len(), 3, "{host}");
        assert!(rows.iter().all(|row| row.outcome == Outcome::Failed));
    }
}

#[tokio::test]
async fn silence_is_tried_again_before_the_first_text_only() {
    for (bytes, stage, attempts) in [
        (Vec::new(), Stage::FirstByte, 3),
        (started(), Stage::Idle, 1),
    ] {
        let server = Responder::start(vec![Script::Silence(bytes)]).await;
        let accounts = Accounts::open();
        let llm = ollama(&accounts, server.base(), &[]);
        let provider = llm.select(None).expect("ollama");
        let error = match provider.stream(&request()).await {
            Ok(stream) => drain(stream).await.1,
            Err(error) => Some(error),
        };
        assert_eq!(error, Some(LlmError::Timeout(stage)));
        assert_eq!(server.requests().len(), attempts, "{stage}");
        timeout(Duration::from_secs(5), server.client_left())
            .await
            .expect("the connection is closed");
    }
}

#[tokio::test]
async fn a_caller_that_leaves_frees_the_provider_and_is_no_fault() {
    let accounts = Accounts::open();
    let server = Responder::start(vec![Script::Silence(started())]).await;
    let patient = [("BOOKSTORE_LLM_IDLE_TIMEOUT", "1m")];
    let llm = ollama(&accounts, server.base(), &patient);
    let provider = llm.select(None).expect("ollama");
    for _ in 0..10 {
        let mut stream = provider.stream(&request()).await.expect("a stream");
        while !matches!(stream.next().await, Some(Ok(ChatEvent::Delta(_)))) {}
    }
    assert_eq!(circuit(&llm), CircuitState::Closed);
    let rows = accounts.rows().await;
    assert_eq!(rows.len(), 10);
    for row in rows {
        assert_eq!(row.outcome, Outcome::Cancelled);
        assert!(row.usage.estimated && row.usage.output_tokens > 0);
    }
}

#[tokio::test]
async fn the_connection_of_a_caller_that_leaves_is_closed_in_time() {
    let accounts = Accounts::open();
    let server = Responder::start(vec![Script::Silence(started())]).await;
    let llm = ollama(
        &accounts,
        server.base(),
        &[("BOOKSTORE_LLM_IDLE_TIMEOUT", "1m")],
    );
    let provider = llm.select(None).expect("ollama");
    let mut stream = provider.stream(&request()).await.expect("a stream");
    stream.next().await;
    drop(stream);
    timeout(LEAVING, server.client_left())
        .await
        .expect("the connection is closed");
}

/// Sends 100 calls at once that all fail; how often the provider was asked, and in which time.
async fn storm(settings: &[(&str, &str)]) -> (u64, Duration) {
    let server = Responder::start(vec![status("500 Oops", &[])]).await;
    let accounts = Accounts::open();
    let llm = ollama(&accounts, server.base(), settings);
    let provider: Arc<dyn LlmProvider> = llm.select(None).expect("ollama");
    let begun = Instant::now();
    let calls = (0..100).map(|_| async { provider.complete(&request()).await });
    for result in join_all(calls).await {
        result.expect_err("a storm");
    }
    let asked = u64::try_from(server.requests().len()).expect("a count");
    (asked, begun.elapsed())
}

#[tokio::test]
async fn neither_retries_nor_calls_storm_a_failing_provider() {
    let (asked, took) = storm(&[("BOOKSTORE_LLM_CIRCUIT_FAULTS", "0")]).await;
    // A fifth of the calls, and ten, and one for each second that it took.
    let budget = 20 + 10 + took.as_secs();
    assert!((100..=100 + budget).contains(&asked), "{asked} in {took:?}");

    let settings = [
        ("BOOKSTORE_LLM_CIRCUIT_OPEN", "1m"),
        ("BOOKSTORE_LLM_CONCURRENCY", "4"),
        ("BOOKSTORE_LLM_QUEUE_TIMEOUT", "20s"),
    ];
    let (asked, _) = storm(&settings).await;
    // Five faults in a row, while at most three more were under way.
    assert!((5..=8).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_circuit_opens_and_closes_over_http() {
    let faults = (0..5).map(|_| status("500 Oops", &[]));
    let server = Responder::start(faults.chain([answer()]).collect()).await;
    let accounts = Accounts::open();
    let settings = [
        ("BOOKSTORE_LLM_ATTEMPTS", "1"),
        ("BOOKSTORE_LLM_CIRCUIT_OPEN", "500ms"),
    ];
    let llm = ollama(&accounts, server.base(), &settings);
    let provider = llm.select(None).expect("ollama");
    for _ in 0..5 {
        assert_eq!(circuit(&llm), CircuitState::Closed);
        provider.complete(&request()).await.expect_err("a 500");
    }
    let opened = Instant::now();
    let error = provider.complete(&request()).await.expect_err("open");
    let LlmError::CircuitOpen { retry_after } = error else {
        panic!("{error:?}");
    };
    assert_eq!(server.requests().len(), 5);
    wait::until(
        "the probe is answered",
        Duration::from_secs(20),
        async || provider.complete(&request()).await.map_err(Into::into),
    )
    .await
    .expect("the circuit closes");
    assert!(opened.elapsed() >= retry_after);
    assert_eq!(circuit(&llm), CircuitState::Closed);
    assert_eq!(server.requests().len(), 6);
    assert_eq!(accounts.rows().await.len(), 6, "refused calls cost nothing");
}
