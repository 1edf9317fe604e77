//! An API whose providers are the simulator, and the arithmetic of its cost.

use anyhow::{Context, ensure};
use llm::{Ledger, LedgerFilter, LedgerPage, LedgerRow};
use serde_json::Value;
use tenancy::TenantId;
use test_support::llm_simulator::{FaultRule, Running, Usage};

use crate::{
    caller::Caller,
    reply::Reply,
    test_api::{Setup, TestApi},
};

/// Units of 10⁻¹² USD per token of claude-sonnet-5-5: 2 dollars a million in, 10 out
/// (Anthropic's price list of 2026-11-20).
const INPUT_PRICE: u64 = 2_000_000;
const OUTPUT_PRICE: u64 = 10_000_000;

/// Decimals of a dollar in one unit of cost.
const DECIMALS: usize = 12;

/// The providers, as requests and as telemetry name them.
pub(crate) const PROVIDERS: [(&str, &str); 5] = [
    ("claude", "anthropic"),
    ("openai", "openai"),
    ("ollama", "ollama"),
    ("bedrock", "aws.bedrock"),
    ("lmstudio", "lmstudio"),
];

/// The key of each provider that wants one.
const KEY: &str = "sk-test-key-of-the-simulator";

/// A tenant of an API whose Claude and Ollama are one simulator.
pub(crate) struct SimulatedLlm {
    pub(crate) api: TestApi,
    pub(crate) simulator: Running,
    pub(crate) caller: Caller,
}

impl SimulatedLlm {
    /// With the API's defaults.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(Setup::default()).await
    }

    /// With further settings of the API.
    pub(crate) async fn start_with(setup: Setup) -> anyhow::Result<Self> {
        let simulator = test_support::simulator().await?;
        let api = setup
            .with("ANTHROPIC_API_KEY", KEY)
            .with("ANTHROPIC_BASE_URL", simulator.base_url())
            .with("OLLAMA_HOST", simulator.base_url())
            .with("BOOKSTORE_SIMULATED_PROVIDERS", "claude,ollama")
            .start()
            .await?;
        let caller = api.caller()?;
        Ok(Self {
            api,
            simulator,
            caller,
        })
    }

    /// With every provider, each of them the same simulator.
    pub(crate) async fn start_with_all(setup: Setup) -> anyhow::Result<Self> {
        let simulator = test_support::simulator().await?;
        let base = simulator.base_url();
        let providers = PROVIDERS.map(|(name, _)| name).join(",");
        let api = setup
            .with("ANTHROPIC_API_KEY", KEY)
            .with("ANTHROPIC_BASE_URL", &base)
            .with("OPENAI_API_KEY", KEY)
            .with("OPENAI_BASE_URL", format!("{base}/v1"))
            .with("OLLAMA_HOST", &base)
            .with("LMSTUDIO_BASE_URL", format!("{base}/lmstudio/v1"))
            .with("AWS_BEARER_TOKEN_BEDROCK", KEY)
            .with("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &base)
            .with("BOOKSTORE_SIMULATED_PROVIDERS", providers)
            .start()
            .await?;
        let caller = api.caller()?;
        Ok(Self {
            api,
            simulator,
            caller,
        })
    }

    /// The key that the providers are sent.
    pub(crate) const fn key(&self) -> &'static str {
        KEY
    }

    /// A new book's address.
    pub(crate) async fn book(&self) -> anyhow::Result<String> {
        self.caller.create_book("A Book to Summarize").await
    }

    /// Asks for a summary; `query` such as `provider=claude`.
    pub(crate) async fn ask(&self, book: &str, query: &str) -> anyhow::Result<Reply> {
        ask(&self.caller, book, query).await
    }

    /// Gets a summary that must succeed.
    pub(crate) async fn summary(&self, book: &str, query: &str) -> anyhow::Result<Value> {
        self.ask(book, query).await?.expect(200)?.json()
    }

    /// Makes the simulator fail by these rules, in its JSON form.
    pub(crate) fn break_by(&self, rules: &Value) -> anyhow::Result<()> {
        let rules: Vec<FaultRule> = serde_json::from_value(rules.clone())?;
        self.simulator.control().set_faults(rules)?;
        Ok(())
    }

    /// What the simulator has counted by itself.
    pub(crate) fn metered(&self) -> Usage {
        self.simulator.control().meter().total
    }

    /// The sum of the API's series of a family that have all these labels.
    pub(crate) async fn counted(&self, family: &str, labels: &[&str]) -> anyhow::Result<f64> {
        let text = self.caller.get("/metrics").await?.expect(200)?.text();
        sum(&text, family, labels)
    }

    /// Ends the API, which writes its ledger, and gives the tenant's rows, oldest first.
    pub(crate) async fn ledger(&self) -> anyhow::Result<Vec<LedgerRow>> {
        let status = self.api.terminate().await?;
        ensure!(status.success(), "{status}");
        let ledger = Ledger::open(&self.api.ledger())?;
        let filter = LedgerFilter::of(TenantId::parse(self.caller.tenant())?);
        let page = LedgerPage {
            offset: 0,
            limit: 1_000,
        };
        let mut rows = ledger.rows(filter, page).await?;
        rows.reverse();
        Ok(rows)
    }
}

/// Asks for a summary of the book at an address.
pub(crate) async fn ask(caller: &Caller, book: &str, query: &str) -> anyhow::Result<Reply> {
    caller
        .post_nothing(&format!("{book}/generate-summary?{query}"))
        .await
}

/// What these tokens cost by Anthropic's list.
pub(crate) const fn list_price(input_tokens: u64, output_tokens: u64) -> u64 {
    input_tokens * INPUT_PRICE + output_tokens * OUTPUT_PRICE
}

/// Units of 10⁻¹² as a decimal without trailing zeros.
pub(crate) fn dollars(units: u64) -> String {
    let digits = format!("{units:0>width$}", width = DECIMALS + 1);
    let (whole, fraction) = digits.split_at(digits.len() - DECIMALS);
    let text = format!("{whole}.{fraction}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A whole number in a reply.
pub(crate) fn number(value: &Value) -> anyhow::Result<u64> {
    value
        .as_u64()
        .with_context(|| format!("{value} is no whole number"))
}

/// The sum of a family's series in Prometheus' text that have all these `label="value"`.
fn sum(text: &str, family: &str, labels: &[&str]) -> anyhow::Result<f64> {
    let mut total = 0.0;
    for line in text.lines() {
        let series = line.strip_prefix(family).unwrap_or("");
        let is_series = series.starts_with(['{', ' ']);
        if !is_series || !labels.iter().all(|label| series.contains(label)) {
            continue;
        }
        let value = series.rsplit(' ').next().context("a value")?;
        total += value.parse::<f64>().with_context(|| line.to_owned())?;
    }
    Ok(total)
}
