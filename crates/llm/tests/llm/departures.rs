//! Whose request never left owes nothing; a provider that has it may charge for the prompt.

use std::time::Duration;

use llm::{Deadlines, LedgerRow, LlmError, LlmProvider, Outcome, ProviderName, Stage};
use money::PicoUsd;
use test_support::wait;
use tokio::{net::TcpListener, time::Instant};

use crate::{
    fixture::{Accounts, provider, request},
    responder::{Responder, Script},
};

/// Longer than any of these tests waits.
const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(60),
    first_byte: Duration::from_secs(60),
    idle: Duration::from_secs(60),
};

/// A server that takes connections and never says a word of TLS, and its address.
async fn mute() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, format!("https://{address}"))
}

fn owes_nothing(row: &LedgerRow) -> bool {
    row.usage.input_tokens == 0 && row.cost == Some(PicoUsd::ZERO)
}

#[tokio::test]
async fn who_leaves_while_connecting_owes_nothing() {
    let (listener, base) = mute().await;
    let accounts = Accounts::open();
    for name in [ProviderName::Claude, ProviderName::Bedrock] {
        let measured = accounts.measured(provider(name, &base, PATIENT));
        let request = request();
        let _streamed = tokio::select! {
            ended = measured.stream(&request) => panic!("{:?}", ended.err()),
            accepted = listener.accept() => accepted.expect("a connection"),
        };
        let _whole = tokio::select! {
            ended = measured.complete(&request) => panic!("{ended:?}"),
            accepted = listener.accept() => accepted.expect("a connection"),
        };
    }
    let rows = accounts.rows().await;
    assert_eq!(rows.len(), 4);
    let free = |row: &LedgerRow| row.outcome == Outcome::Cancelled && owes_nothing(row);
    assert!(rows.iter().all(free), "{rows:?}");
}

#[tokio::test]
async fn a_call_that_ends_while_connecting_owes_nothing() {
    let (_listener, base) = mute().await;
    let accounts = Accounts::open();
    let measured = accounts.measured(provider(ProviderName::Claude, &base, PATIENT));
    let mut request = request();
    request.context.deadline = Some(Instant::now() + Duration::from_millis(200));
    let error = measured.stream(&request).await.err();
    assert_eq!(error, Some(LlmError::Timeout(Stage::Total)));
    let rows = accounts.rows().await;
    assert!(rows.len() == 1 && owes_nothing(&rows[0]), "{rows:?}");
}

#[tokio::test]
async fn who_leaves_after_the_request_owes_its_prompt() {
    let responder = Responder::start(vec![Script::Silence(Vec::new())]).await;
    let accounts = Accounts::open();
    let measured = accounts.measured(provider(ProviderName::Claude, responder.base(), PATIENT));
    let request = request();
    let arrived = wait::until("the request", Duration::from_secs(20), async || {
        anyhow::ensure!(!responder.requests().is_empty(), "not yet");
        Ok(())
    });
    tokio::select! {
        ended = measured.stream(&request) => panic!("{:?}", ended.err()),
        arrived = arrived => arrived.expect("a request"),
    }
    let rows = accounts.rows().await;
    let [row] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert!(row.usage.input_tokens > 0 && row.usage.estimated, "{row:?}");
    assert!(row.cost > Some(PicoUsd::ZERO), "{row:?}");
}
