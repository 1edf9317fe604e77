//! Ledgers to book in, and a provider that is paid for what it is told.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use futures_util::StreamExt;
use llm::{
    CallContext, ChatEvent, ChatRequest, ChatResponse, ChatStream, Endpoint, LatencySplit, Ledger,
    LedgerPage, LlmError, LlmProvider, Measured, OpeningLatency, PriceCatalogue, Prices,
    ProviderName, Usage,
};
use tempfile::TempDir;
use tenancy::TenantId;
use test_support::FerretDb;
use tokio::sync::OnceCell;

use crate::fixture::request;

/// A million tokens cost a dollar in and ten thousand out: the dearest that is believed.
const PRICES: &str = r#"price = [
    { provider = "openai", match = "m", input = "1", cache_read = "0.1", output = "10000", source = "s", checked_on = "2026-11-20" },
    { provider = "openai", match = "other", input = "3", cache_read = "0.1", output = "10000", source = "s", checked_on = "2026-11-20" },
]"#;

/// The name of a ledger's file.
const FILE: &str = "ledger.db";

pub(crate) const ALL: LedgerPage = LedgerPage {
    offset: 0,
    limit: 1000,
};

/// A ledger that a case has to itself.
pub(crate) struct Place {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) prices: Arc<Prices>,
    store: Store,
}

/// Where its rows lie.
pub(crate) enum Store {
    /// In a file in this directory.
    Sqlite(TempDir),
    /// At this address, in this database; what a stop could not write in this directory.
    Mongo(String, String, TempDir),
}

impl Place {
    pub(crate) fn of(ledger: Ledger, store: Store) -> anyhow::Result<Self> {
        Ok(Self {
            ledger: Arc::new(ledger),
            prices: Arc::new(Prices::fixed(PriceCatalogue::parse(PRICES)?)),
            store,
        })
    }

    pub(crate) fn sqlite() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let ledger = Ledger::open(&directory.path().join(FILE))?;
        Self::of(ledger, Store::Sqlite(directory))
    }

    pub(crate) async fn ferretdb() -> anyhow::Result<Self> {
        static SERVER: OnceCell<FerretDb> = OnceCell::const_new();
        let server = SERVER.get_or_try_init(test_support::ferretdb).await?;
        let database = format!("ledger_{}", uuid::Uuid::now_v7().simple());
        Self::on(server.uri(), database).await
    }

    pub(crate) async fn on(uri: String, database: String) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join(FILE);
        let ledger = Ledger::connect(&uri.clone().into(), &database, &path).await?;
        Self::of(ledger, Store::Mongo(uri, database, directory))
    }

    /// Where the ledger lies, or would without a server.
    pub(crate) fn path(&self) -> PathBuf {
        let (Store::Sqlite(directory) | Store::Mongo(_, _, directory)) = &self.store;
        directory.path().join(FILE)
    }

    /// Another connection to the same rows, as another process has one.
    pub(crate) async fn connect_again(&self) -> anyhow::Result<Ledger> {
        Ok(match &self.store {
            Store::Sqlite(_) => Ledger::open(&self.path())?,
            Store::Mongo(uri, database, _) => {
                Ledger::connect(&uri.clone().into(), database, &self.path()).await?
            }
        })
    }

    /// Books one answer with these tokens.
    pub(crate) async fn book(&self, simulated: bool, usage: Usage, request: &ChatRequest) {
        let provider = Arc::new(Paid(usage, endpoint()));
        let (prices, ledger) = (Arc::clone(&self.prices), Arc::clone(&self.ledger));
        let measured = Measured::new(provider, simulated, prices, ledger);
        measured.complete(request).await.expect("an answer");
    }
}

/// A provider that answers with these tokens, and streams one word and breaks off.
pub(crate) struct Paid(pub(crate) Usage, pub(crate) Endpoint);

pub(crate) fn endpoint() -> Endpoint {
    Endpoint {
        address: "127.0.0.1".into(),
        port: 1,
    }
}

#[async_trait]
impl LlmProvider for Paid {
    fn name(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn model(&self) -> &str {
        "m"
    }

    fn endpoint(&self) -> &Endpoint {
        &self.1
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        Ok(ChatResponse {
            text: "yes".to_owned(),
            model: request.model.clone().unwrap_or_else(|| "m".to_owned()),
            response_id: None,
            request_id: None,
            finish_reason: None,
            usage: self.0,
            service_tier: None,
            latency: LatencySplit {
                connect: Some(std::time::Duration::from_micros(1)),
                total: std::time::Duration::from_micros(2_500_001),
                ..LatencySplit::default()
            },
            call_id: None,
            cost: None,
            simulated: false,
            fallback: None,
        })
    }

    async fn stream(&self, _: &ChatRequest) -> Result<ChatStream, LlmError> {
        let start = ChatEvent::Started {
            model: "m".to_owned(),
            response_id: None,
            request_id: None,
            usage: None,
            service_tier: None,
            fallback: None,
            latency: OpeningLatency::default(),
        };
        let events = [Ok(start), Ok(ChatEvent::Delta("word".to_owned()))];
        Ok(futures_util::stream::iter(events).boxed())
    }
}

pub(crate) fn tokens(input: u64, output: u64) -> Usage {
    Usage {
        input_tokens: input,
        output_tokens: output,
        ..Usage::default()
    }
}

pub(crate) fn call(tenant: &str, test: Option<&str>) -> anyhow::Result<ChatRequest> {
    let mut request = request();
    let tenant = TenantId::parse(tenant)?;
    request.context = CallContext::new(tenant, "summary", test.map(str::to_owned));
    Ok(request)
}
