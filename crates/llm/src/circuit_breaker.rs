//! A provider that is left alone while it fails.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;

use crate::{
    ChatEvent, ChatRequest, ChatResponse, ChatStream, CircuitPolicy, Circuits, Endpoint, LlmError,
    LlmProvider, ProviderName, ServiceTier, circuit::Permit,
};

/// A provider that is not asked for a model while its calls fail: they end at once with
/// [`LlmError::CircuitOpen`].
///
/// Only the provider's faults count, in a stream also those after its first text. A refused
/// request is an answer, and a caller that leaves says nothing. A stream that tries whether the
/// provider answers again has shown it with its first text.
pub struct CircuitBreaker {
    inner: Arc<dyn LlmProvider>,
    circuits: Arc<Circuits>,
}

impl CircuitBreaker {
    /// Watches `inner` by `policy`.
    pub fn new(inner: Arc<dyn LlmProvider>, policy: CircuitPolicy) -> Self {
        let circuits = Arc::new(Circuits::new(inner.name(), policy));
        Self { inner, circuits }
    }

    /// A view of the circuits' state.
    #[must_use]
    pub fn circuits(&self) -> Arc<Circuits> {
        Arc::clone(&self.circuits)
    }

    fn admit(&self, request: &ChatRequest) -> Result<Permit, LlmError> {
        let model = request.model.as_deref().unwrap_or(self.inner.model());
        self.circuits.admit(model, request.context.deadline)
    }
}

#[async_trait]
impl LlmProvider for CircuitBreaker {
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
        let permit = self.admit(request)?;
        let result = self.inner.complete(request).await;
        permit.settle(result.as_ref().err());
        result
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let permit = self.admit(request)?;
        match self.inner.stream(request).await {
            Ok(events) => Ok(settled_by(events, permit)),
            Err(error) => {
                permit.settle(Some(&error));
                Err(error)
            }
        }
    }
}

/// The stream, whose items say how its call goes.
fn settled_by(events: ChatStream, permit: Permit) -> ChatStream {
    let mut permit = Some(permit);
    events
        .inspect(move |item| {
            let error = match item {
                Ok(ChatEvent::Started { .. }) => return,
                Ok(ChatEvent::Delta(_)) => {
                    if let Some(permit) = &mut permit {
                        permit.note_text();
                    }
                    return;
                }
                Ok(ChatEvent::Finished(_)) => None,
                Err(error) => Some(error),
            };
            if let Some(permit) = permit.take() {
                permit.settle(error);
            }
        })
        .boxed()
}
