//! Picking a provider by name.

use std::sync::Arc;

use llm::{Llm, LlmConfig, ProviderName, SelectionError};
use service_defaults::environment::Environment;
use test_support::simulator;

use crate::fixture::{Accounts, request};

pub(crate) fn build(accounts: &Accounts, pairs: &[(&str, &str)]) -> Llm {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut environment = Environment::of_pairs(pairs);
    let config = LlmConfig::read(&mut environment);
    assert_eq!(environment.errors(), []);
    Llm::build(
        &config,
        &accounts.ledger,
        &accounts.prices,
        &accounts.budgets(),
    )
    .expect("providers")
}

#[tokio::test]
async fn names_are_known_configured_or_neither() {
    let accounts = Accounts::open();
    let llm = build(&accounts, &[("LLM_PROVIDER", "claude")]);
    let unknown = llm.select(Some("gpt")).map(|_| ()).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "unknown provider; available providers: claude, openai, ollama, bedrock, lmstudio"
    );
    for name in ["claude", "openai", "bedrock", "lmstudio"] {
        let error = llm.select(Some(name)).map(|_| ()).unwrap_err();
        let provider: ProviderName = name.parse().expect("a name");
        assert_eq!(error, SelectionError::NotConfigured { provider });
        assert!(error.to_string().contains("not configured"));
    }
    // The default has no key either, and nobody else answers in its place.
    let default = llm.select(None).map(|_| ()).unwrap_err();
    let provider = ProviderName::Claude;
    assert_eq!(default, SelectionError::NotConfigured { provider });
    let ollama = llm.select(Some("OLLAMA")).expect("always configured");
    assert_eq!(ollama.name(), ProviderName::Ollama);
}

#[tokio::test]
async fn the_default_provider_answers_through_all_layers() {
    let simulator = simulator().await.expect("a simulator");
    let accounts = Accounts::open();
    let llm = build(
        &accounts,
        &[
            ("LLM_PROVIDER", "claude"),
            ("ANTHROPIC_API_KEY", "key"),
            ("ANTHROPIC_BASE_URL", &simulator.base_url()),
            ("BOOKSTORE_SIMULATED_PROVIDERS", "claude, ollama"),
        ],
    );
    let provider = llm.select(None).expect("claude");
    let response = provider.complete(&request()).await.expect("an answer");
    assert!(response.simulated);
    assert!(response.cost.is_some());
    assert_eq!(accounts.rows().await.len(), 1);

    let statuses = llm.statuses();
    let names: Vec<_> = statuses.iter().map(|status| status.name.as_str()).collect();
    assert_eq!(names, ["claude", "openai", "ollama", "bedrock", "lmstudio"]);
    let claude = &statuses[0];
    assert!(claude.configured && claude.healthy && claude.simulated);
    assert_eq!(claude.model, "claude-sonnet-5-5");
    let openai = &statuses[1];
    assert!(!openai.configured && !openai.healthy && !openai.simulated);
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_not_healthy() {
    let accounts = Accounts::open();
    let port = test_support::port::free().expect("a port");
    let host = format!("127.0.0.1:{port}");
    let llm = build(
        &accounts,
        &[("OLLAMA_HOST", &host), ("BOOKSTORE_LLM_ATTEMPTS", "2")],
    );
    let provider = llm.select(None).expect("ollama");
    provider
        .complete(&request())
        .await
        .expect_err("nobody there");
    let rows = accounts.rows().await;
    assert_eq!(rows.len(), 2, "one row for each attempt");
    assert_eq!(rows[0].call_id, rows[1].call_id);
    assert_eq!((rows[0].attempt, rows[1].attempt), (1, 2));
    let ollama = llm.statuses().into_iter().find(|status| status.configured);
    assert!(!ollama.expect("ollama").healthy);
}

#[test]
fn a_key_that_no_header_can_carry_is_an_error_at_start() {
    let accounts = Accounts::open();
    for (setting, said) in [
        ("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"),
        ("OPENAI_API_KEY", "OPENAI_API_KEY"),
        ("AWS_BEARER_TOKEN_BEDROCK", "Bedrock"),
    ] {
        let pairs = [(setting.to_owned(), "a\nb".to_owned())];
        let mut environment = Environment::of_pairs(pairs);
        let config = LlmConfig::read(&mut environment);
        let prices = Arc::clone(&accounts.prices);
        let error = Llm::build(&config, &accounts.ledger, &prices, &accounts.budgets())
            .map(|_| ())
            .unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(!error.to_string().contains("a\nb"));
    }
}

#[tokio::test]
async fn every_provider_is_configured_by_its_own_settings() {
    let accounts = Accounts::open();
    let llm = build(
        &accounts,
        &[
            ("ANTHROPIC_API_KEY", "key"),
            ("OPENAI_API_KEY", "key"),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
            ("LMSTUDIO_BASE_URL", "http://127.0.0.1:1234/v1"),
            ("LMSTUDIO_MODEL", "own"),
        ],
    );
    for status in llm.statuses() {
        assert!(status.configured, "{}", status.name);
        let provider = llm.select(Some(status.name.as_str())).expect("configured");
        assert_eq!(provider.name(), status.name);
        assert_eq!(provider.model(), status.model);
    }
    let host = |name: &str| {
        llm.select(Some(name))
            .expect("configured")
            .endpoint()
            .clone()
    };
    assert_eq!(
        &*host("bedrock").address,
        "bedrock-runtime.us-east-1.amazonaws.com"
    );
    assert_eq!(host("lmstudio").port, 1234);
}
