//! The ledger: what goes in comes out, nothing is lost, nothing grows without a bound.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, poll};
use llm::{
    CallContext, ChatRequest, ChatResponse, ChatStream, Deadlines, Endpoint, Ledger, LedgerError,
    LedgerFilter, LedgerGroup, LedgerPage, LlmError, LlmProvider, ProviderName, QUEUE_ROWS,
};
use tenancy::TenantId;
use test_support::simulator;

use crate::fixture::{Accounts, provider, request};

const PAGE: LedgerPage = LedgerPage {
    offset: 0,
    limit: 1000,
};

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).expect("a tenant")
}

#[tokio::test]
async fn rows_survive_a_close_and_a_closed_ledger_takes_no_calls() {
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let provider = provider(
        ProviderName::Claude,
        &simulator.base_url(),
        Deadlines::default(),
    );
    let measured = accounts.measured(provider);
    for _ in 0..20 {
        measured.complete(&request()).await.expect("an answer");
    }
    accounts.ledger.close().await.expect("a clean end");
    accounts.ledger.close().await.expect("a second close");
    let refused = measured.complete(&request()).await.expect_err("closed");
    assert!(
        matches!(refused, LlmError::Overloaded { .. }),
        "{refused:?}"
    );

    let path = accounts.directory.path().join("data/ledger.db");
    let reopened = Ledger::open(&path).expect("the same file");
    let filter = LedgerFilter::of(TenantId::development());
    let rows = reopened.rows(filter, PAGE).await.expect("rows");
    assert_eq!(rows.len(), 20);
    assert!(rows.windows(2).all(|pair| pair[0].at >= pair[1].at));
    assert!(rows.iter().all(|row| row.simulated && row.cost.is_some()));
    assert_eq!(simulator.control().meter().total.calls, 20);
}

#[tokio::test]
async fn a_full_queue_refuses_new_calls_until_a_place_is_free() {
    let accounts = Accounts::open();
    let measured = accounts.measured(Arc::new(Silent(Endpoint {
        address: "127.0.0.1".into(),
        port: 1,
    })));
    // A future that was polled once holds its place.
    let request = request();
    let mut waiting = Vec::with_capacity(QUEUE_ROWS);
    for _ in 0..QUEUE_ROWS {
        let mut call = measured.complete(&request);
        assert!(poll!(&mut call).is_pending());
        waiting.push(call);
    }
    let refused = measured.complete(&request).await.expect_err("full");
    assert!(
        matches!(refused, LlmError::Overloaded { .. }),
        "{refused:?}"
    );
    assert!(refused.retry_after().is_some());

    drop(waiting);
    accounts.ledger.flush().await.expect("written");
    let mut call = measured.complete(&request);
    assert!(poll!(&mut call).is_pending(), "a place is free");
}

/// A provider that never answers.
struct Silent(Endpoint);

#[async_trait]
impl LlmProvider for Silent {
    fn name(&self) -> ProviderName {
        ProviderName::Ollama
    }

    fn model(&self) -> &str {
        "silent"
    }

    fn endpoint(&self) -> &Endpoint {
        &self.0
    }

    async fn complete(&self, _: &ChatRequest) -> Result<ChatResponse, LlmError> {
        std::future::pending().await
    }

    async fn stream(&self, _: &ChatRequest) -> Result<ChatStream, LlmError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn totals_keep_tenants_and_kinds_of_money_apart() {
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    for name in [ProviderName::Claude, ProviderName::Ollama] {
        let provider = provider(name, &simulator.base_url(), Deadlines::default());
        let measured = accounts.measured(provider);
        for (owner, model) in [("a", None), ("a", Some("no-such-price")), ("b", None)] {
            let mut request = request();
            request.context = CallContext::new(tenant(owner), "summary", None);
            request.model = model.map(str::to_owned);
            let stream = measured.stream(&request).await.expect("a stream");
            stream.count().await;
        }
    }
    accounts.ledger.flush().await.expect("written");
    let filter = LedgerFilter::of(tenant("a"));
    let rows = accounts
        .ledger
        .rows(filter.clone(), PAGE)
        .await
        .expect("rows");
    let totals = accounts
        .ledger
        .totals(filter.clone(), LedgerGroup::Provider)
        .await
        .expect("totals");
    let [claude, ollama] = &totals[..] else {
        panic!("{totals:?}");
    };
    assert_eq!(
        (claude.key.as_str(), claude.attempts, claude.unpriced),
        ("claude", 2, 1)
    );
    assert_eq!(
        (ollama.key.as_str(), ollama.attempts, ollama.unpriced),
        ("ollama", 2, 0)
    );
    assert!(claude.simulated && ollama.simulated);
    let sum: i128 = rows
        .iter()
        .filter_map(|row| row.cost)
        .map(|cost| i128::from(cost.get()))
        .sum();
    assert!(sum > 0);
    assert_eq!((claude.cost, ollama.cost), (sum, 0));

    let only = LedgerFilter {
        model: Some("no-such-price".to_owned()),
        provider: Some(ProviderName::Claude),
        ..filter
    };
    let unpriced = accounts.ledger.rows(only, PAGE).await.expect("rows");
    assert_eq!(unpriced.len(), 1);
    assert_eq!(unpriced[0].cost, None);
    let nobody = LedgerFilter::of(tenant("c"));
    assert_eq!(accounts.ledger.rows(nobody, PAGE).await.expect("rows"), []);
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ledger.db");
    drop(Ledger::open(&path).expect("a ledger"));
    let connection = rusqlite::Connection::open(&path).expect("the file");
    connection
        .pragma_update(None, "user_version", 99)
        .expect("a newer version");
    assert!(matches!(
        Ledger::open(&path),
        Err(LedgerError::TooNew { found: 99, .. })
    ));
}
