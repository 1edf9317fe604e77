//! Streams of tenants whose money is limited.

use std::{sync::Arc, time::Duration};

use async_stream::stream;
use async_trait::async_trait;
use futures_util::{StreamExt, future::join_all};
use llm::{
    BudgetAccounts, BudgetLimits, BudgetRefusal, Budgeted, Budgets, CallContext, ChatEvent,
    ChatRequest, ChatResponse, ChatStream, Endpoint, InProcessAccounts, Ledger, LedgerFilter,
    LedgerGroup, LimitKind, LlmError, LlmProvider, Measured, OnFailure, OpeningLatency,
    PriceCatalogue, Prices, ProviderName,
};
use money::PicoUsd;
use tempfile::TempDir;
use test_support::wait;

use super::tenant;
use crate::fixture::{drain, request};

/// A token costs a pico-dollar in and ten out.
const PRICES: &str = r#"price = [{ provider = "openai", match = "m", input = "0.000001", output = "0.00001", source = "s", checked_on = "2026-11-20" }]"#;

/// Tokens of one piece of the talker's text, by the estimate of four characters each.
const CHUNK_TOKENS: i64 = 2;

const DEADLINE: Duration = Duration::from_secs(20);

/// Talks without end, two tokens at a time.
struct Talker(Endpoint);

#[async_trait]
impl LlmProvider for Talker {
    fn name(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn model(&self) -> &str {
        "m"
    }

    fn endpoint(&self) -> &Endpoint {
        &self.0
    }

    async fn complete(&self, _: &ChatRequest) -> Result<ChatResponse, LlmError> {
        Err(LlmError::Malformed {
            message: "it only streams".to_owned(),
        })
    }

    async fn stream(&self, _: &ChatRequest) -> Result<ChatStream, LlmError> {
        Ok(Box::pin(stream! {
            yield Ok(ChatEvent::Started {
                model: "m".to_owned(),
                response_id: None,
                request_id: None,
                usage: None,
                service_tier: None,
                fallback: None,
                latency: OpeningLatency::default(),
            });
            loop {
                tokio::task::yield_now().await;
                yield Ok(ChatEvent::Delta("12345678".to_owned()));
            }
        }))
    }
}

/// A talker whose tenant may spend so much.
pub(super) struct Limited {
    pub(super) provider: Budgeted,
    pub(super) budgets: Arc<Budgets>,
    ledger: Arc<Ledger>,
    pub(super) request: ChatRequest,
    _directory: TempDir,
}

impl Limited {
    async fn open(accounts: Arc<dyn BudgetAccounts>, day: i64) -> anyhow::Result<Self> {
        Self::open_with(accounts, day, OnFailure::Refuse).await
    }

    pub(super) async fn open_with(
        accounts: Arc<dyn BudgetAccounts>,
        day: i64,
        on_failure: OnFailure,
    ) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let ledger = Arc::new(Ledger::open(&directory.path().join("ledger.db"))?);
        let prices = Arc::new(Prices::fixed(PriceCatalogue::parse(PRICES)?));
        let budgets = Budgets::load(Arc::clone(&ledger), accounts, on_failure).await?;
        let budgets = Arc::new(budgets);
        let mut request = request();
        request.context = CallContext::new(tenant()?, "summary", None);
        assert!(budgets.set(&request.context.tenant, limits(day)).await?);
        let talker = Arc::new(Talker(Endpoint {
            address: "127.0.0.1".into(),
            port: 1,
        }));
        let measured = Measured::new(talker, false, Arc::clone(&prices), Arc::clone(&ledger));
        Ok(Self {
            provider: Budgeted::new(Arc::new(measured), false, prices, Arc::clone(&budgets)),
            budgets,
            ledger,
            request,
            _directory: directory,
        })
    }

    pub(super) async fn booked(&self) -> anyhow::Result<i64> {
        self.ledger.flush().await?;
        let filter = LedgerFilter::of(self.request.context.tenant.clone());
        let totals = self.ledger.totals(filter, LedgerGroup::Tenant).await?;
        Ok(i64::try_from(
            totals.iter().map(|total| total.cost).sum::<i128>(),
        )?)
    }
}

fn limits(day: i64) -> BudgetLimits {
    BudgetLimits {
        day: Some(PicoUsd::new(day)),
        ..BudgetLimits::default()
    }
}

