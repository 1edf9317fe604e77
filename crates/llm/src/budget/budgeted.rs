//! A budget around a provider's attempts.

use std::sync::Arc;

use async_stream::try_stream;
use async_trait::async_trait;
use futures_util::{Stream, StreamExt};

use super::{
    Budgets,
    hold::{Hold, Wanted, first_slice},
};
use crate::{
    ChatEvent, ChatRequest, ChatResponse, ChatStream, Endpoint, LlmError, LlmProvider, Prices,
    ProviderName, ServiceTier, Usage, UsageSoFar, usage::estimate_tokens,
};

/// A provider that is only asked for what its tenant may still spend. Stands around
/// [`Measured`](crate::Measured), so that each attempt is reserved and each is booked.
pub struct Budgeted {
    inner: Arc<dyn LlmProvider>,
    simulated: bool,
    prices: Arc<Prices>,
    budgets: Arc<Budgets>,
}

/// A stream and its reservation; the stream goes first, and with it says what it cost.
struct Held {
    events: ChatStream,
    hold: Hold,
}

impl Budgeted {
    /// Puts `budgets` around `inner`, whose money is simulated or real.
    pub fn new(
        inner: Arc<dyn LlmProvider>,
        simulated: bool,
        prices: Arc<Prices>,
        budgets: Arc<Budgets>,
    ) -> Self {
        Self {
            inner,
            simulated,
            prices,
            budgets,
        }
    }

    /// Reserves for one attempt: tokens of the rate for the longest answer, money for `usage`, or
    /// where there is not so much for `least`.
    async fn hold(
        &self,
        request: &ChatRequest,
        usage: Usage,
        least: Usage,
    ) -> Result<Option<(Hold, ChatRequest)>, LlmError> {
        let model = request.model.as_deref().unwrap_or(self.inner.model());
        let wanted = Wanted {
            provider: self.inner.name(),
            simulated: self.simulated,
            model: model.to_owned(),
            service_tier: self.inner.service_tier(),
            usage,
            least,
            tokens: usage.input_tokens.saturating_add(request.max_tokens.into()),
            tenant: request.context.tenant.clone(),
        };
        let hold = Hold::take(&self.budgets, self.prices.current(), wanted).await?;
        Ok(hold.map(|hold| {
            let mut request = request.clone();
            request.context.bill = Some(hold.bill());
            (hold, request)
        }))
    }

    fn is_limited(&self, request: &ChatRequest) -> bool {
        self.budgets.limits(&request.context.tenant).is_some()
    }
}

#[async_trait]
impl LlmProvider for Budgeted {
    fn name(&self) -> ProviderName {
        self.inner.name()
    }

    fn model(&self) -> &str {
        self.inner.model()
    }

    fn endpoint(&self) -> &Endpoint {
        self.inner.endpoint()
    }

    fn service_tier(&self) -> ServiceTier {
        self.inner.service_tier()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        if !self.is_limited(request) {
            return self.inner.complete(request).await;
        }
        // Nobody can cut off an answer that comes at once: all of it is reserved.
        let usage = Usage {
            input_tokens: estimate_tokens(request.prompt_texts()),
            output_tokens: request.max_tokens.into(),
            ..Usage::default()
        };
        match self.hold(request, usage, usage).await? {
            None => self.inner.complete(request).await,
            Some((_hold, request)) => self.inner.complete(&request).await,
        }
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        if !self.is_limited(request) {
            return self.inner.stream(request).await;
        }
        let input_tokens = estimate_tokens(request.prompt_texts());
        let model = request.model.as_deref().unwrap_or(self.inner.model());
        let (usage, least) = first_slice(input_tokens, request.max_tokens, model);
        let Some((hold, request)) = self.hold(request, usage, least).await? else {
            return self.inner.stream(request).await;
        };
        let so_far = UsageSoFar::new(&request);
        let events = self.inner.stream(&request).await?;
        Ok(Box::pin(within_budget(Held { events, hold }, so_far)))
    }
}

/// Passes on what is paid for, and breaks off before the first event that is not.
fn within_budget(
    mut held: Held,
    mut so_far: UsageSoFar,
) -> impl Stream<Item = Result<ChatEvent, LlmError>> + Send {
    try_stream! {
        while let Some(event) = held.events.next().await {
            let event = event?;
            so_far.observe(&event);
            if let Err(error) = held.hold.cover(&so_far.usage()).await {
                // The provider stops writing before the caller is told.
                drop(held);
                Err(error)?;
                return;
            }
            if let ChatEvent::Finished(_) = &event {
                held.hold.settle();
            }
            yield event;
        }
    }
}
