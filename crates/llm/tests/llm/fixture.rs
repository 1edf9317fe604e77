//! What the tests build before they call anything.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use llm::{
    Bedrock, BedrockConfig, BedrockCredentials, Budgets, CallContext, ChatEvent, ChatRequest,
    ChatResponse, ChatStream, Claude, ClaudeConfig, Deadlines, Ledger, LedgerFilter, LedgerPage,
    LedgerRow, LlmError, LlmProvider, LmStudioConfig, Measured, Message, Ollama, OpenAi,
    OpenAiConfig, OpenAiStyle, PriceCatalogue, Prices, ProviderName,
};
use service_defaults::http_client::{self, HttpClientConfig};
use tempfile::TempDir;
use tenancy::TenantId;

pub(crate) const CLAUDE_MODEL: &str = "claude-sonnet-5-5";
pub(crate) const OLLAMA_MODEL: &str = "llama3.2";
pub(crate) const OPENAI_MODEL: &str = "gpt-6.1-terra";
pub(crate) const BEDROCK_MODEL: &str = "amazon.nova-lite-v1:0";
pub(crate) const LM_STUDIO_MODEL: &str = "openai/gpt-oss-20b";

/// Short enough for a test of what happens after them, long enough for loopback.
pub(crate) const SHORT: Deadlines = Deadlines {
    connect: Duration::from_secs(2),
    first_byte: Duration::from_millis(300),
    idle: Duration::from_millis(300),
};

/// A ledger in a directory of its own.
pub(crate) struct Accounts {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) prices: Arc<Prices>,
    pub(crate) directory: TempDir,
}

impl Accounts {
    pub(crate) fn open() -> Self {
        install_cryptography();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let ledger = Ledger::open(&directory.path().join("data/ledger.db")).expect("a ledger");
        Self {
            ledger: Arc::new(ledger),
            prices: Arc::new(Prices::fixed(
                PriceCatalogue::built_in().expect("the built-in prices"),
            )),
            directory,
        }
    }

    /// No tenant has one.
    pub(crate) fn budgets(&self) -> Arc<Budgets> {
        Arc::new(Budgets::none(&self.ledger))
    }

    pub(crate) fn measured(&self, provider: Arc<dyn LlmProvider>) -> Measured {
        let (prices, ledger) = (Arc::clone(&self.prices), Arc::clone(&self.ledger));
        Measured::new(provider, true, prices, ledger)
    }

    /// Every row, oldest first, once everything handed over is written.
    pub(crate) async fn rows(&self) -> Vec<LedgerRow> {
        self.ledger.flush().await.expect("an open ledger");
        let page = LedgerPage {
            offset: 0,
            limit: 1000,
        };
        let filter = LedgerFilter::of(TenantId::development());
        let mut rows = self.ledger.rows(filter, page).await.expect("rows");
        rows.reverse();
        rows
    }
}

/// What `main` does in a service; the second time it is refused, which is fine.
fn install_cryptography() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

pub(crate) fn client() -> reqwest::Client {
    install_cryptography();
    http_client::build(&HttpClientConfig {
        total: None,
        ..HttpClientConfig::default()
    })
    .expect("a client")
}

/// `OpenAI`'s settings for the server at `base`, which has no `/v1` yet.
pub(crate) fn openai_config(base: &str, style: OpenAiStyle) -> OpenAiConfig {
    OpenAiConfig {
        key: Some("test-key".to_owned().into()),
        base: format!("{base}/v1").parse().expect("a URL"),
        model: OPENAI_MODEL.to_owned(),
        style,
        service_tier: None,
    }
}

/// An access key for Bedrock.
pub(crate) fn access_key() -> BedrockCredentials {
    BedrockCredentials::AccessKey {
        id: "AKIDTEST".to_owned().into(),
        secret: "test-key".to_owned().into(),
        session_token: None,
    }
}

/// Claude's settings for the server at `base`.
pub(crate) fn claude_config(base: &str) -> ClaudeConfig {
    ClaudeConfig {
        key: None,
        base: base.parse().expect("a URL"),
        model: CLAUDE_MODEL.to_owned(),
        service_tier: None,
    }
}

/// Bedrock's settings for the server at `base`.
pub(crate) fn bedrock_config(base: &str) -> BedrockConfig {
    BedrockConfig {
        credentials: None,
        region: "eu-west-1".to_owned(),
        base: base.parse().expect("a URL"),
        model: BEDROCK_MODEL.to_owned(),
        service_tier: None,
    }
}

/// A client of Bedrock at `base`.
pub(crate) fn bedrock(
    base: &str,
    credentials: &BedrockCredentials,
    deadlines: Deadlines,
) -> Bedrock {
    let config = bedrock_config(base);
    Bedrock::new(client(), &config, credentials, deadlines).expect("a usable key")
}

/// A provider's client for the server at `base`.
pub(crate) fn provider(
    name: ProviderName,
    base: &str,
    deadlines: Deadlines,
) -> Arc<dyn LlmProvider> {
    match name {
        ProviderName::Claude => {
            let key = "test-key".to_owned().into();
            let claude = Claude::new(client(), &claude_config(base), &key, deadlines);
            Arc::new(claude.expect("a usable key"))
        }
        ProviderName::OpenAi => {
            let config = openai_config(base, OpenAiStyle::Chat);
            Arc::new(OpenAi::new(client(), &config, deadlines).expect("a usable key"))
        }
        ProviderName::Ollama => {
            let (url, model) = (base.parse().expect("a URL"), OLLAMA_MODEL.to_owned());
            Arc::new(Ollama::new(client(), url, model, deadlines))
        }
        ProviderName::Bedrock => Arc::new(bedrock(base, &access_key(), deadlines)),
        ProviderName::LmStudio => {
            let base = format!("{base}/v1").parse().expect("a URL");
            let config = LmStudioConfig {
                base: None,
                model: LM_STUDIO_MODEL.to_owned(),
            };
            Arc::new(OpenAi::lm_studio(client(), base, &config, deadlines))
        }
    }
}

pub(crate) fn request() -> ChatRequest {
    ChatRequest {
        model: None,
        system: Some("You summarise books.".to_owned()),
        messages: vec![Message::user(
            "Summarise The Great Gatsby in two sentences.",
        )],
        max_tokens: 300,
        temperature: Some(0.3),
        context: CallContext::new(TenantId::development(), "summary", Some("run-7".to_owned())),
    }
}

/// Everything that a stream gave, and how it ended.
pub(crate) async fn drain(mut stream: ChatStream) -> (Vec<ChatEvent>, Option<LlmError>) {
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => events.push(event),
            Err(error) => return (events, Some(error)),
        }
    }
    (events, None)
}

/// The answer of a stream that must succeed.
pub(crate) async fn collect(stream: ChatStream) -> ChatResponse {
    let (mut events, error) = drain(stream).await;
    assert_eq!(error, None);
    match events.pop() {
        Some(ChatEvent::Finished(response)) => *response,
        last => panic!("the last event is {last:?}"),
    }
}