fn is_day(error: &LlmError) -> bool {
    matches!(error, LlmError::Budget(refusal)
        if matches!(**refusal, BudgetRefusal::Reached { limit: LimitKind::Day, .. }))
}

pub(super) async fn concurrent_streams_end_at_the_cap(
    accounts: Arc<dyn BudgetAccounts>,
) -> anyhow::Result<()> {
    const STREAMS: i64 = 8;
    let limit = 20_000;
    let limited = Limited::open(accounts, limit).await?;
    let talk = async |_| {
        let mut request = limited.request.clone();
        request.context.call_id = uuid::Uuid::now_v7();
        match limited.provider.stream(&request).await {
            Ok(stream) => drain(stream).await.1,
            Err(error) => Some(error),
        }
    };
    for error in join_all((0..STREAMS).map(talk)).await {
        assert!(error.as_ref().is_some_and(is_day), "{error:?}");
    }
    let booked = limited.booked().await?;
    let chunk = CHUNK_TOKENS * 10;
    assert!(booked > limit - STREAMS * chunk, "{booked}: money was left");
    assert!(
        booked <= limit + STREAMS * chunk,
        "{booked}: spent beyond the bound"
    );
    // The account and the ledger say the same.
    let tenant = &limited.request.context.tenant;
    wait::until("the account", DEADLINE, async || {
        let standing = limited.budgets.standing(tenant, false).await?;
        anyhow::ensure!(standing.day_spent.get() == booked, "{standing:?} {booked}");
        anyhow::ensure!(standing.reserved.get() == 0, "{standing:?}");
        Ok(())
    })
    .await?;
    // Nothing is sent any more, so nothing is booked.
    let refused = limited.provider.stream(&limited.request).await.err();
    assert!(refused.as_ref().is_some_and(is_day), "{refused:?}");
    assert_eq!(limited.booked().await?, booked);
    Ok(())
}

pub(super) async fn what_was_spent_before_counts(
    accounts: Arc<dyn BudgetAccounts>,
) -> anyhow::Result<()> {
    let limited = Limited::open(accounts, 5_000).await?;
    let stream = limited.provider.stream(&limited.request).await?;
    let some: Vec<_> = stream.take(20).collect().await;
    assert_eq!(some.len(), 20);
    let booked = limited.booked().await?;
    assert!(booked > 0);
    // Accounts that know nothing begin with the ledger.
    let ledger = Arc::clone(&limited.ledger);
    let fresh = Arc::new(InProcessAccounts::default());
    let budgets = Budgets::load(ledger, fresh, OnFailure::Refuse).await?;
    let tenant = &limited.request.context.tenant;
    let standing = budgets.standing(tenant, false).await?;
    assert_eq!(
        (standing.day_spent.get(), standing.month_spent.get()),
        (booked, booked)
    );
    assert_eq!(
        budgets.limits(tenant).and_then(|limits| limits.day),
        Some(PicoUsd::new(5_000))
    );
    assert_eq!(
        budgets.standing(tenant, true).await?.day_spent,
        PicoUsd::ZERO
    );
    Ok(())
}

pub(super) async fn what_was_spent_without_limits_counts_when_they_are_back(
    accounts: Arc<dyn BudgetAccounts>,
) -> anyhow::Result<()> {
    let limited = Limited::open(accounts, 2_000).await?;
    let tenant = &limited.request.context.tenant;
    let cut_off = drain(limited.provider.stream(&limited.request).await?).await;
    assert!(cut_off.1.as_ref().is_some_and(is_day), "{cut_off:?}");
    assert!(limited.budgets.set(tenant, BudgetLimits::default()).await?);
    let unlimited = limited.provider.stream(&limited.request).await?;
    assert_eq!(unlimited.take(500).count().await, 500);
    let booked = limited.booked().await?;
    assert!(booked > 9_000, "{booked}");
    assert!(limited.budgets.set(tenant, limits(9_000)).await?);
    let refused = limited.provider.stream(&limited.request).await.err();
    assert!(refused.as_ref().is_some_and(is_day), "{refused:?}");
    let standing = limited.budgets.standing(tenant, false).await?;
    assert_eq!(standing.day_spent.get(), booked);
    Ok(())
}
