//! The LLM layer with everything on.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use anyhow::Context;
use futures_util::{Stream, StreamExt};
use llm::{
    BudgetLimits, Budgets, CallContext, ChatEvent, ChatRequest, Ledger, Llm, LlmConfig, LlmError,
    LlmProvider, Message, Prices, RateLimit, SharedStreams,
};
use money::PicoUsd;
use service_defaults::environment::Environment;
use tempfile::TempDir;
use tenancy::TenantId;
use tracing::Instrument;

use crate::calls::Streamed;

/// Limits that are kept account of and never reached.
const NEVER_REACHED: u64 = 1_000_000_000_000;

/// The layer, asking one simulator in the place of Claude.
pub(crate) struct Layer {
    provider: Arc<dyn LlmProvider>,
    shared: SharedStreams<u64, LlmError>,
    ledger: Arc<Ledger>,
    _directory: TempDir,
}

/// Whether the trace of a call is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trace {
    Recorded,
    Not,
}

impl Layer {
    pub(crate) async fn build(simulator: SocketAddr) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let ledger = Arc::new(Ledger::open(&directory.path().join("ledger.db"))?);
        let budgets = Arc::new(Budgets::none(&ledger));
        let limits = BudgetLimits {
            day: Some(PicoUsd::new(i64::MAX)),
            month: Some(PicoUsd::new(i64::MAX)),
            rates: vec![RateLimit {
                provider: None,
                requests_per_minute: Some(NEVER_REACHED),
                tokens_per_minute: Some(NEVER_REACHED),
            }],
        };
        let is_set = budgets.set(&TenantId::development(), limits).await?;
        anyhow::ensure!(is_set, "no room for a budget");
        let pairs = [
            ("LLM_PROVIDER", "claude".to_owned()),
            ("ANTHROPIC_API_KEY", "simulated".to_owned()),
            ("ANTHROPIC_BASE_URL", format!("http://{simulator}")),
            ("BOOKSTORE_SIMULATED_PROVIDERS", "claude".to_owned()),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
        let config = LlmConfig::read(&mut Environment::of_pairs(pairs));
        let prices = Arc::new(Prices::load(None)?);
        let llm = Llm::build(&config, &ledger, &prices, &budgets)?;
        Ok(Self {
            provider: llm.select(None)?,
            shared: SharedStreams::new(),
            ledger,
            _directory: directory,
        })
    }

    /// A whole answer; its time in microseconds.
    pub(crate) async fn whole(&self, trace: Trace) -> anyhow::Result<f64> {
        let request = request();
        let begun = Instant::now();
        let answering = self.provider.complete(&request);
        let response = answering.instrument(trace.span()).await?;
        let taken = micros(begun);
        anyhow::ensure!(response.cost.is_some(), "unpriced");
        Ok(taken)
    }

    /// A streamed answer.
    pub(crate) async fn streamed(&self, trace: Trace) -> anyhow::Result<Streamed> {
        let request = request();
        let begun = Instant::now();
        let reading = async { read(begun, self.provider.stream(&request).await?).await };
        reading.instrument(trace.span()).await
    }

    /// A streamed answer as those get it who share one, alone among the callers for `key`.
    pub(crate) async fn shared(&self, key: u64) -> anyhow::Result<Streamed> {
        let request = request();
        let begun = Instant::now();
        let provider = Arc::clone(&self.provider);
        let open = || async move { provider.stream(&request).await };
        let reading = async {
            let caller = self.shared.join(key, open)?;
            let events = futures_util::stream::unfold(caller, async |mut caller| {
                Some((caller.next().await?, caller))
            });
            read(begun, std::pin::pin!(events)).await
        };
        reading.instrument(Trace::Recorded.span()).await
    }

    pub(crate) async fn close(self) -> anyhow::Result<()> {
        Ok(self.ledger.close().await?)
    }
}

impl Trace {
    fn span(self) -> tracing::Span {
        match self {
            Self::Recorded => tracing::info_span!("request"),
            Self::Not => tracing::Span::none(),
        }
    }
}

async fn read(
    begun: Instant,
    mut events: impl Stream<Item = Result<ChatEvent, LlmError>> + Unpin,
) -> anyhow::Result<Streamed> {
    let (mut first, mut pieces, mut last) = (None, 0, None);
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Started { .. } => {}
            ChatEvent::Delta(_) => {
                pieces += 1;
                first.get_or_insert_with(|| micros(begun));
            }
            ChatEvent::Finished(response) => last = Some(response),
        }
    }
    let total = micros(begun);
    let response = last.context("no whole answer")?;
    anyhow::ensure!(response.cost.is_some(), "unpriced");
    // The simulator sends a frame for each token; a shared stream may join them.
    let streamed = Streamed::new(first, total, response.usage.output_tokens)?;
    Ok(Streamed { pieces, ..streamed })
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

fn micros(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e6
}
